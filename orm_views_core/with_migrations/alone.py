"""Migrations that cannot run in one transaction with others.

They are found by what they do. Most of those with ``atomic = False`` can.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import DatabaseError, NotSupportedError
from django.db.migrations import Migration
from django.db.transaction import Atomic

from orm_views_core.engines.postgresql.errors.diagnostics import primary_message, sqlstate
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.quoting import unquoted
from orm_views_core.sentences import says
from orm_views_core.sql.alterations import Script

#: The SQLSTATEs of what needs another transaction: a statement that runs in none, a new label of an enum that
#: is used before it is committed, and a COMMIT in a procedure.
_ACTIVE, _NEW_LABEL, _TERMINATION = "25001", "55P04", "2D000"


class NotTogetherError(OrmViewsError):
    """A migration cannot run in one transaction with others.

    Attributes:
        migration: its name.
        why: why, in words.
        is_alone: whether it needs no transaction at all, and not only another one than those before it.
    """

    def __init__(self, migration: str, why: str, *, is_alone: bool = True) -> None:
        self.migration, self.why, self.is_alone = migration, why, is_alone
        super().__init__(
            unquoted(
                says(
                    "%(migration)s cannot run in one transaction with other migrations: %(why)s. Nothing "
                    "was changed. With --split the run is cut there: what comes before it is committed "
                    "first, with its views.",
                    migration=migration,
                    why=why,
                )
            )
        )


def why_alone_by_class(migration: Migration) -> str:
    """Return why a migration has to run outside of a transaction, by its operations; "" if it need not."""
    from django.contrib.postgres.operations import NotInTransactionMixin

    for operation in migration.operations:
        if isinstance(operation, NotInTransactionMixin):
            return says("%(operation)s runs outside of transactions", operation=type(operation).__name__)
    return ""


def why_alone_by_text(scripts: Iterable[Script]) -> str:
    """Return why statements have to run outside of a transaction; "" if they need not."""
    for script in scripts:
        if script.runs_alone:
            return says("PostgreSQL runs %(statement)s in no transaction", statement=script.runs_alone)
        if script.ends_transaction:
            return says("its SQL has %(statement)s", statement=script.ends_transaction)
    return ""


def as_not_together(migration: str, error: BaseException) -> NotTogetherError | None:
    """Return the error for a migration that has failed because it ran with others; None if it has not."""
    code = sqlstate(error) if isinstance(error, DatabaseError) else None
    if code == _NEW_LABEL:
        why = says("it uses a label of an enum that an earlier migration of the same run adds")
        return NotTogetherError(
            migration, says("%(why)s (%(message)s)", why=why, message=primary_message(error)), is_alone=False
        )
    if code in {_ACTIVE, _TERMINATION}:
        return NotTogetherError(migration, primary_message(error))
    if isinstance(error, NotSupportedError) and code is None:
        return NotTogetherError(migration, str(error))
    if isinstance(error, RuntimeError) and _is_raised_by_atomic(error):
        return NotTogetherError(migration, says("it needs a transaction of its own, atomic(durable=True)"))
    return None


def _is_raised_by_atomic(error: BaseException) -> bool:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code is Atomic.__enter__.__code__
