"""How PostgreSQL writes the names of views, and values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.names import ViewName
from orm_views_core.sql.rules import POSTGRESQL_RULES

from .base import Abilities


class PostgreSQLSpelling:
    """Views are in schemas, and SQL names them so."""

    words: tuple[str, ...] = ("postgresql",)
    title = "PostgreSQL"
    rules = POSTGRESQL_RULES
    abilities = Abilities(
        staging=True,
        schemas=True,
        atomic=True,
        materialised=True,
        updatable=True,
        grants=True,
        options=frozenset({"security_barrier", "security_invoker", "check_option"}),
        refuses=True,
    )

    def place(self, name: ViewName) -> str:
        """Return ``"schema"."name"``."""
        return name.quoted

    def places(self, names: Collection[ViewName]) -> None:
        """SQL names views by schema and name."""

    def literal(self, connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> str:
        """Have the driver write the parameters. It may open the connection for that."""
        if not params and sql.isascii():
            # There is nothing to quote or encode. The driver would only replace each %% by %.
            return sql % ()
        return str(connection.ops.compose_sql(sql, params))  # type: ignore[attr-defined]

    def compiling(self, connection: BaseDatabaseWrapper) -> AbstractContextManager[None]:
        """Return a block that changes nothing."""
        return nullcontext()


POSTGRESQL = PostgreSQLSpelling()
