"""What PostgreSQL counts, made to be known at once."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection


def flush_statistics(execute: Callable[[str], object]) -> None:
    """Have a session report what it has counted.

    Up to PostgreSQL 14 it does so after a statement, twice a second at most, and whoever reads may be shown
    what was known half a second ago.
    """
    if connection.pg_version >= 150000:
        execute("SELECT pg_stat_force_next_flush()")
        return
    for _ in range(2):
        execute("SELECT pg_sleep(0.6)")
