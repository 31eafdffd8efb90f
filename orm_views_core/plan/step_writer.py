"""The steps of a plan: what was decided, as SQL, each statement with its phase. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from orm_views_core.database.engine import StatementKind
from orm_views_core.database.relations import Catalog, InstalledView
from orm_views_core.database.staging import staging_schemas
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.graph import closure, creation_order
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sentences import NOTHING, Sentence, listed, says
from orm_views_core.sql.references import move_references

from .diff import NO_DIFFERENCES, PUBLIC, Differences, options_by_hand, wanted_readers
from .facts import Facts
from .preconditions import index_names_in_use
from .rebuild import Build, rebuild_statements
from .rules import Decision, Decisions, action_of, having, why_changed
from .statements import (
    COMMENTS_DIFFER,
    column_comments,
    comments,
    fresh_grants,
    grant_changes,
    grant_reason,
    index_changes,
    interim_name,
    option_changes,
)
from .steps import Action, Phase, Statement, Step, in_phase
from .unfilled import find_unfilled

_NOBODY = says("nobody")
_SWAP = says("its readers, during the swap")


@dataclass(frozen=True)
class Draft:
    """What the steps are written from.

    Attributes:
        facts: what the plan is made from.
        decisions: what happens to each view.
    """

    facts: Facts
    decisions: Decisions

    @cached_property
    def moves(self) -> Mapping[ViewName, str]:
        """The staging schema of each view that is built before it takes its place."""
        rebuilt = having(self.decisions, Action.REBUILD)
        names = [n for n in self.facts.scope.order if n in rebuilt and not self.decisions[n].deferred]
        staging = staging_schemas((name.schema for name in names), taken=self.facts.taken_schemas)
        return {name: staging[name.schema] for name in names}

    def sql_of(self, name: ViewName) -> str:
        """Return the SELECT of a view; it reads the new versions of other views, if it is not deferred."""
        sql = self.facts.views[name].sql
        return sql if self.decisions[name].deferred else move_references(sql, self.moves)

    @cached_property
    def unfilled(self) -> Mapping[ViewName, ViewName]:
        """The materialised views that cannot be filled, each with the one without rows that it reads."""
        return find_unfilled(self.decisions, self.facts)

    @cached_property
    def index_names_in_use(self) -> frozenset[ViewName]:
        """The index names that become free only in the swap."""
        return index_names_in_use(self.facts.taken, having(self.decisions, Action.REBUILD, Action.DROP))

    @cached_property
    def crowded_schemas(self) -> frozenset[str]:
        """The schemas in which the array type of a moved view could have a name that something else has."""
        types = self.facts.array_types
        leaving = having(self.decisions, Action.REBUILD, Action.DROP)
        coming = having(self.decisions, Action.REBUILD, Action.CREATE)
        used = Counter(ViewName(n.schema, types[n].name) for n in coming if n in types)
        used.update(self.facts.views.keys() | coming)
        moved = [(n.schema, types[n]) for n in self.moves if n in types]
        return frozenset(
            schema
            for schema, array in moved
            if used[ViewName(schema, array.name)] > 1 or (array.is_taken and array.of not in leaving)
        )

    @cached_property
    def created_in_swap(self) -> frozenset[ViewName]:
        """The new views that read a replaced view: they may read a column that it has only from then on."""
        reads, replaced = self.facts.scope.dependencies, having(self.decisions, Action.REPLACE)
        created = having(self.decisions, Action.CREATE)
        return frozenset(name for name in created if closure(reads, reads[name]) & replaced)


def schema_steps(draft: Draft) -> Iterator[Step]:
    """Create missing schemas, and grant USAGE on schemas to the roles that may read a view in them.

    Only the schemas of the views that the sync looks at count.
    """
    catalog, dialect = draft.facts.catalog, draft.facts.dialect
    readers: dict[str, dict[str, None]] = {}
    looked_at = draft.facts.scope.looked_at
    for definition in (d for name, d in draft.facts.definitions.items() if name in looked_at):
        roles = readers.setdefault(definition.name.schema, {})
        roles |= wanted_readers(definition, draft.facts.command_roles)
    for schema, roles in readers.items():
        statements, reasons = [], []
        if schema not in catalog.schemas:
            statements.append(dialect.create_schema(schema))
            reasons.append(says("it does not exist"))
        usage = catalog.schema_usage.get(schema, frozenset())
        if "" in usage:  # everybody may look up names in it
            roles = {}
        if missing := [role for role in roles if ("" if role.lower() == PUBLIC else role) not in usage]:
            statements.append(dialect.grant_usage(schema, missing))
            reasons.append(says("%(roles)s may not look up names in it", roles=listed(missing)))
        if statements:
            build = in_phase(Phase.BUILD, statements)
            why = listed(reasons, "; ")
            yield Step(Action.SCHEMA, ViewName(schema, ""), why, build, blocks=_NOBODY)


def drop_steps(draft: Draft) -> Iterator[Step]:
    """Drop views, those that read others first."""
    for name in lock_order(having(draft.decisions, Action.DROP), draft.facts.catalog):
        blocks = says("all its readers, from then on")
        step = _step(draft, Action.DROP, name, [_drop(draft, name)], blocks)
        yield replace(step, expected=None)  # a dropped view has no new definition to show


def view_steps(draft: Draft, name: ViewName) -> Iterator[Step]:
    """Yield the steps for a view: one for its SELECT, or one for each smaller difference."""
    facts, action = draft.facts, action_of(draft.decisions, name)
    definition, installed = facts.definitions.get(name), facts.catalog.relations.get(name)
    difference = facts.scope.differences.get(name, NO_DIFFERENCES)
    if action is Action.CREATE:
        yield _create(draft, facts.definitions[name])
    elif action is Action.REPLACE:
        yield _replace(draft, name, difference)
    elif action is Action.REBUILD:
        yield _rebuild(draft, name, difference)
    elif definition and installed and not difference.obstructed_by and action is not Action.DROP:
        if action is Action.ADOPT:
            yield _step(draft, Action.ADOPT, name, (), _NOBODY)
        yield from _repairs(draft, definition, installed, difference)


def _create(draft: Draft, definition: ViewDefinition) -> Step:
    dialect, name, deferred = draft.facts.dialect, definition.name, draft.decisions[definition.name].deferred
    is_materialised = definition.kind is ViewKind.MATERIALISED_VIEW
    phase = Phase.FINISH if deferred else Phase.REPLACE if name in draft.created_in_swap else Phase.BUILD
    with_data = definition.with_data and name not in draft.unfilled
    create = dialect.create_view(definition, sql=draft.sql_of(name), with_data=with_data)
    statements, renames = [Statement(phase, create, StatementKind.QUERY)], []
    for index in definition.indexes:
        is_in_use = ViewName(name.schema, index.name) in draft.index_names_in_use
        interim = interim_name(index.name) if is_in_use else index.name
        statements.append(Statement(phase, index.create_sql(name, interim), StatementKind.INDEX))
        if is_in_use:
            renames.append(dialect.rename_index(ViewName(name.schema, interim), index.name))
    statements += in_phase(phase, fresh_grants(definition, draft.facts.command_roles, dialect))
    texts = column_comments(name, definition.column_comments, dialect)
    statements += in_phase(phase, texts, StatementKind.COMMENT)
    statements += in_phase(Phase.FINISH, renames)
    blocks = _NOBODY
    if deferred and is_materialised:
        blocks = says("the readers of the swapped views, until it is built, because %(why)s", why=deferred)
    step = _step(draft, Action.CREATE, name, statements, blocks)
    return replace(step, fills=is_materialised and with_data)


def _replace(draft: Draft, name: ViewName, difference: Differences) -> Step:
    facts, dialect, definition = draft.facts, draft.facts.dialect, draft.facts.views[name]
    by_hand = options_by_hand(definition, facts.catalog.relations[name], facts.dry_run.views.get(name))
    create = dialect.create_view(definition, sql=draft.sql_of(name), replace=True, further_options=by_hand)
    texts = column_comments(name, difference.column_comments, dialect)
    statements = (
        Statement(Phase.REPLACE, create, StatementKind.QUERY, is_canonical=definition.is_canonical),
        *in_phase(Phase.REPLACE, grant_changes(name, difference, dialect)),
        *in_phase(Phase.REPLACE, texts, StatementKind.COMMENT),
    )
    return _step(draft, Action.REPLACE, name, statements, _SWAP)


def _rebuild(draft: Draft, name: ViewName, difference: Differences) -> Step:
    facts, definition, deferred = draft.facts, draft.facts.views[name], draft.decisions[name].deferred
    at = ViewName(draft.moves.get(name, name.schema), name.name)
    build = Build(
        definition=definition,
        installed=facts.catalog.relations[name],
        expected=facts.dry_run.views[name],  # whatever is rebuilt was tried
        at=at,
        sql=draft.sql_of(name),
        difference=difference,
        extras=tuple(facts.keep.get(name, ())),
        is_unfilled=name in draft.unfilled,
    )
    phase = Phase.FINISH if deferred else Phase.BUILD
    create, finish = rebuild_statements(build, facts.catalog.session.role, facts.dialect, phase)
    drop, blocks = _drop(draft, name), _SWAP
    if deferred:
        statements = (drop, *create, *finish)
        if definition.kind is ViewKind.MATERIALISED_VIEW:
            blocks = says("its readers, until it is built again, because %(why)s", why=deferred)
    else:
        statements = (*create, drop, *in_phase(Phase.MOVE, _move(draft, definition, at)), *finish)
    return replace(
        _step(draft, Action.REBUILD, name, statements, blocks),
        built_at=None if deferred else at,
        fills=build.is_filled,
        kept=build.kept_in_words,
        lost=build.lost_in_words,
    )


def _move(draft: Draft, definition: ViewDefinition, at: ViewName) -> list[str]:
    """Return the statements that move a view to its place.

    The array type keeps its name on the way, and gets one that is free when its view is renamed.
    """
    dialect, kind, name = draft.facts.dialect, definition.kind, definition.name
    if name.schema not in draft.crowded_schemas:
        return [dialect.set_schema(kind, at, name.schema)]
    interim = interim_name(name.name)
    return [
        dialect.rename_view(kind, at, interim),
        dialect.set_schema(kind, ViewName(at.schema, interim), name.schema),
        dialect.rename_view(kind, ViewName(name.schema, interim), name.name),
    ]


def _drop(draft: Draft, name: ViewName) -> Statement:
    kind = draft.facts.catalog.relations[name].kind
    assert kind is not None  # only views and materialised views are dropped
    return Statement(Phase.DROP, draft.facts.dialect.drop_view(kind, name))


def _repairs(
    draft: Draft, definition: ViewDefinition, installed: InstalledView, difference: Differences
) -> Iterator[Step]:
    """Yield the steps that leave a view's SELECT as it is."""
    name, dialect = definition.name, draft.facts.dialect
    expected = draft.facts.dry_run.views.get(name)
    if expected is not None and difference.needs_dry_run:
        why = why_changed(difference)
        if options := option_changes(definition, installed, expected, dialect):
            yield _step(draft, Action.OPTIONS, name, in_phase(Phase.FINISH, options), _SWAP, why)
        if indexes := index_changes(definition, installed, expected, dialect):
            phases = {statement.phase for statement in indexes}
            swap = [_SWAP] if Phase.FINISH in phases else []
            refreshes = [says("its refreshes, until the sync commits")] if Phase.BUILD in phases else []
            yield _step(draft, Action.INDEX, name, indexes, listed(swap + refreshes, "; "), why)
    if difference.grant or difference.revoke or difference.record:
        action = Action.REVOKE if difference.revoke and not difference.grant else Action.GRANT
        grants = in_phase(Phase.BUILD, grant_changes(name, difference, dialect))
        yield _step(draft, action, name, grants, _NOBODY, grant_reason(difference))
    if difference.comment or difference.column_comments:
        texts = comments(definition, installed, difference, dialect)
        statements = in_phase(Phase.BUILD, texts, StatementKind.COMMENT)
        yield _step(draft, Action.COMMENT, name, statements, _NOBODY, COMMENTS_DIFFER)
    if difference == NO_DIFFERENCES and difference.old_form and not draft.facts.catalog.session.read_only:
        why = says("an earlier release has written its sync state")
        yield _step(draft, Action.ADOPT, name, (), _NOBODY, why)


