"""The views of a benchmark as plain values: what to define, before any package has a say in how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import QuerySet

SCHEMA = "views"


@dataclass(frozen=True)
class Definition:
    """A view to define by its SQL, or by a queryset, which is built whenever it is asked for.

    `reads` is the class name of another view, if it reads one. A materialised view has a `key`: the column
    that gets its unique index.
    """

    class_name: str
    sql: str = ""
    get_queryset: Callable[[], QuerySet[Any, Any]] | None = None
    reads: str | None = None
    key: str | None = None

    @property
    def view_name(self) -> str:
        """The name that every package gives the view."""
        return f"{SCHEMA}.{self.class_name.lower()}"

    def select(self) -> str:
        """Its SELECT with the parameters interpolated, as the packages under measurement have no part in."""
        if self.get_queryset is None:
            return self.sql
        with connections["default"].cursor() as cursor:
            interpolated = cursor.mogrify(*self.get_queryset().query.sql_with_params())
        return bytes(interpolated).decode()

    def ddl(self) -> list[str]:
        """What creates it."""
        if not self.key:
            return [f"CREATE VIEW {self.view_name} AS {self.select()}"]
        index = f"{self.class_name.lower()}_{self.key}"
        return [
            f"CREATE MATERIALIZED VIEW {self.view_name} AS {self.select()}",
            f"CREATE UNIQUE INDEX {index} ON {self.view_name} ({self.key})",
        ]
