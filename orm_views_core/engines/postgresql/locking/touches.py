"""Keeping others from changing what they may change without a lock on the view.

GRANT … ON ALL TABLES IN SCHEMA locks no relation; before PostgreSQL 18 no GRANT does. It writes the rows of
the view and of its columns in the catalogs, and two transactions cannot write one row at the same time. So
the swap writes these rows too, without changing anything in them, before it checks that nothing was changed.
A GRANT that was sent before is then waited for, and one that comes later waits for the swap. Indexes have
locks of their own.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import DatabaseError
from django.db.backends.utils import CursorWrapper

from orm_views_core.engines.postgresql.batches import send
from orm_views_core.engines.postgresql.catalog.fetch import fetch
from orm_views_core.engines.postgresql.catalog.search_path import catalog_path
from orm_views_core.engines.postgresql.errors.diagnostics import INTERNAL_ERROR, sqlstate
from orm_views_core.sentences import says

from .locks import Overtaken

# ALTER … RESET writes the row in pg_class although there is no such option. Nothing writes the rows of a
# plain view's columns and leaves them as they are, so a privilege is granted and revoked. It is one that
# nobody has: PostgreSQL made that role for something else, and views have no use for REFERENCES.
_TOUCHES = """
SELECT format(
    'ALTER %%1$s %%2$s RESET (orm_views); '
    'GRANT REFERENCES (%%3$s) ON %%2$s TO pg_signal_backend; '
    'REVOKE REFERENCES (%%3$s) ON %%2$s FROM pg_signal_backend',
    CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, c.oid::regclass,
    string_agg(quote_ident(a.attname), ', '))
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE c.oid = ANY(%(oids)s::oid[])
  AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY c.oid, c.relkind
UNION ALL
SELECT format('ALTER INDEX %%s RESET (orm_views)', indexrelid::regclass)
FROM pg_catalog.pg_index
WHERE indrelid = ANY(%(oids)s::oid[])
"""


def touch(cursor: CursorWrapper, oids: Collection[int]) -> None:
    """Write the rows of some views, which are locked already, and lock their indexes.

    Raises:
        Overtaken: when somebody commits a GRANT or REVOKE while this waits for it.
    """
    if not oids:
        return
    with catalog_path(cursor) as catalog:
        touches = [sql for (sql,) in fetch(catalog, _TOUCHES, {"oids": list(oids)})]
    if not touches:
        return
    try:
        send(cursor, touches)
    except DatabaseError as error:
        # PostgreSQL has no SQLSTATE of its own for “tuple concurrently updated”.
        if sqlstate(error) != INTERNAL_ERROR:
            raise
        raise Overtaken(says("privileges on a view were granted or revoked meanwhile")) from error