def _step(
    draft: Draft,
    action: Action,
    name: ViewName,
    sent: Sequence[Statement],
    blocks: Sentence,
    reason: Sentence = NOTHING,
) -> Step:
    """Return a step for a view, with the reason of the decision about it or with another reason."""
    decision = draft.decisions.get(name, Decision(action, reason))
    return Step(
        action,
        name,
        reason or decision.reason,
        tuple(sent),
        definition=draft.facts.definitions.get(name),
        installed=draft.facts.catalog.relations.get(name),
        expected=draft.facts.dry_run.views.get(name),
        columns=draft.facts.dry_run.installed_columns.get(name, ()),
        indirect=decision.indirect,
        blocks=blocks,
        deferred=decision.deferred,
        no_rows=says("it reads %(view)s, which has no rows", view=draft.unfilled[name])
        if name in draft.unfilled
        else NOTHING,
    )


def lock_order(names: Collection[ViewName], catalog: Catalog) -> tuple[ViewName, ...]:
    """Order views for locking and dropping: those that read others first, also through other views.

    A query locks a view before the relations that the view reads; the opposite order would cause deadlocks.
    """
    reads = {name: view.reads for name, view in catalog.relations.items()}
    by_name = sorted(names, reverse=True)  # views that do not read one another are ordered by name
    order = creation_order({name: closure(reads, reads[name]) & set(names) for name in by_name})
    return tuple(reversed(order))
