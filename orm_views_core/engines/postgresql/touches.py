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

from .catalog.fetch import fetch
from .catalog.introspection import canonical_names
from .errors import sqlstate
from .locks import Overtaken

_INTERNAL_ERROR = "XX000"

# ALTER … RESET writes the row in pg_class although there is no such option. Nothing writes the rows of a
# plain view's columns and leaves them as they are, so a privilege is granted and revoked. It is one that
# nobody has: PostgreSQL made that role for something else, and views have no use for REFERENCES.
_TOUCHES = """
SELECT pg_catalog.format(
    'ALTER %%1$s %%2$s RESET (orm_views); '
    'GRANT REFERENCES (%%3$s) ON %%2$s TO pg_signal_backend; '
    'REVOKE REFERENCES (%%3$s) ON %%2$s FROM pg_signal_backend',
    CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, c.oid::pg_catalog.regclass,
    pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', '))
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
WHERE c.oid OPERATOR(pg_catalog.=) ANY(%(oids)s::pg_catalog.oid[])
  AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
GROUP BY c.oid, c.relkind
UNION ALL
SELECT pg_catalog.format('ALTER INDEX %%s RESET (orm_views)', indexrelid::pg_catalog.regclass)
FROM pg_catalog.pg_index
WHERE indrelid OPERATOR(pg_catalog.=) ANY(%(oids)s::pg_catalog.oid[])
"""


def touch(cursor: CursorWrapper, oids: Collection[int]) -> None:
    """Write the rows of some views, which are locked already, and lock their indexes.

    Raises:
        Overtaken: when somebody commits a GRANT or REVOKE while this waits for it.
    """
    if not oids:
        return
    with canonical_names(cursor):
        touches = [sql for (sql,) in fetch(cursor, _TOUCHES, {"oids": list(oids)})]
    if not touches:
        return
    try:
        cursor.execute(";\n".join(touches))
    except DatabaseError as error:
        # PostgreSQL has no SQLSTATE of its own for “tuple concurrently updated”.
        if sqlstate(error) != _INTERNAL_ERROR:
            raise
        raise Overtaken("privileges on a view were granted or revoked meanwhile") from error
