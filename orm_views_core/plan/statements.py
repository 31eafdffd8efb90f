"""The SQL for one aspect of a view: its options, indexes, grants or comments. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from orm_views_core.database.dry_run import ExpectedView
from orm_views_core.database.engine import Dialect, StatementKind
from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewKind, ViewName

from .diff import Differences, kept_comment, options_by_hand, wanted_readers
from .steps import Phase, Statement, in_phase


def option_changes(
    definition: ViewDefinition, installed: InstalledView, expected: ExpectedView, dialect: Dialect
) -> list[str]:
    """Return the statements that set a plain view's options as its class declares them.

    The dry run says which these are, because SQL that ends in WITH CHECK OPTION sets an option too. Options
    that somebody set by hand stay, unless a class declares them.
    """
    if definition.kind is not ViewKind.VIEW:
        return []
    wanted = dict((*expected.options, *options_by_hand(definition, installed, expected)))
    surplus = [option for option, _ in installed.options if option not in wanted]
    changed = [pair for pair in expected.options if pair not in installed.options]
    statements = [dialect.reset_options(definition.name, surplus)] if surplus else []
    return statements + ([dialect.set_options(definition.name, changed)] if changed else [])


def index_changes(
    definition: ViewDefinition, installed: InstalledView, expected: ExpectedView, dialect: Dialect
) -> tuple[Statement, ...]:
    """Return the statements that give a materialised view the indexes that its class declares.

    Only indexes that a sync created are dropped. An equal index under another name (made by django-orm-views
    or by hand) is used as it is. A new index whose name another one still has gets the name in the end.
    """
    schema = definition.name.schema
    existing = {index.name: (index.unique, index.tail) for index in installed.indexes}
    wanted = {index.name: (index.unique, index.tail) for index in expected.indexes}
    recorded = installed.state.indexes if installed.state else ()
    drops = [
        dialect.drop_index(ViewName(schema, name))
        for name, index in existing.items()
        if (name in wanted and index != wanted[name]) or (name in recorded and name not in wanted)
    ]
    creates, renames = [], []
    for index in definition.indexes:
        interim = interim_name(index.name)
        if index.name in existing and existing[index.name] != wanted[index.name]:
            creates.append(index.create_sql(definition.name, interim))
            renames.append(dialect.rename_index(ViewName(schema, interim), index.name))
        elif wanted[index.name] not in existing.values():
            creates.append(index.create_sql(definition.name))
    build = in_phase(Phase.BUILD, creates, StatementKind.INDEX)
    return build + in_phase(Phase.FINISH, [*drops, *renames])


def interim_name(index: str) -> str:
    """Return the name of a new index for as long as another index still has its name."""
    return f"orm_views_{hashlib.sha256(index.encode()).hexdigest()[:16]}"


def grant_reason(difference: Differences) -> str:
    """Return why grants change, in words."""
    reasons = []
    if difference.grant:
        reasons.append(f"{', '.join(difference.grant)} should be able to read it")
    if difference.revoke:
        reasons.append(f"{', '.join(difference.revoke)} should no longer read it")
    return "; ".join(reasons) or "the list of its readers has changed"


def grant_changes(name: ViewName, difference: Differences, dialect: Dialect) -> list[str]:
    """Return the statements that grant and revoke SELECT where that differs."""
    statements = [dialect.grant_select(name, difference.grant)] if difference.grant else []
    return statements + ([dialect.revoke_select(name, difference.revoke)] if difference.revoke else [])


def fresh_grants(definition: ViewDefinition, command_roles: Sequence[str], dialect: Dialect) -> list[str]:
    """Return the grants of a view that is created."""
    wanted = wanted_readers(definition, command_roles)
    return [dialect.grant_select(definition.name, wanted)] if wanted else []


def column_comments(at: ViewName, texts: Mapping[str, str], dialect: Dialect) -> list[str]:
    """Return the statements that set the comments of some columns."""
    return [dialect.comment_on_column(at, column, text) for column, text in texts.items()]


def comments(
    definition: ViewDefinition, installed: InstalledView, difference: Differences, dialect: Dialect
) -> list[str]:
    """Return the statements that set the view's comment and its columns' comments where they differ."""
    name, text = definition.name, kept_comment(definition, installed)
    statements = [dialect.comment_on_view(definition.kind, name, text)] if difference.comment else []
    return statements + column_comments(name, difference.column_comments, dialect)
