"""Views step aside for a statement that SQLite refuses because of them, and come back with their exact texts.

Before an ALTER TABLE is done, SQLite compiles all views. One that cannot be read makes it refuse, as when its
table is remade. So views are out of the way for one statement only, in its transaction. Whatever happens to
the process or to the migration, they are in the file. What SQLite can rename in views by itself, it renames.
https://www.sqlite.org/lang_altertable.html
"""

from __future__ import annotations

import enum
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.names import quote_identifier
from orm_views_core.sql.lexer import tokenize
from orm_views_core.sql.rules import SQLITE_RULES

from .looks import MAIN, TEMP, look_at, names_in_double_quotes
from .texts import folded

_STORED = (
    "SELECT type, name, tbl_name, sql FROM {schema}.sqlite_master WHERE type IN ('view', 'trigger') "
    "ORDER BY rowid"
)

_OTHER = re.compile(r"(?!alter|--|/\*)\S", re.IGNORECASE)


class _Stored(NamedTuple):
    """A view or a trigger."""

    schema: str
    kind: str
    name: str
    table: str
    text: str

    @property
    def create(self) -> str:
        """The statement that creates it. What is temporary is stored without that word."""
        if self.schema != TEMP:
            return self.text
        kind = self.kind.upper()
        return self.text.replace(f"CREATE {kind}", f"CREATE TEMP {kind}", 1)

    @property
    def drop(self) -> str:
        """The statement that drops it, if that has not happened with its view."""
        return f"DROP {self.kind.upper()} IF EXISTS {self.schema}.{quote_identifier(self.name)}"

    def mentions(self, names: Collection[str]) -> bool:
        """Return whether its text has one of some names."""
        tokens = tokenize(self.text, SQLITE_RULES)
        return any(t.kind == "identifier" and folded(t.identifier) in names for t in tokens)


class StepAside:
    """Wraps the statements of connections to SQLite."""

    def __call__(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Mapping[str, Any]
    ) -> Any:
        """Send a statement: beside all views, without those that cannot be read, or without any."""
        connection: BaseDatabaseWrapper = context["connection"]
        is_usable = not connection.needs_rollback and connections[connection.alias] is connection
        tiers = _TIERS[_action(str(sql))] if is_usable and not many else ()
        for choose in tiers:
            try:
                with (
                    names_in_double_quotes(connection),
                    transaction.atomic(using=connection.alias),
                    _aside(connection, choose) as views,
                ):
                    if views or choose is _is_none:
                        return execute(sql, params, many, context)
            except DatabaseError:  # then it is not because of these views
                continue
        return execute(sql, params, many, context)


class _Action(enum.Enum):
    """What a statement does to a table."""

    NOTHING = enum.auto()
    DROP_COLUMN = enum.auto()
    OTHER = enum.auto()


def _action(sql: str) -> _Action:
    if _OTHER.match(sql):  # most statements; the lexer would take longer than some of them
        return _Action.NOTHING
    tokens = (token for token in tokenize(sql, SQLITE_RULES) if not token.is_blank)
    words = [token.text.lower() for token in islice(tokens, 6)]
    if words[:2] != ["alter", "table"]:
        return _Action.NOTHING
    behind = words[5:] if "." in words else words[3:]
    return _Action.DROP_COLUMN if behind[:1] == ["drop"] else _Action.OTHER


def _is_none(connection: BaseDatabaseWrapper, cursor: CursorWrapper, views: Sequence[_Stored]) -> set[str]:
    """Return no names."""
    return set()


def _is_broken(connection: BaseDatabaseWrapper, cursor: CursorWrapper, views: Sequence[_Stored]) -> set[str]:
    """Return the names of the views that cannot be read."""
    broken: set[str] = set()
    for schema in (MAIN, TEMP):
        texts = {view.name: view.text for view in views if view.schema == schema}
        looks = look_at(connection, cursor, schema, texts)
        broken |= {folded(name) for name, look in looks.items() if look.error}
    return broken


def _is_any(connection: BaseDatabaseWrapper, cursor: CursorWrapper, views: Sequence[_Stored]) -> set[str]:
    """Return the names of all views."""
    return {folded(view.name) for view in views}


#: Which views step aside, one try after the other. A column is never dropped beside views: SQLite makes a
#: string of a name in double quotes that no column has, in the texts of views too.
_TIERS: Mapping[_Action, Sequence[Callable[..., set[str]]]] = {
    _Action.NOTHING: (),
    _Action.DROP_COLUMN: (_is_any,),
    _Action.OTHER: (_is_none, _is_broken, _is_any),
}


@contextmanager
def _aside(connection: BaseDatabaseWrapper, choose: Callable[..., set[str]]) -> Iterator[Collection[_Stored]]:
    """Do without some views in a block, without their triggers and those that read them, in a transaction.

    Args:
        connection: the database.
        choose: returns the names of those among all views that have to go.

    Yields:
        the views that are out of the way.
    """
    with connection.cursor() as cursor:
        stored = _read_stored(cursor)
        by_kind: defaultdict[str, list[_Stored]] = defaultdict(list)
        for each in stored:
            by_kind[each.kind].append(each)
        names = choose(connection, cursor, by_kind["view"])
        views = [view for view in by_kind["view"] if folded(view.name) in names]
        triggers = [t for t in by_kind["trigger"] if folded(t.table) in names or t.mentions(names)]
        for each in [*triggers, *views]:
            cursor.execute(each.drop)
        yield views
        for each in [*views, *triggers]:
            cursor.execute(each.create)


def _read_stored(cursor: CursorWrapper) -> list[_Stored]:
    found: list[_Stored] = []
    for schema in (MAIN, TEMP):
        cursor.execute(_STORED.format(schema=schema))
        found += [_Stored(schema, *row) for row in cursor.fetchall()]
    return found


STEP_ASIDE = StepAside()
