"""Reads what surrounds the views of a database: the session, whom it trusts, roles and schemas."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from orm_views_core.database.relations import Session

from .fetch import array, fetch, moment
from .search_path import CatalogCursor
from .trust import TRUSTED_ROLES, trust_parameters

_SCHEMAS = """
SELECT n.nspname, pg_catalog.has_schema_privilege(n.oid, 'CREATE'),
       COALESCE(array_agg(COALESCE(r.rolname, '')) FILTER (WHERE acl.privilege_type = 'USAGE'), '{}')::text[]
FROM pg_catalog.pg_namespace n
LEFT JOIN LATERAL pg_catalog.aclexplode(n.nspacl) acl ON true
LEFT JOIN pg_catalog.pg_roles r ON r.oid = acl.grantee
WHERE n.nspname = ANY(%(schemas)s::text[])
GROUP BY n.oid, n.nspname
"""

# From the role on, the columns are the fields of Session in their order. The lock table has room for
# max_locks_per_transaction * (max_connections + max_prepared_transactions) locks, and for a few more, which
# other sessions use too.
# https://www.postgresql.org/docs/current/runtime-config-locks.html
_FACTS = f"""
SELECT ARRAY({TRUSTED_ROLES}),
       (SELECT COALESCE(json_agg(json_build_array(name, can_create, readers)), '[]')::text
        FROM ({_SCHEMAS}) AS found(name, can_create, readers)),
       (SELECT COALESCE(array_agg(rolname), '{{}}')::text[]
        FROM pg_catalog.pg_roles WHERE rolname = ANY(%(roles)s::name[])),
       current_user::text,
       pg_catalog.has_database_privilege(current_database(), 'CREATE'),
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'it is a replica'
            WHEN current_setting('transaction_read_only') = 'on' THEN 'its transactions are read-only'
            ELSE '' END,
       current_setting('max_locks_per_transaction')::int
       * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int),
       (SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT fastpath AND pid <> pg_backend_pid())::int,
       current_setting('max_locks_per_transaction')::int,
       extract(epoch FROM pg_catalog.clock_timestamp())::float8
"""


class Schema(NamedTuple):
    """A schema that exists.

    Attributes:
        is_writable: whether our role may create in it.
        readers: the roles that have USAGE on it; "" for all.
    """

    name: str
    is_writable: bool
    readers: tuple[str, ...]


class Facts(NamedTuple):
    """What surrounds the views.

    Attributes:
        trusted: the oids of the roles that we trust.
        schemas: those of some schemas that exist.
        roles: those of some roles that exist.
        session: about our session.
    """

    trusted: tuple[int, ...]
    schemas: tuple[Schema, ...]
    roles: frozenset[str]
    session: Session


def read_facts(
    cursor: CatalogCursor,
    schemas: Collection[str],
    roles: Collection[str] = (),
    *,
    owners_of: Collection[str] = (),
) -> Facts:
    """Read the facts with one query.

    Args:
        cursor: in a transaction.
        schemas: the schemas to look for.
        roles: the roles to look for.
        owners_of: schemas whose owners are trusted too; see ``read_trusted_roles()``.
    """
    params = {**trust_parameters(owners_of), "schemas": array(schemas), "roles": array(roles)}
    ((trusted, found, existing, *fields, now),) = fetch(cursor, _FACTS, params)
    return Facts(
        tuple(trusted),
        tuple(Schema(name, can_create, tuple(readers)) for name, can_create, readers in json.loads(found)),
        frozenset(existing),
        replace(Session(*fields), now=moment(now)),
    )
