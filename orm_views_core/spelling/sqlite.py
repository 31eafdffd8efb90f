"""How SQLite writes the names of views, and values."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.names import ViewName, quote_identifier
from orm_views_core.sql.places import Places
from orm_views_core.sql.rules import SQLITE_RULES

from .base import Abilities
from .flat import flat_name

#: So many values are adapted by one statement. SQLite has at most 999 columns and variables before 3.32.
_BATCH = 500
#: What Django has as a set: the types of JSON values that it writes into SQL.
_OPS_SET = "jsonfield_datatype_values"


class SQLiteSpelling:
    """A view of ``views.orders`` is called ``views_orders``. What SQLite does not have is left out."""

    words: tuple[str, ...] = ("sqlite",)
    title = "SQLite"
    rules = SQLITE_RULES
    abilities = Abilities(atomic=True, one_writer=True)

    def place(self, name: ViewName) -> str:
        """Return the flat name in quotes."""
        return quote_identifier(flat_name(name))

    def places(self, names: Collection[ViewName]) -> Places:
        """Return the flat names."""
        return Places({name: flat_name(name) for name in names}, '"', self.rules)

    def literal(self, connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> str:
        """Have the driver adapt the parameters, in a database in memory. Django has registered adapters."""
        if not params:
            return sql % ()
        literals: list[str] = []
        with closing(sqlite3.connect(":memory:")) as memory:
            for start in range(0, len(params), _BATCH):
                values = params[start : start + _BATCH]
                row = memory.execute(f"SELECT {', '.join('?' * len(values))}", values).fetchone()
                literals += map(_literal, row)
        return sql % tuple(literals)

    @contextmanager
    def compiling(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        """Sort a set that Django writes into the SQL of JSON lookups: its order differs between processes."""
        ops: Any = connection.ops
        before = vars(ops).get(_OPS_SET)
        vars(ops)[_OPS_SET] = tuple(sorted(getattr(ops, _OPS_SET)))
        try:
            yield
        finally:
            if before is None:
                del vars(ops)[_OPS_SET]
            else:
                vars(ops)[_OPS_SET] = before


def _literal(value: float | str | bytes | None) -> str:
    """Return one of the values that SQLite knows as SQL. Its function ``quote()`` ends texts at a NUL."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, str):
        if "\0" in value:
            return f"CAST(X'{value.encode().hex()}' AS TEXT)"
        return "'" + value.replace("'", "''") + "'"
    number = "9e999" if value == math.inf else "-9e999" if value == -math.inf else repr(value)
    # After a minus sign of the SQL, that of the number would begin a comment.
    return f" {number}" if number.startswith("-") else number


SQLITE = SQLiteSpelling()
