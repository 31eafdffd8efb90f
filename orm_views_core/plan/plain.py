"""The plan of a sync for an engine whose views are changed one after the other, where they stand. Pure.

A view is created, replaced, adopted or dropped. A reader of a view that changes is tried as well, and is
replaced only if its own statement changes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from orm_views_core.database.definers import LET_TRUST, why_foreign
from orm_views_core.database.dry_run import DryRun
from orm_views_core.database.engine import StatementKind
from orm_views_core.database.relations import Catalog, InstalledView
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.graph import closure, reverse
from orm_views_core.names import ViewName
from orm_views_core.quoting import embedded
from orm_views_core.sentences import Sentence, says

from .diff import NO_DIFFERENCES, Differences, Scope, wanted_readers
from .propagation import ORPHANED
from .rules import why_changed
from .statements import grant_reason
from .step_writer import lock_order
from .steps import Action, Phase, Plan, Statement, Step, in_phase


@dataclass(frozen=True)
class PlainWriter:
    """Writes the statements of an engine.

    Attributes:
        create_view: creates a view, in the place of another one if there is one.
        drop_view: drops a view.
        grant: grants SELECT on a view to some roles, and revokes it from others.
        blocks: who has to wait, in words.
    """

    create_view: Callable[[ViewDefinition, InstalledView | None], Sequence[str]]
    drop_view: Callable[[InstalledView], Sequence[str]]
    grant: Callable[[ViewName, Collection[str], Collection[str]], Sequence[str]]
    blocks: Sentence


@dataclass(frozen=True)
class PlainFacts:
    """Everything that such a plan is made from.

    Attributes:
        database: the alias.
        title: the name of the engine.
        definitions: the registered views.
        catalog: what the database contains.
        scope: the views to look at and the order in which they are created.
        dry_run: what the engine made of the views that were tried.
        writer: writes the SQL of the engine.
        atomic: whether the sync is all or nothing.
        command_roles: further roles to grant SELECT to, named on the command line.
        dropped: the orphans to drop.
        force: replace the views in the scope although nothing differs.
        broken: why installed views cannot be read.
    """

    database: str
    title: str
    definitions: Mapping[ViewName, ViewDefinition]
    catalog: Catalog
    scope: Scope
    dry_run: DryRun
    writer: PlainWriter
    atomic: bool
    command_roles: Sequence[str] = ()
    dropped: Collection[ViewName] = ()
    force: bool = False
    broken: Mapping[ViewName, Sentence] = field(default_factory=dict)


def make_plain_plan(facts: PlainFacts) -> Plan:
    """Return the plan of a sync."""
    drops = [_drop(facts, name) for name in lock_order(facts.dropped, facts.catalog)]
    written = [step for name in facts.scope.order for step in _steps(facts, name)]
    # If each step is committed by itself, a view is dropped when what read it has changed.
    steps = [*drops, *written] if facts.atomic else [*written, *drops]
    return Plan(
        database=facts.database,
        steps=tuple(steps),
        problems=(*_problems(facts), *_foreign_owners(facts, steps)),
        warnings=tuple(_warnings(facts, steps)),
        unchanged=len(facts.definitions.keys() & facts.scope.looked_at - {step.name for step in steps}),
    )


def _warnings(facts: PlainFacts, steps: Collection[Step]) -> Iterator[Sentence]:
    """Yield what somebody should know, or do something about."""
    if not facts.atomic and any(step.statements for step in steps):
        yield says(
            "%(engine)s commits each view by itself. After an error, what was done before it stays done, and "
            "the next sync does the rest.",
            engine=facts.title,
        )
    for name, why in sorted(facts.dry_run.breaks.items()):
        yield embedded(
            says("%(view)s, which no class declares, will break. %(why)s Change it too.", view=name, why=why)
        )
    changing = {step.name for step in steps if step.statements}
    read_by = reverse({name: view.reads for name, view in facts.catalog.relations.items()})
    # What a broken view reads may be mended by this sync.
    for name in sorted(facts.broken.keys() & facts.definitions.keys() - closure(read_by, changing)):
        yield embedded(says("%(view)s: %(why)s", view=name, why=facts.broken[name]))
    for name, view in sorted(facts.catalog.relations.items()):
        if name in facts.definitions and not view.is_trusted and name not in changing:
            yield says("%(view)s: %(why)s %(advice)s", view=name, why=why_foreign(view), advice=LET_TRUST)


def _steps(facts: PlainFacts, name: ViewName) -> Iterator[Step]:
    """Yield the steps for a registered view."""
    difference = facts.scope.differences.get(name, NO_DIFFERENCES)
    definition, installed = facts.definitions.get(name), facts.catalog.relations.get(name)
    if definition is None or difference.obstructed_by:
        return
    is_tried = name in facts.dry_run.views
    if installed is None:
        if difference.missing:
            yield _write(facts, Action.CREATE, definition, None, says("it is not in the database"))
        return
    if is_tried and (facts.dry_run.views[name].definition != installed.definition):
        why = why_changed(difference) if difference.needs_dry_run else says("what it reads has changed")
        yield _write(facts, Action.REPLACE, definition, installed, why)
        return
    if is_tried and facts.force and name in facts.scope.differences:
        yield _write(facts, Action.REPLACE, definition, installed, says("forced"))
        return
    # Nothing is recorded of a view that is not believed: the next sync would not believe that either.
    if difference.is_outdated and not difference.unbelieved:
        why = says("%(why)s; its definition is the same", why=why_changed(difference))
        yield _write(facts, Action.ADOPT, definition, installed, why)
    elif difference.grant or difference.revoke or difference.record:
        yield _grant(facts, definition, installed, difference)


def _write(
    facts: PlainFacts,
    action: Action,
    definition: ViewDefinition,
    installed: InstalledView | None,
    reason: Sentence,
) -> Step:
    name, writer = definition.name, facts.writer
    statements: list[Statement] = []
    if action is not Action.ADOPT:
        created = writer.create_view(definition, installed)
        statements += in_phase(Phase.BUILD, created, StatementKind.QUERY)
    difference = facts.scope.differences.get(name, NO_DIFFERENCES)
    wanted = wanted_readers(definition, facts.command_roles)
    grant = tuple(wanted) if installed is None else difference.grant
    if grant or difference.revoke:
        statements += in_phase(Phase.BUILD, writer.grant(name, grant, difference.revoke))
    return Step(
        action,
        name,
        reason,
        tuple(statements),
        definition=definition,
        installed=installed,
        expected=facts.dry_run.views.get(name),
        columns=facts.dry_run.installed_columns.get(name, ()),
        indirect=installed is not None and not difference.needs_dry_run,
        blocks=writer.blocks,
    )


def _grant(
    facts: PlainFacts, definition: ViewDefinition, installed: InstalledView, difference: Differences
) -> Step:
    action = Action.REVOKE if difference.revoke and not difference.grant else Action.GRANT
    sent = in_phase(Phase.BUILD, facts.writer.grant(definition.name, difference.grant, difference.revoke))
    reason = grant_reason(difference)
    return Step(action, definition.name, reason, sent, definition=definition, installed=installed)


def _drop(facts: PlainFacts, name: ViewName) -> Step:
    installed = facts.catalog.relations[name]
    sent = in_phase(Phase.BUILD, facts.writer.drop_view(installed))
    return Step(Action.DROP, name, ORPHANED, sent, installed=installed, blocks=facts.writer.blocks)


def _foreign_owners(facts: PlainFacts, steps: Collection[Step]) -> Iterator[Sentence]:
    """Yield which views are to be changed and are somebody else's."""
    for step in steps:
        if step.installed is not None and not step.installed.is_ours_to_change:
            yield says(
                "%(view)s is not as its class says. %(why)s %(advice)s",
                view=step.name,
                why=why_foreign(step.installed),
                advice=LET_TRUST,
            )


def _problems(facts: PlainFacts) -> Iterator[Sentence]:
    """Yield why the plan cannot be carried out, in words."""
    for name in facts.scope.order:
        difference = facts.scope.differences.get(name, NO_DIFFERENCES)
        if difference.obstructed_by and name in facts.definitions:
            yield says(
                "%(where)s: the name of %(view)s belongs to a %(relation)s that no sync created. Rename the "
                "%(relation)s, or give the view another name.",
                where=facts.definitions[name].where,
                view=name,
                relation=difference.obstructed_by,
            )
    leaving = set(facts.dropped)
    for name in sorted(leaving):
        for reader in sorted(facts.catalog.relations[name].read_by - leaving):
            tried = facts.dry_run.views.get(reader)
            if tried is None or name in tried.reads:
                definition = facts.definitions.get(reader)
                yield says(
                    "%(view)s has to be dropped, because %(why)s, and %(reader)s still reads it. Declare "
                    "%(view)s again, or change what reads it.",
                    view=name,
                    why=ORPHANED,
                    reader=definition.where if definition else reader,
                )
