"""Reads who may read views and tables, and which tables names stand for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from orm_views_core.database.lineage import RelationColumn
from orm_views_core.engines.postgresql.catalog.fetch import array, fetch, name_arrays
from orm_views_core.engines.postgresql.catalog.rights import IS_INVOKER
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor
from orm_views_core.names import ViewName

#: PUBLIC as the role of a grant.
PUBLIC = ""

_GRANTEE = "CASE g.grantee WHEN 0 THEN '' ELSE pg_catalog.pg_get_userbyid(g.grantee)::text END"

# Temporary views are left out: they belong to one session.
_READERS = f"""
SELECT n.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner),
       ARRAY(SELECT DISTINCT {_GRANTEE} FROM pg_catalog.aclexplode(c.relacl) g
             WHERE g.privilege_type = 'SELECT' AND g.grantee <> c.relowner ORDER BY 1),
       ARRAY(SELECT ARRAY[a.attname::text, {_GRANTEE}]
             FROM pg_catalog.pg_attribute a CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) g
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
               AND g.privilege_type = 'SELECT' AND g.grantee <> c.relowner ORDER BY 1),
       {IS_INVOKER.format("c")}
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND c.relpersistence <> 't'
ORDER BY 1, 2
"""

_DEFAULTS = f"""
SELECT COALESCE(n.nspname, ''), {_GRANTEE}
FROM pg_catalog.pg_default_acl d
CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) g
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
WHERE d.defaclobjtype = 'r' AND g.privilege_type = 'SELECT' AND g.grantee <> d.defaclrole
  AND d.defaclrole = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)
"""

# The columns of the tables that names stand for, and the same columns of the tables that these inherit from
# or that inherit from them: rows of one are read by way of the other. For a partition its partitioned table
# is enough, because every partition counts as that.
_COLUMNS = """
WITH RECURSIVE found AS (
    SELECT DISTINCT ON (asked.number) asked.number, c.oid, asked.col
    FROM unnest(%(schemas)s::name[], %(names)s::name[], %(columns)s::name[])
         WITH ORDINALITY AS asked (schema, name, col, number)
    JOIN pg_catalog.pg_class c ON c.relname = asked.name AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     AND (n.nspname = asked.schema OR asked.schema = '' AND n.nspname = ANY(%(path)s::text[]))
    ORDER BY asked.number, pg_catalog.array_position(%(path)s::text[], n.nspname::text)
), related AS (
    SELECT f.number, f.oid, f.col FROM found f
    UNION
    SELECT r.number, other.oid, r.col
    FROM related r
    JOIN pg_catalog.pg_inherits i ON r.oid IN (i.inhparent, i.inhrelid)
    JOIN pg_catalog.pg_class other
      ON other.oid = i.inhparent AND r.oid = i.inhrelid
      OR other.oid = i.inhrelid AND r.oid = i.inhparent AND NOT other.relispartition
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.inhrelid AND a.attname = r.col AND a.attinhcount > 0
)
SELECT r.number, n.nspname, c.relname, r.col, c.relkind IN ('v', 'm'), a.attnum IS NOT NULL
FROM related r
JOIN pg_catalog.pg_class c ON c.oid = r.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = r.col AND NOT a.attisdropped
"""

# Row-level security may keep rows of a table from a role, and a view shows those that its owner sees.
_HOLDERS = """
SELECT asked.role, asked.schema, asked.name, asked.col
FROM unnest(%(roles)s::text[], %(schemas)s::text[], %(names)s::text[], %(columns)s::text[])
     AS asked (role, schema, name, col)
JOIN pg_catalog.pg_namespace n ON n.nspname = asked.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = asked.name
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = asked.col AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_roles r ON r.rolname = asked.role
WHERE CASE WHEN asked.role = '' THEN NOT c.relrowsecurity AND
               pg_catalog.has_schema_privilege('public', n.oid, 'USAGE')
               AND pg_catalog.has_column_privilege('public', c.oid, a.attnum, 'SELECT')
           ELSE r.oid IS NOT NULL AND pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')
                AND pg_catalog.has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT')
                AND (NOT c.relrowsecurity OR r.rolsuper OR r.rolbypassrls
                     OR NOT c.relforcerowsecurity AND pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE')) END
"""


class NamedColumn(NamedTuple):
    """A column that a name stands for.

    Attributes:
        number: the position of the name.
        column: the column.
        is_of_view: whether its relation is a view or a materialised view.
        exists: whether its relation has such a column.
    """

    number: int
    column: RelationColumn
    is_of_view: bool
    exists: bool


@dataclass(frozen=True)
class Readers:
    """Who may read a view besides its owner. The role ``""`` is PUBLIC.

    Attributes:
        roles: the roles that may read all of its columns.
        of_columns: the roles that may read some of its columns, by column.
        is_invoker: whether it reads tables with the rights of whoever reads it, not with its owner's.
    """

    owner: str = ""
    roles: frozenset[str] = frozenset()
    of_columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    is_invoker: bool = False

    def of(self, column: str) -> frozenset[str]:
        """Return the roles that may read a column."""
        return self.roles | self.of_columns.get(column, frozenset())

    @property
    def is_anybody(self) -> bool:
        """Whether there are any."""
        return bool(self.roles or self.of_columns)


def read_readers(cursor: CatalogCursor) -> dict[ViewName, Readers]:
    """Return the readers of all views but PostgreSQL's own."""
    found = {}
    for schema, name, owner, roles, of_columns, is_invoker in fetch(cursor, _READERS, {}):
        columns: dict[str, set[str]] = {}
        for column, role in of_columns:
            columns.setdefault(column, set()).add(role)
        sets = {column: frozenset(granted) for column, granted in columns.items()}
        found[ViewName(schema, name)] = Readers(owner, frozenset(roles), sets, is_invoker)
    return found


def read_default_readers(cursor: CatalogCursor) -> list[tuple[str, str]]:
    """Return the roles that ALTER DEFAULT PRIVILEGES lets read what our role creates.

    Returns:
        pairs of a schema, "" for every schema, and a role.
    """
    return [(schema, role) for schema, role in fetch(cursor, _DEFAULTS, {})]


def read_named_columns(
    cursor: CatalogCursor, columns: Sequence[RelationColumn], path: Iterable[str]
) -> list[NamedColumn]:
    """Return the columns of relations that names stand for, and those that inheritance makes the same.

    Args:
        cursor: sends the query.
        columns: the names; tables without a schema are looked up along the path.
        path: the schemas of the project's search path that exist.

    Returns:
        the columns. A relation that is not in the database is left out.
    """
    params = {
        **name_arrays([column.relation for column in columns]),
        "columns": array(column.column for column in columns),
        "path": array(path),
    }
    return [
        NamedColumn(number - 1, RelationColumn(ViewName(schema, name), column), is_of_view, exists)
        for number, schema, name, column, is_of_view, exists in fetch(cursor, _COLUMNS, params)
    ]


def read_holders(
    cursor: CatalogCursor, pairs: Collection[tuple[str, RelationColumn]]
) -> set[tuple[str, RelationColumn]]:
    """Return those pairs of a role and a column of a table whose role may read the column."""
    if not pairs:
        return set()
    params = {
        "roles": array(role for role, _ in pairs),
        **name_arrays([column.relation for _, column in pairs]),
        "columns": array(column.column for _, column in pairs),
    }
    return {
        (role, RelationColumn(ViewName(schema, name), column))
        for role, schema, name, column in fetch(cursor, _HOLDERS, params)
    }
