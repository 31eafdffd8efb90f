"""Transactions of SQLite that begin with the lock of a writer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def beginning_to_write(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Have transactions wait for their lock first. Otherwise they take it with their first change.

    What has been read by then may be of an older state, and SQLite refuses to change it, without a wait.
    https://www.sqlite.org/lang_transaction.html#immediate
    """
    connection.ensure_connection()  # Django reads the setting when it connects
    own: Any = connection
    mode, own.transaction_mode = own.transaction_mode, "IMMEDIATE"
    try:
        yield
    finally:
        own.transaction_mode = mode
