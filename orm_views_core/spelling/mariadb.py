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


class MariaDBSpelling:
    """A view of ``views.orders`` is called ``views_orders``. What a class asks for in vain is refused."""

    words: tuple[str, ...] = ("mariadb", "mysql")
    title = "MariaDB"
    rules = MARIADB_RULES
    abilities = Abilities(grants=True, options=frozenset({"security_invoker", "check_option"}), refuses=True)

    def place(self, name: ViewName) -> str:
        """Return the flat name in backticks."""
        return "`" + flat_name(name).replace("`", "``") + "`"

    def places(self, names: Collection[ViewName]) -> Places:
        """Return the flat names."""
        return Places({name: flat_name(name) for name in names}, "`", self.rules)

    def literal(self, connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> str:
        """Have the driver write the parameters. It opens the connection for that."""
        if not params:
            return sql % ()
        with connection.cursor() as cursor:
            of_driver: Any = cursor.connection
            return str(sql % tuple(of_driver.literal(value).decode() for value in params))

    def compiling(self, connection: BaseDatabaseWrapper) -> AbstractContextManager[None]:
        """Return a block that changes nothing."""
        return nullcontext()


MARIADB = MariaDBSpelling()
