"""make_plan: definitions, catalog and rehearsal in, steps out. Pure: the same plan is printed, confirmed and run."""

from __future__ import annotations

import enum
import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from . import ddl
from .catalog import Catalog, Grant, InstalledView
from .changes import Differences, Scope, is_reader
from .definition import ViewDefinition
from .graph import closure, creation_order, reverse
from .names import ViewKind, ViewName
from .rehearsal import RehearsedView, Rehearsal


class Action(enum.Enum):
    """What a step does; the value is the sign that it is listed under."""

    SCHEMA = "+ schema"
    CREATE = "+ create"
    REPLACE = "~ replace"
    REBUILD = "± rebuild"
    DROP = "- drop"
    ADOPT = "= adopt"
    OPTIONS = "~ options"
    INDEX = "~ index"
    GRANT = "~ grant"
    COMMENT = "~ comment"

    @property
    def sign(self) -> str:
        """The sign alone."""
        return self.value.partition(" ")[0]

    @property
    def verb(self) -> str:
        """The word alone."""
        return self.value.partition(" ")[2]


@dataclass(frozen=True)
class Step:
    """One thing that a sync does to one view (or, for SCHEMA, to one schema).

    Attributes:
        name: the view; for a schema its ``name`` is empty.
        reason: why, in words.
        statements: the SQL, in order.
        drop_statement: for what is dropped before anything is created: the DROP.
        definition: the view as its class says it; None when it is dropped.
        installed: the view as it is; None when it is created.
        rehearsed: what PostgreSQL would make of it, when it was tried.
        indirect: True when nobody changed the view itself, only what it reads.
        blocks: whom the step keeps waiting, in words.
    """

    action: Action
    name: ViewName
    reason: str
    statements: tuple[str, ...] = ()
    drop_statement: str = ""
    definition: ViewDefinition | None = None
    installed: InstalledView | None = None
    rehearsed: RehearsedView | None = None
    indirect: bool = False
    blocks: str = ""

    @property
    def target(self) -> str:
        """The view's or the schema's name, for people."""
        return str(self.name) if self.name.name else self.name.schema

    @property
    def sql(self) -> str:
        """All statements of the step, as they are sent."""
        statements = [self.drop_statement, *self.statements] if self.drop_statement else self.statements
        return "\n".join(f"{statement};" for statement in statements)

    @property
    def usual_seconds(self) -> float | None:
        """How long the last build of a materialised view took."""
        return self.installed.tag.seconds if self.installed and self.installed.tag else None


