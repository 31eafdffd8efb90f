"""Empties the tables after a test that commits.

Django truncates all tables, and then creates all content types and permissions anew, which takes longer than
many a test. Most tests write into few tables. The rows of these are deleted. Content types and permissions
stay if they are what they were.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.core.management.commands import flush
from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

#: What Django fills by itself after `migrate`.
FILLED = ("django_content_type", "auth_permission")
#: Tables that are larger, in bytes, are truncated.
LARGE = 256 * 1024


class Emptied(NamedTuple):
    """A database as Django's command leaves it: its empty tables, and what is in the others."""

    tables: tuple[str, ...]
    filled: tuple[tuple[Any, ...], ...]


_emptied: dict[str, Emptied] = {}


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        connection = connections[options["database"]]
        if options["verbosity"] or options["interactive"] or options.get("inhibit_post_migrate"):
            super().handle(**options)
        elif options.get("reset_sequences") or not _empty(connection):
            super().handle(**options)
            _emptied[connection.settings_dict["NAME"]] = _look(connection)


def _look(connection: BaseDatabaseWrapper) -> Emptied:
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return Emptied(tuple(name for name in names if name not in FILLED), _filled(connection))


def _filled(connection: BaseDatabaseWrapper) -> tuple[tuple[Any, ...], ...]:
    facts = "pg_catalog.md5(pg_catalog.string_agg(t::text, ',' ORDER BY t.id))"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT {facts} FROM {name} AS t" for name in FILLED))
        return tuple(cursor.fetchall())


def _empty(connection: BaseDatabaseWrapper) -> bool:
    """Delete the rows of all tables; return False if that is left to Django."""
    known = _emptied.get(connection.settings_dict["NAME"])
    if known is None:
        return False
    quote = connection.ops.quote_name
    look = "SELECT '{0}', pg_catalog.pg_relation_size('{1}'), EXISTS (SELECT FROM {1})"
    try:
        if _filled(connection) != known.filled:
            return False
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(look.format(name, quote(name)) for name in known.tables))
            written = [(name, size) for name, size, has_rows in cursor.fetchall() if has_rows]
            if any(size > LARGE for _, size in written):
                return False
            if written:
                tables = [quote(name) for name, _ in written]
                # As TRUNCATE does: whoever still writes is waited for.
                cursor.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
                cursor.execute("; ".join(f"DELETE FROM {table}" for table in tables))
    except DatabaseError:
        return False
    return True
