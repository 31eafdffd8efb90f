"""How MariaDB and MySQL write the names of views, and values. MySQL is untested."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.names import ViewName
from orm_views_core.sql.places import Places
from orm_views_core.sql.rules import MARIADB_RULES

from .base import Abilities
from .flat import flat_name

#: A backslash as the driver writes it, unless ``sql_mode`` has NO_BACKSLASH_ESCAPES.
_ESCAPED = "'\\\\'"


def quoted(name: str) -> str:
    """Return a name in backticks."""
    return "`" + name.replace("`", "``") + "`"


class MariaDBSpelling:
    """A view of ``views.orders`` is called ``views_orders``. What a class asks for in vain is refused."""

    words: tuple[str, ...] = ("mariadb", "mysql")
    title = "MariaDB"
    rules = MARIADB_RULES
    abilities = Abilities(
        updatable=True, grants=True, options=frozenset({"security_invoker", "check_option"}), refuses=True
    )

    def place(self, name: ViewName) -> str:
        """Return the flat name in backticks."""
        return quoted(flat_name(name))

    def places(self, names: Collection[ViewName]) -> Places:
        """Return the flat names."""
        return Places({name: flat_name(name) for name in names}, "`", self.rules)

    def literal(self, connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> str:
        """Have the driver write the parameters. It opens the connection for that."""
        if not params:
            return sql % ()
        connection.ensure_connection()
        return str(sql % tuple(_literal(connection.connection, value) for value in params))

    def compiling(self, connection: BaseDatabaseWrapper) -> AbstractContextManager[None]:
        """Return a block that changes nothing."""
        return nullcontext()


def _literal(of_driver: Any, value: Any) -> str:
    """Return a value as SQL that means the same under any ``sql_mode``, in which a view may be read again."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"X'{bytes(value).hex()}'"
    if isinstance(value, str) and "\\" in value and _text(of_driver.literal("\\")) != _ESCAPED:
        # With NO_BACKSLASH_ESCAPES a string may end with a backslash.
        return f"_utf8mb4 X'{value.encode().hex()}'"
    return _text(of_driver.literal(value))


def _text(literal: str | bytes) -> str:
    return literal if isinstance(literal, str) else literal.decode()


MARIADB = MariaDBSpelling()
