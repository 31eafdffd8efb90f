"""What a move must not change: everything about each view but its comment."""

from __future__ import annotations

import json
from typing import Any

from tests.tutorial.workplace import psql

_VIEWS = """
SELECT coalesce(json_object_agg(c.oid::regclass::text, json_build_object(
    'oid', c.oid,
    'kind', c.relkind,
    'grants', c.relacl,
    'options', c.reloptions,
    'definition', pg_get_viewdef(c.oid),
    'indexes', (SELECT json_agg(indexdef ORDER BY indexname) FROM pg_indexes
                WHERE schemaname = n.nspname AND tablename = c.relname)
)), '{}')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


def views_of(server: dict[str, str], database: str) -> dict[str, dict[str, Any]]:
    """Every view of a database by its name, with all of its rows.

    Args:
        server: the variables of libpq.
        database: its name.
    """
    views: dict[str, dict[str, Any]] = json.loads(psql(server, _VIEWS, database=database))
    for name, view in views.items():
        rows = psql(server, f"SELECT row_to_json(v) FROM {name} v", database=database)
        view["rows"] = sorted(rows.splitlines())
    return views


def records_of(server: dict[str, str], database: str) -> str:
    """What Django has recorded of models: content types and permissions."""
    records = (f"SELECT * FROM {table} ORDER BY id" for table in ("django_content_type", "auth_permission"))
    return psql(server, *records, database=database)


def relations_of(server: dict[str, str], database: str) -> set[str]:
    """The tables of a database, and what else has columns and is no view."""
    query = """
        SELECT oid::regclass FROM pg_class
        WHERE relkind NOT IN ('v', 'm', 'i') AND relnamespace::regnamespace::text NOT LIKE 'pg\\_%'
        AND relnamespace <> 'information_schema'::regnamespace
    """
    return set(psql(server, query, database=database).split())