@dataclass(frozen=True)
class Plan:
    """What a sync of one database would do.

    Attributes:
        steps: in the order in which they are carried out, but for ``drops_first``.
        drops_first: views to drop before anything is created, those that read others first.
        problems: why it cannot be carried out, in words; empty when it can.
        unchanged: how many registered views it leaves alone.
    """

    database: str
    steps: tuple[Step, ...] = ()
    drops_first: tuple[ViewName, ...] = ()
    problems: tuple[str, ...] = ()
    unchanged: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do and nothing in the way."""
        return not self.steps and not self.problems

    @property
    def fingerprint(self) -> str:
        """A hash of everything that would be done, for confirming exactly this plan."""
        said = [[s.action.value, s.name, s.drop_statement, s.statements] for s in self.steps]
        text = json.dumps([self.database, said, self.problems])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def counts(self) -> Mapping[Action, int]:
        """How many steps of each kind there are, in the order of :class:`Action`."""
        found = Counter(step.action for step in self.steps)
        return {action: found[action] for action in Action if found[action]}


@dataclass
class _Decisions:
    """What has been decided so far, by view."""

    action: dict[ViewName, Action] = field(default_factory=dict)
    reason: dict[ViewName, str] = field(default_factory=dict)
    indirect: set[ViewName] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def decide(self, name: ViewName, action: Action, reason: str, *, indirect: bool = False) -> None:
        self.action[name], self.reason[name] = action, reason
        if indirect:
            self.indirect.add(name)

    def having(self, *actions: Action) -> set[ViewName]:
        return {name for name, action in self.action.items() if action in actions}


def make_plan(
    database: str,
    definitions: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    scope: Scope,
    rehearsal: Rehearsal,
    *,
    command_roles: Sequence[str] = (),
    orphans: Collection[ViewName] = (),
    dropped: Collection[ViewName] = (),
    force: bool = False,
) -> Plan:
    """Turn what is wanted, what there is and what was tried into steps.

    Args:
        database: the alias.
        definitions: the registered views.
        catalog: the database.
        scope: which of them are looked at, and in which order they are created.
        rehearsal: what PostgreSQL made of those that were tried.
        command_roles: further roles to grant SELECT to.
        orphans: views that a sync made and nobody registers any more.
        dropped: those of them that are to go; the others go only if they are in the way.
        force: replace or rebuild what is looked at although nothing differs.
    """
    decisions = _Decisions()
    for name in scope.order:
        _decide_alone(decisions, definitions[name], catalog, scope, rehearsal, force and name in scope.differences)
    _rebuild_stale(decisions, definitions, catalog, scope)
    _drop_readers_first(decisions, definitions, catalog, orphans)
    _drop_orphans(decisions, definitions, catalog, rehearsal, {*dropped, *decisions.having(Action.DROP)})

    steps = [
        *_schema_steps(definitions, catalog, decisions, command_roles),
        *_drop_steps(decisions, catalog),
    ]
    # Orphans that nothing rebuilt depends on go last: what read them has been replaced by then.
    last = [step for step in steps if step.action is Action.DROP and not step.drop_statement]
    steps = [step for step in steps if step not in last]
    for name in scope.order:
        steps += _view_steps(name, decisions, definitions, catalog, scope, rehearsal, command_roles)
    steps += last
    touched = {step.name for step in steps} & set(definitions)
    return Plan(
        database=database,
        steps=tuple(steps),
        drops_first=_drop_order(decisions, catalog),
        problems=tuple(decisions.problems),
        unchanged=len(definitions) - len(touched),
    )


def _decide_alone(
    decisions: _Decisions,
    definition: ViewDefinition,
    catalog: Catalog,
    scope: Scope,
    rehearsal: Rehearsal,
    force: bool,
) -> None:
    """Decide about a view as if it were the only one."""
    name = definition.name
    difference = scope.differences.get(name, Differences())
    if difference.missing:
        decisions.decide(name, Action.CREATE, "it is not in the database")
    elif difference.obstructed_by:
        decisions.problems.append(
            f"{definition.where}: {name} is a {difference.obstructed_by}, which is not ours to replace. "
            "Rename that, or give the view another name."
        )
    elif difference.other_kind:
        decisions.decide(name, Action.REBUILD, f"it becomes a {definition.kind.label}")
    elif name in rehearsal.views:
        _decide_from_rehearsal(decisions, definition, catalog.relations[name], difference, rehearsal, force)


def _decide_from_rehearsal(
    decisions: _Decisions,
    definition: ViewDefinition,
    installed: InstalledView,
    difference: Differences,
    rehearsal: Rehearsal,
    force: bool,
) -> None:
    name, rehearsed = definition.name, rehearsal.views[definition.name]
    same = rehearsed.definition == installed.definition
    why = _why(difference)
    if same and not force:
        if difference.needs_rehearsal and not _needs_repair(definition, installed, rehearsed):
            decisions.decide(name, Action.ADOPT, f"{why}; PostgreSQL's definition is the same")
        return
    indirect = same is False and not difference.needs_rehearsal
    if same:
        why = "forced"
    elif indirect:
        why = "what it reads has changed"
    if definition.kind is ViewKind.MATERIALISED_VIEW:
        decisions.decide(name, Action.REBUILD, why, indirect=indirect)
        return
    obstacle = _why_not_replace(rehearsal.installed_columns.get(name, ()), rehearsed)
    if obstacle:
        decisions.decide(name, Action.REBUILD, f"{why}: {obstacle}", indirect=indirect)
    else:
        decisions.decide(name, Action.REPLACE, why, indirect=indirect)


def _why(difference: Differences) -> str:
    if difference.untagged:
        return "it is in the database, but no sync has recorded it"
    if difference.code and difference.drifted:
        return "its class has changed, and so has the database"
    return "its class has changed" if difference.code else "it was changed in the database"


def _needs_repair(definition: ViewDefinition, installed: InstalledView, rehearsed: RehearsedView) -> bool:
    return bool(_option_changes(definition, installed) or any(_index_changes(definition, installed, rehearsed)))


def _why_not_replace(old: Sequence[object], rehearsed: RehearsedView) -> str:
    """Say why CREATE OR REPLACE VIEW would be refused: it can only add columns at the end."""
    new = rehearsed.columns
    for before, after in zip(old, new, strict=False):
        if before != after:
            return f"column {_column(before)} becomes {_column(after)}"
    if len(new) < len(old):
        return f"column {_column(old[len(new)])} goes"
    return ""


def _column(column: object) -> str:
    collation = f" COLLATE {column.collation}" if column.collation else ""  # type: ignore[attr-defined]
    return f"{column.name} {column.type}{collation}"  # type: ignore[attr-defined]


def _rebuild_stale(
    decisions: _Decisions,
    definitions: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    scope: Scope,
) -> None:
    """Rebuild every materialised view downstream of a change: its rows were computed from the old definition."""
    changed = decisions.having(Action.REPLACE, Action.REBUILD)
    affected = closure(reverse(scope.dependencies), changed)
    for name in scope.order:
        definition, installed = definitions[name], catalog.relations.get(name)
        if name not in affected or installed is None or installed.kind is not definition.kind:
            continue
        if definition.kind is ViewKind.MATERIALISED_VIEW and decisions.action.get(name) is not Action.REBUILD:
            source = _first(scope.order, closure(scope.dependencies, {name}) & changed - {name})
            decisions.decide(
                name, Action.REBUILD, f"its rows come from {source}, which changes", indirect=True
            )


def _first(order: Sequence[ViewName], names: Collection[ViewName]) -> ViewName:
    return next(name for name in reversed(order) if name in names)


def _drop_readers_first(
    decisions: _Decisions,
    definitions: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    orphans: Collection[ViewName],
) -> None:
    """Whatever reads a view that is dropped has to be dropped before it; ours come back, others' stop us."""
    pending = sorted(decisions.having(Action.REBUILD))
    seen = set(pending)
    while pending:
        name = pending.pop()
        for reader in sorted(catalog.relations[name].read_by - seen):
            if reader in definitions:
                decisions.decide(reader, Action.REBUILD, f"it reads {name}, which is rebuilt", indirect=True)
            elif reader in orphans:
                decisions.decide(reader, Action.DROP, _ORPHANED)
            else:
                decisions.problems.append(
                    f"{name} has to be dropped and created again ({decisions.reason[name]}), and {reader}, "
                    f"which is not ours, reads it. Change or drop {reader} first, or keep the columns of {name}."
                )
                continue
            seen.add(reader)
            pending.append(reader)


