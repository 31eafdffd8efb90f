"""The statements that make one aspect of a view as its class says it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from . import ddl
from .catalog import Grant, InstalledView
from .changes import Differences, is_reader
from .definition import ViewDefinition
from .names import ViewKind, ViewName
from .rehearsal import RehearsedView


def option_changes(
    definition: ViewDefinition, installed: InstalledView, rehearsed: RehearsedView
) -> list[str]:
    """Return the statements that set a plain view's options as its class has them.

    Compared with what was tried, because SQL that ends in WITH CHECK OPTION sets an option too.
    """
    if definition.kind is not ViewKind.VIEW or rehearsed.options == installed.options:
        return []
    wanted = dict(rehearsed.options)
    surplus = [option for option, _ in installed.options if option not in wanted]
    statements = [ddl.reset_options(definition.name, surplus)] if surplus else []
    changed = [pair for pair in rehearsed.options if pair not in installed.options]
    return statements + ([ddl.set_options(definition.name, changed)] if changed else [])


def index_changes(
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


def lost_by_rebuilding(installed: InstalledView) -> str:
    """Say what a view has that its class does not say and a rebuild does not bring back, or nothing."""
    ours = installed.tag.indexes if installed.tag else ()
    by_hand = [index.name for index in installed.indexes if index.name not in ours]
    return f"; its indexes made by hand go: {', '.join(by_hand)}" if by_hand and installed.tag else ""


def grant_reason(difference: Differences) -> str:
    reasons = []
    if difference.grant:
        reasons.append(f"{', '.join(difference.grant)} should be able to read it")
    if difference.revoke:
        reasons.append(f"{', '.join(difference.revoke)} should no longer read it")
    return "; ".join(reasons) or "the list of its readers has changed"


def grant_changes(name: ViewName, difference: Differences) -> list[str]:
    statements = [ddl.grant(name, ["SELECT"], difference.grant)] if difference.grant else []
    return statements + ([ddl.revoke_select(name, difference.revoke)] if difference.revoke else [])


def fresh_grants(
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


def comments(definition: ViewDefinition, difference: Differences, *, everything: bool = False) -> list[str]:
    name = definition.name
    columns = definition.column_comments if everything else difference.column_comments
    statements = (
        [ddl.comment_on_view(definition.kind, name, definition.comment)] if difference.comment else []
    )
    return statements + [ddl.comment_on_column(name, column, text) for column, text in columns.items()]
