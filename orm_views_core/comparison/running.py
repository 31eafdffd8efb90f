"""Sends the statements of a comparison, each in a savepoint and with a time limit."""

from __future__ import annotations

import time
from typing import Any

from django.db import DatabaseError, transaction
from django.db.backends.utils import CursorWrapper

from orm_views_core.engines.postgresql.errors.diagnostics import is_canceled
from orm_views_core.engines.postgresql.explain import EXPLAIN, top_of
from orm_views_core.names import ViewName

_SLACK = 0.05  # seconds: a client measures a little less than the server
#: Planner's cost for each row, from which on a view is computed once and kept meanwhile.
_COSTLY, _LEAST_COST = 0.25, 5_000.0


class TooSlow(Exception):  # noqa: N818 - not an error: less is compared instead
    """A statement has taken longer than its time."""


class Runner:
    """Sends statements until a time is over.

    Args:
        cursor: in the transaction that is rolled back. Its search path is the project's.
        seconds: how long all of it may take.
    """

    def __init__(self, cursor: CursorWrapper, seconds: float) -> None:
        self.cursor = cursor
        self._deadline = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """How many seconds are left."""
        return self._deadline - time.monotonic()

    def run(self, sql: str, seconds: float, settings: dict[str, str] | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a statement.

        Args:
            sql: the statement, without parameters.
            seconds: how long it may take.
            settings: settings of the planner for it.

        Raises:
            TooSlow: when it takes longer.
            DatabaseError: when PostgreSQL refuses it. The transaction can go on.
        """
        milliseconds = round(min(seconds, self.left) * 1000)
        if milliseconds < 1:
            raise TooSlow
        given = {"statement_timeout": f"{milliseconds}ms", **(settings or {})}
        calls = ", ".join(["pg_catalog.set_config(%s, %s, true)"] * len(given))
        began = time.monotonic()
        try:
            with transaction.atomic(using=self.cursor.db.alias):
                self.cursor.execute(f"SELECT {calls}", [part for pair in given.items() for part in pair])
                self.cursor.execute(sql)
                rows: list[tuple[Any, ...]] = self.cursor.fetchall()
                # Settings for one statement do not stay.
                transaction.set_rollback(True, using=self.cursor.db.alias)
        except DatabaseError as error:
            if is_canceled(error) and (time.monotonic() - began) * 1000 >= milliseconds - _SLACK * 1000:
                raise TooSlow from error
            raise
        return rows

    def estimate(self, name: ViewName, seconds: float) -> tuple[int, bool]:
        """Return how many rows the planner expects of a view, and whether computing them costs much."""
        ((explained,),) = self.run(f"{EXPLAIN}SELECT * FROM {name.quoted}", seconds)
        top = top_of(explained)
        rows, cost = int(top["Plan Rows"]), float(top["Total Cost"])
        return rows, cost > max(_LEAST_COST, _COSTLY * rows)