_ORPHANED = "no class declares it any more"


def _drop_orphans(
    decisions: _Decisions,
    definitions: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    rehearsal: Rehearsal,
    orphans: Collection[ViewName],
) -> None:
    for name in sorted(orphans):
        for reader in sorted(catalog.relations[name].read_by - set(orphans)):
            tried = rehearsal.views.get(reader)
            if reader in definitions and tried is not None and name not in tried.reads:
                continue
            whose = definitions[reader].where if reader in definitions else f"{reader}, which is not ours,"
            decisions.problems.append(
                f"{name} has to go, because {_ORPHANED}, and {whose} still reads it. "
                f"Declare {name} again, or change what reads it."
            )
        if name not in decisions.action:
            decisions.action[name] = Action.DROP
            decisions.reason[name] = _ORPHANED


def _drop_order(decisions: _Decisions, catalog: Catalog) -> tuple[ViewName, ...]:
    """Order what is dropped first, readers before what they read.

    Readers lock a view before what it reads; dropping in the other order would deadlock with them.
    """
    rebuilt = decisions.having(Action.REBUILD)
    read_by = {name: catalog.relations[name].read_by for name in rebuilt | decisions.having(Action.DROP)}
    first = {name for name in closure(read_by, rebuilt) if name in read_by}
    return tuple(creation_order({name: read_by[name] & first for name in sorted(first)}))


