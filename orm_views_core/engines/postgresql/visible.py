"""Reads what a role may read of the views of a database: its own grants, those of its roles and of PUBLIC."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from orm_views_core.database.relations import Column, Grant
from orm_views_core.exceptions import MissingRoleError
from orm_views_core.names import ViewName
from orm_views_core.sentences import says

from .catalog.fetch import array, fetch, group
from .catalog.search_path import CatalogCursor

#: What PostgreSQL calls every role together. No role can have this name.
PUBLIC = "public"

_EXISTS = "SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = %(role)s::text)"

# has_any_column_privilege() is true of a grant on the whole view too. The functions take the word public for
# PUBLIC.
# https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-ACCESS
_ROLE = "COALESCE(%(role)s::name, current_user)"
_VIEWS = f"""
SELECT c.oid, n.nspname, c.relname, pg_catalog.has_table_privilege({_ROLE}, c.oid, 'SELECT'),
       EXISTS (SELECT FROM pg_catalog.pg_depend d
               WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%%'
  AND pg_catalog.has_schema_privilege({_ROLE}, n.oid, 'USAGE')
  AND pg_catalog.has_any_column_privilege({_ROLE}, c.oid, 'SELECT')
"""

_COLUMNS = f"""
SELECT a.attrelid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attcollation <> t.typcollation THEN co.collname ELSE '' END
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
WHERE a.attrelid = ANY(%(oids)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
  AND pg_catalog.has_column_privilege({_ROLE}, a.attrelid, a.attnum, 'SELECT')
ORDER BY a.attrelid, a.attnum
"""

_COLUMN_GRANTS = """
SELECT a.attrelid, a.attname, COALESCE(r.rolname, ''), acl.privilege_type, acl.is_grantable
FROM pg_catalog.pg_attribute a
CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) acl
LEFT JOIN pg_catalog.pg_roles r ON r.oid = acl.grantee
WHERE a.attrelid = ANY(%(oids)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""


@dataclass(frozen=True)
class VisibleView:
    """A view that a role may read.

    Attributes:
        columns: the columns that it may read, in their order.
        is_whole: whether it may read all columns, also such as will be added.
        is_of_extension: whether the view belongs to an extension.
        column_grants: the privileges on single columns, by column.
    """

    name: ViewName
    columns: tuple[Column, ...]
    is_whole: bool
    is_of_extension: bool
    column_grants: Mapping[str, frozenset[Grant]]


def read_visible(cursor: CatalogCursor, role: str | None) -> dict[ViewName, VisibleView]:
    """Return the views that a role may read, except those of PostgreSQL itself. Four queries at most.

    Args:
        cursor: sends the queries.
        role: the role; ``public`` for what every role may read; None for the role of the connection.

    Raises:
        MissingRoleError: there is no such role.
    """
    if role is not None and role != PUBLIC:
        ((exists,),) = fetch(cursor, _EXISTS, {"role": role})
        if not exists:
            alias = cursor.db.alias
            raise MissingRoleError(says("Database %(alias)r has no role %(role)r.", alias=alias, role=role))
    rows = fetch(cursor, _VIEWS, {"role": role})
    params = {"role": role, "oids": array(oid for oid, *_ in rows)}
    columns = group((oid, Column(*column)) for oid, *column in fetch(cursor, _COLUMNS, params))
    granted: defaultdict[int, defaultdict[str, set[Grant]]] = defaultdict(lambda: defaultdict(set))
    for oid, column, *grant in fetch(cursor, _COLUMN_GRANTS, params):
        granted[oid][column].add(Grant(*grant))
    views = (
        VisibleView(
            ViewName(schema, name),
            tuple(columns.get(oid, ())),
            bool(is_whole),
            is_of_extension,
            {column: frozenset(grants) for column, grants in granted[oid].items()},
        )
        for oid, schema, name, is_whole, is_of_extension in rows
    )
    return {view.name: view for view in views}
