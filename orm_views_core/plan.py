"""make_plan: definitions, catalog and rehearsal in, steps out. Pure.

The same plan is printed, confirmed and run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from . import ddl
from .catalog import Catalog, InstalledView
from .changes import Differences, Scope
from .decisions import (
    Decisions,
    decide_alone,
    drop_order,
    drop_orphans,
    drop_readers_first,
    rebuild_stale,
    why_changed,
)
from .definition import ViewDefinition
from .graph import creation_order
from .names import ViewName
from .rehearsal import Rehearsal, RehearsedView
from .statements import (
    comments,
    fresh_grants,
    grant_changes,
    grant_reason,
    index_changes,
    lost_by_rebuilding,
    option_changes,
)
from .steps import Action, Plan, Step


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
    decisions = Decisions()
    for name in scope.order:
        decide_alone(
            decisions, definitions[name], catalog, scope, rehearsal, force and name in scope.differences
        )
    rebuild_stale(decisions, definitions, catalog, scope)
    drop_readers_first(decisions, definitions, catalog, orphans)
    drop_orphans(decisions, definitions, catalog, rehearsal, {*dropped, *decisions.having(Action.DROP)})

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
        drops_first=drop_order(decisions, catalog),
        problems=tuple(decisions.problems),
        unchanged=len(definitions) - len(touched),
    )


def _drop_steps(decisions: Decisions, catalog: Catalog) -> list[Step]:
    dropped = decisions.having(Action.DROP)
    first = set(drop_order(decisions, catalog)) & dropped
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
    decisions: Decisions,
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
                Step(
                    Action.SCHEMA,
                    ViewName(schema, ""),
                    "; ".join(reasons),
                    tuple(statements),
                    blocks="nobody",
                )
            )
    return steps


def _view_steps(
    name: ViewName,
    decisions: Decisions,
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
        if statements := option_changes(definition, installed, rehearsed):
            blocks = "its readers, until the sync commits"
            steps.append(step(Action.OPTIONS, why_changed(difference), statements, blocks))
        drops, creates = index_changes(definition, installed, rehearsed)
        if drops or creates:
            blocks = "its refreshes" + (" and its readers" if drops else "") + ", until the sync commits"
            steps.append(step(Action.INDEX, why_changed(difference), [*drops, *creates], blocks))
    if difference.grant or difference.revoke or difference.record:
        revokes = difference.revoke and not difference.grant
        action = Action.REVOKE if revokes else Action.GRANT
        steps.append(step(action, grant_reason(difference), grant_changes(name, difference)))
    if difference.comment or difference.column_comments:
        reason = "its comment is not its docstring, or a column's is not its help_text"
        steps.append(step(Action.COMMENT, reason, comments(definition, difference)))
    return steps


def _build_step(
    decisions: Decisions,
    definition: ViewDefinition,
    installed: InstalledView | None,
    rehearsed: RehearsedView | None,
    action: Action,
    difference: Differences,
    command_roles: Sequence[str],
) -> Step:
    name, reason = definition.name, decisions.reason[definition.name]
    drop = ""
    if action is Action.REPLACE:
        assert installed is not None
        statements = [ddl.create_view(definition, replace=True), *grant_changes(name, difference)]
        statements += comments(definition, difference)
        blocks = "its readers, until the sync commits"
    else:
        # A view that has been filled since it was created stays filled: somebody reads it.
        was_filled = installed is not None and installed.kind is definition.kind and installed.populated
        filled = definition.with_data or was_filled
        statements = [ddl.create_view(definition, with_data=filled)]
        statements += [index.create_sql(name) for index in definition.indexes]
        statements += fresh_grants(definition, installed, difference, command_roles)
        statements += comments(definition, Differences(comment=bool(definition.comment)), everything=True)
        blocks = "nobody"
        if installed is not None and installed.kind is not None:
            drop = ddl.drop_view(installed.kind, name)
            reason += lost_by_rebuilding(installed)
            blocks = "its readers, until the sync commits"
    return Step(
        action=action,
        name=name,
        reason=reason,
        statements=tuple(statements),
        drop_statement=drop,
        definition=definition,
        installed=installed,
        rehearsed=rehearsed,
        indirect=name in decisions.indirect,
        blocks=blocks,
    )


__all__ = ["Action", "Plan", "Step", "make_plan"]