def _drop_steps(decisions: _Decisions, catalog: Catalog) -> list[Step]:
    dropped = decisions.having(Action.DROP)
    first = set(_drop_order(decisions, catalog)) & dropped
    order = creation_order({name: catalog.relations[name].read_by & dropped for name in sorted(dropped)})
    steps = []
    for name in order:
        installed = catalog.relations[name]
        assert installed.kind is not None  # only views and materialised views carry a tag
        drop = ddl.drop_view(installed.kind, name)
        steps.append(
            Step(
                action=Action.DROP,
                name=name,
                reason=decisions.reason[name],
                statements=() if name in first else (drop,),
                drop_statement=drop if name in first else "",
                installed=installed,
                blocks="whoever reads it, from then on",
            )
        )
    return steps


def _schema_steps(
    definitions: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    decisions: _Decisions,
    command_roles: Sequence[str],
) -> list[Step]:
    """Create the schemas that are missing, and let whoever may read a view look it up there."""
    readers: dict[str, dict[str, None]] = {}
    for definition in definitions.values():
        roles = readers.setdefault(definition.name.schema, {})
        if not definition.hidden:
            roles.update(dict.fromkeys([*definition.grant_select_to, *command_roles]))
    steps = []
    for schema, roles in readers.items():
        statements, reasons = [], []
        if schema not in catalog.schemas:
            statements.append(ddl.create_schema(schema))
            reasons.append("it does not exist")
        usage = catalog.schema_usage.get(schema, frozenset())
        missing = [role for role in roles if ("" if role.lower() == "public" else role) not in usage]
        if missing:
            statements.append(ddl.grant_usage(schema, missing))
            reasons.append(f"{', '.join(missing)} may not look up names in it")
        if statements:
            steps.append(
                Step(Action.SCHEMA, ViewName(schema, ""), "; ".join(reasons), tuple(statements), blocks="nobody")
            )
    return steps


def _view_steps(
    name: ViewName,
    decisions: _Decisions,
    definitions: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    scope: Scope,
    rehearsal: Rehearsal,
    command_roles: Sequence[str],
) -> list[Step]:
    """Return the steps for one registered view: one for its SELECT, or one for each lesser difference."""
    definition, installed = definitions[name], catalog.relations.get(name)
    difference = scope.differences.get(name, Differences())
    rehearsed, action = rehearsal.views.get(name), decisions.action.get(name)
    if action in {Action.CREATE, Action.REBUILD, Action.REPLACE}:
        return [_build_step(decisions, definition, installed, rehearsed, action, difference, command_roles)]
    if installed is None or difference.obstructed_by:
        return []

    def step(action: Action, reason: str, statements: Sequence[str], blocks: str = "nobody") -> Step:
        return Step(
            action,
            name,
            reason,
            tuple(statements),
            definition=definition,
            installed=installed,
            rehearsed=rehearsed,
            blocks=blocks,
        )

    steps = []
    if action is Action.ADOPT:
        steps.append(step(Action.ADOPT, decisions.reason[name], ()))
    if rehearsed is not None and difference.needs_rehearsal:
        if statements := _option_changes(definition, installed):
            steps.append(step(Action.OPTIONS, _why(difference), statements, "readers, for an instant"))
        drops, creates = _index_changes(definition, installed, rehearsed)
        if drops or creates:
            blocks = "refreshes while an index is built; readers for an instant"
            steps.append(step(Action.INDEX, _why(difference), [*drops, *creates], blocks))
    if difference.grant or difference.revoke or difference.record:
        steps.append(step(Action.GRANT, _grant_reason(difference), _grant_changes(name, difference)))
    if difference.comment or difference.column_comments:
        reason = "its docstring or a help_text has changed"
        steps.append(step(Action.COMMENT, reason, _comments(definition, difference)))
    return steps


def _build_step(
    decisions: _Decisions,
    definition: ViewDefinition,
    installed: InstalledView | None,
    rehearsed: RehearsedView | None,
    action: Action,
    difference: Differences,
    command_roles: Sequence[str],
) -> Step:
    name = definition.name
    drop = ""
    if action is Action.REPLACE:
        assert installed is not None
        statements = [ddl.create_view(definition, replace=True), *_grant_changes(name, difference)]
        statements += _comments(definition, difference)
        blocks = "its readers, for an instant"
    else:
        # A view that has been filled since it was created stays filled: somebody reads it.
        filled = definition.with_data or (installed is not None and installed.populated)
        statements = [ddl.create_view(definition, with_data=filled)]
        statements += [index.create_sql(name) for index in definition.indexes]
        statements += _fresh_grants(definition, installed, difference, command_roles)
        statements += _comments(definition, Differences(comment=bool(definition.comment)), everything=True)
        blocks = "nobody"
        if installed is not None and installed.kind is not None:
            drop = ddl.drop_view(installed.kind, name)
            blocks = "its readers, until the sync commits"
    return Step(
        action=action,
        name=name,
        reason=decisions.reason[name],
        statements=tuple(statements),
        drop_statement=drop,
        definition=definition,
        installed=installed,
        rehearsed=rehearsed,
        indirect=name in decisions.indirect,
        blocks=blocks,
    )


