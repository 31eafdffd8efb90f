"""What happens between migrations that run in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.postgresql.constraints import check_deferred_constraints, read_transaction
from orm_views_core.exceptions import SyncFailedError
from orm_views_core.quoting import unquoted
from orm_views_core.sentences import says

from .aside import Aside
from .reaction import Reaction


class Steps:
    """Follows the migrations of one transaction. Whoever runs them calls it before and after each.

    Attributes:
        current: the migration that runs, or ran last; "" before the first.
        applied: those that are done.
        seconds: how many seconds each of these took.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        aside: Aside,
        reaction: Reaction,
        take_locks: Callable[[], None],
    ) -> None:
        self.current = ""
        self.applied: list[str] = []
        self.seconds: list[float] = []
        self._connection, self._aside, self._reaction = connection, aside, reaction
        self._take_locks = take_locks
        self._transaction = read_transaction(connection)
        self._locked_at: float | None = None
        self._began = 0.0

    @property
    def locked_seconds(self) -> float:
        """For how many seconds the locks of all migrations have been held."""
        return 0 if self._locked_at is None else time.perf_counter() - self._locked_at

    def before(self, migration: Any) -> None:
        """Take the locks that all migrations need, before the first of them."""
        if not self.current:
            with self._reaction.paused():
                self._take_locks()
            self._locked_at = time.perf_counter()
        self.current, self._began = str(migration), time.perf_counter()

    def after(self, migration: Any) -> None:
        """Bring back the views of others that stood against a migration, and check its deferred constraints.

        PostgreSQL refuses to alter a table with rows whose deferred constraints are yet to be checked. Each
        migration would have committed, and a commit checks them.

        Raises:
            SyncFailedError: when the migration has ended the transaction.
        """
        with self._reaction.paused():
            if read_transaction(self._connection) != self._transaction:
                raise SyncFailedError(
                    unquoted(
                        says(
                            "%(migration)s has ended the transaction that it ran in, so what came before "
                            "it is committed. Run migrate_views again: it goes on from there. A "
                            "migration with a COMMIT of its own needs --split.",
                            migration=migration,
                        )
                    )
                )
            self._aside.bring_back()
            check_deferred_constraints(self._connection)
        self.applied.append(str(migration))
        self.seconds.append(time.perf_counter() - self._began)
