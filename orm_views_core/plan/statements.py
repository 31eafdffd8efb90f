"""The SQL for one aspect of a view: its options, indexes, grants or comments. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

from orm_views_core.database.dry_run import ExpectedView
from orm_views_core.database.engine import Dialect, StatementKind
from orm_views_core.database.relations import InstalledIndex, InstalledView, tablespace_of
from orm_views_core.definitions.definition import TABLESPACE, ViewDefinition
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, listed, says

from .diff import Differences, kept_comment, options_by_hand, wanted_readers
from .steps import Phase, Statement, in_phase

#: Why comments change.
COMMENTS_DIFFER = says("its comment is not its docstring or its label, or a column's is not its help_text")


def option_changes(
    definition: ViewDefinition, installed: InstalledView, expected: ExpectedView, dialect: Dialect
) -> list[str]:
    """Return the statements that set a view's options as its class declares them.

    The dry run says which these are, because SQL that ends in WITH CHECK OPTION sets an option too. Options
    that somebody set by hand stay, unless a class declares them. A tablespace takes a rebuild.
    """
    kind, name = definition.kind, definition.name
    wanted = dict((*expected.options, *options_by_hand(definition, installed, expected)))
    surplus = [option for option, _ in installed.options if option not in wanted]
    surplus = [option for option in surplus if option != TABLESPACE]
    changed = [pair for pair in expected.options if pair not in installed.options and pair[0] != TABLESPACE]
    statements = [dialect.reset_options(name, surplus, kind=kind)] if surplus else []
    return statements + ([dialect.set_options(name, changed, kind=kind)] if changed else [])


def moved_to(definition: ViewDefinition, installed: InstalledView, expected: ExpectedView) -> str:
    """Return the tablespace that a materialised view has to move to, in words; "" when it need not move."""
    wanted = dict((*options_by_hand(definition, installed, expected), *expected.options)).get(TABLESPACE)
    if wanted == dict(installed.options).get(TABLESPACE):
        return ""
    return says("tablespace %(name)s", name=wanted) if wanted else says("the tablespace of the database")


def index_changes(
    definition: ViewDefinition, installed: InstalledView, expected: ExpectedView, dialect: Dialect
) -> tuple[Statement, ...]:
    """Return the statements that give a materialised view the indexes that its class declares.

    Only indexes that a sync created are dropped. An equal index under another name (made by django-orm-views
    or by hand) is used as it is. A new index whose name another one still has gets the name in the end.
    """
    schema = definition.name.schema
    recorded, options = (installed.state.indexes, installed.state.options) if installed.state else ((), ())
    # Somebody may have moved an index by hand. It stays where it is.
    chosen = {*options, *(tablespace_of(index.name) for index in definition.indexes if index.tablespace)}
    existing = {index.name: _compared(index, chosen) for index in installed.indexes}
    wanted = {index.name: _compared(index, chosen) for index in expected.indexes}
    drops = {
        name: dialect.drop_index(ViewName(schema, name))
        for name, index in existing.items()
        if (name in wanted and index != wanted[name]) or (name in recorded and name not in wanted)
    }
    staying = [index for name, index in existing.items() if name not in drops]
    creates, renames = [], []
    for index in definition.indexes:
        interim = interim_name(index.name)
        equal = (name for name in drops if name not in wanted and existing[name] == wanted[index.name])
        if index.name in existing and existing[index.name] != wanted[index.name]:
            creates.append(index.create_sql(definition.name, interim))
            renames.append(dialect.rename_index(ViewName(schema, interim), index.name))
        elif wanted[index.name] in staying:
            continue
        elif old := next(equal, None):  # the class gives it another name
            del drops[old]
            renames.append(dialect.rename_index(ViewName(schema, old), index.name))
        else:
            creates.append(index.create_sql(definition.name))
    build = in_phase(Phase.BUILD, creates, StatementKind.INDEX)
    return build + in_phase(Phase.FINISH, [*drops.values(), *renames])


def _compared(index: InstalledIndex, options: Collection[str]) -> tuple[bool, str, str]:
    index = index.without_unrecorded(options)
    return index.unique, index.tail, index.tablespace


def interim_name(index: str) -> str:
    """Return the name of a new index for as long as another index still has its name."""
    return f"orm_views_{hashlib.sha256(index.encode()).hexdigest()[:16]}"


def grant_reason(difference: Differences) -> Sentence:
    """Return why grants change, in words."""
    reasons = []
    if difference.grant:
        reasons.append(says("%(roles)s should be able to read it", roles=listed(difference.grant)))
    if difference.revoke:
        reasons.append(says("%(roles)s should no longer read it", roles=listed(difference.revoke)))
    return listed(reasons, "; ") or says("the list of its readers has changed")


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