def _option_changes(definition: ViewDefinition, installed: InstalledView) -> list[str]:
    """Return the statements that set a plain view's options as its class has them."""
    if definition.kind is not ViewKind.VIEW or definition.options == installed.options:
        return []
    wanted = dict(definition.options)
    surplus = [option for option, _ in installed.options if option not in wanted]
    statements = [ddl.reset_options(definition.name, surplus)] if surplus else []
    changed = [pair for pair in definition.options if pair not in installed.options]
    return statements + ([ddl.set_options(definition.name, changed)] if changed else [])


def _index_changes(
    definition: ViewDefinition, installed: InstalledView, rehearsed: RehearsedView
) -> tuple[list[str], list[str]]:
    """Return the statements that drop and create indexes.

    Dropped is only what is ours; an index that is there under another name (the predecessor's, or one
    made by hand) serves as well.
    """
    there = {(index.unique, index.tail) for index in installed.indexes}
    by_name = {index.name: (index.unique, index.tail) for index in installed.indexes}
    wanted = {index.name: (index.unique, index.tail) for index in rehearsed.indexes}
    ours = installed.tag.indexes if installed.tag else ()
    drops = [
        ddl.drop_index(ViewName(definition.name.schema, name))
        for name, what in by_name.items()
        if (name in wanted and what != wanted[name]) or (name in ours and name not in wanted)
    ]
    creates = [
        index.create_sql(definition.name)
        for index in definition.indexes
        if by_name.get(index.name) != wanted[index.name]
        and (index.name in by_name or wanted[index.name] not in there)
    ]
    return drops, creates


def _grant_reason(difference: Differences) -> str:
    reasons = []
    if difference.grant:
        reasons.append(f"{', '.join(difference.grant)} should be able to read it")
    if difference.revoke:
        reasons.append(f"{', '.join(difference.revoke)} should no longer read it")
    return "; ".join(reasons) or "the list of its readers has changed"


def _grant_changes(name: ViewName, difference: Differences) -> list[str]:
    statements = [ddl.grant(name, ["SELECT"], difference.grant)] if difference.grant else []
    return statements + ([ddl.revoke_select(name, difference.revoke)] if difference.revoke else [])


def _fresh_grants(
    definition: ViewDefinition,
    installed: InstalledView | None,
    difference: Differences,
    command_roles: Sequence[str],
) -> list[str]:
    """Return the grants of a view that is created: what its class says, and what its forerunner had."""
    wanted = () if definition.hidden else dict.fromkeys([*definition.grant_select_to, *command_roles])
    kept: set[Grant] = set(installed.grants) if installed else set()
    kept = {g for g in kept if not (g.privilege == "SELECT" and (g.role or "public") in difference.revoke)}
    fresh = [role for role in wanted if installed is None or not is_reader(role, installed)]
    statements = [ddl.grant(definition.name, ["SELECT"], fresh)] if fresh else []
    by_privileges: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for role, grantable in sorted({(g.role, g.grantable) for g in kept}):
        privileges = tuple(sorted(g.privilege for g in kept if (g.role, g.grantable) == (role, grantable)))
        by_privileges.setdefault((privileges, grantable), []).append(role)
    return statements + [
        ddl.grant(definition.name, privileges, roles, grantable=grantable)
        for (privileges, grantable), roles in by_privileges.items()
    ]


def _comments(
    definition: ViewDefinition, difference: Differences, *, everything: bool = False
) -> list[str]:
    name = definition.name
    columns = definition.column_comments if everything else difference.column_comments
    statements = (
        [ddl.comment_on_view(definition.kind, name, definition.comment)] if difference.comment else []
    )
    return statements + [ddl.comment_on_column(name, column, text) for column, text in columns.items()]


