"""The statements that make one aspect of a view as its class says it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from orm_views_core.database.dry_run import ExpectedView
from orm_views_core.database.extras import options_by_hand
from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql import ddl
from orm_views_core.names import ViewKind, ViewName

from .diff import Differences, kept_comment


def option_changes(definition: ViewDefinition, installed: InstalledView, expected: ExpectedView) -> list[str]:
    """Return the statements that set a plain view's options as its class has them.

    Compared with what was tried, because SQL that ends in WITH CHECK OPTION sets an option too. What
    somebody set by hand, and no class speaks of, stays.
    """
    if definition.kind is not ViewKind.VIEW:
        return []
    by_hand = options_by_hand(installed, definition, expected.options)
    wanted = dict((*expected.options, *by_hand))
    surplus = [option for option, _ in installed.options if option not in wanted]
    statements = [ddl.reset_options(definition.name, surplus)] if surplus else []
    changed = [pair for pair in expected.options if pair not in installed.options]
    return statements + ([ddl.set_options(definition.name, changed)] if changed else [])


class IndexChanges(NamedTuple):
    """What has to happen to the indexes of a materialised view that keeps its rows.

    Attributes:
        drops: the statements that drop indexes.
        creates: those that create indexes.
        renames: those that give an index its name once the one that had it is gone.
        ours: the names of the class's indexes that are there afterwards.
    """

    drops: tuple[str, ...] = ()
    creates: tuple[str, ...] = ()
    renames: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.drops or self.creates)


def index_changes(
    definition: ViewDefinition, installed: InstalledView, expected: ExpectedView
) -> IndexChanges:
    """Compare a materialised view's indexes with those that its class wants.

    Dropped is only what is ours; an index that is there under another name (the predecessor's, or one
    made by hand) serves as well.
    """
    schema = definition.name.schema
    there = {(index.unique, index.tail) for index in installed.indexes}
    by_name = {index.name: (index.unique, index.tail) for index in installed.indexes}
    wanted = {index.name: (index.unique, index.tail) for index in expected.indexes}
    ours = installed.state.indexes if installed.state else ()
    dropped = [
        name
        for name, what in by_name.items()
        if (name in wanted and what != wanted[name]) or (name in ours and name not in wanted)
    ]
    creates, renames, names = [], [], []
    for index in definition.indexes:
        if by_name.get(index.name) == wanted[index.name]:
            names.append(index.name)
        elif index.name in by_name:
            creates.append(index.create_sql(definition.name, interim_name(index.name)))
            renames.append(ddl.rename_index(ViewName(schema, interim_name(index.name)), index.name))
            names.append(index.name)
        elif wanted[index.name] not in there:
            creates.append(index.create_sql(definition.name))
            names.append(index.name)
    drops = [ddl.drop_index(ViewName(schema, name)) for name in dropped]
    return IndexChanges(tuple(drops), tuple(creates), tuple(renames), tuple(names))


def interim_name(index: str) -> str:
    """Return what to call an index for as long as another one still has its name."""
    return f"orm_views_{hashlib.sha256(index.encode()).hexdigest()[:16]}"


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


def fresh_grants(definition: ViewDefinition, at: ViewName, command_roles: Sequence[str]) -> list[str]:
    """Return the grants of a view that is created."""
    wanted = () if definition.hidden else dict.fromkeys([*definition.grant_select_to, *command_roles])
    return [ddl.grant(at, ["SELECT"], wanted)] if wanted else []


def column_comments(definition: ViewDefinition, at: ViewName) -> list[str]:
    return [ddl.comment_on_column(at, column, text) for column, text in definition.column_comments.items()]


def comments(
    definition: ViewDefinition, installed: InstalledView | None, difference: Differences
) -> list[str]:
    """Return the statements that make a view's comments its docstring and its fields' help_texts."""
    name = definition.name
    text = kept_comment(definition, installed)
    statements = [ddl.comment_on_view(definition.kind, name, text)] if difference.comment else []
    return statements + [
        ddl.comment_on_column(name, column, text) for column, text in difference.column_comments.items()
    ]
