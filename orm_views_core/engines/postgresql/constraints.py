"""Deferred constraints, and the transaction that they are deferred in."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

# SET CONSTRAINTS ALL DEFERRED also defers those that are checked at once, so they are named afterwards.
_INITIALLY_IMMEDIATE = """
SELECT DISTINCT pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.'
       OPERATOR(pg_catalog.||) pg_catalog.quote_ident(c.conname)
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.connamespace
WHERE c.condeferrable AND NOT c.condeferred
"""


def check_deferred_constraints(connection: BaseDatabaseWrapper) -> None:
    """Check the deferred constraints now, and defer them again.

    https://www.postgresql.org/docs/current/sql-set-constraints.html

    Raises:
        IntegrityError: when a constraint is violated.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(_INITIALLY_IMMEDIATE)
        if names := [name for (name,) in cursor.fetchall()]:
            cursor.execute(f"SET CONSTRAINTS {', '.join(names)} IMMEDIATE")


def read_transaction(connection: BaseDatabaseWrapper) -> int:
    """Return the number of the transaction. It gets one here if it has none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text")
        return int(cursor.fetchone()[0])
