"""Whom we trust: the roles that gain nothing when what they wrote runs with our rights.

Views, index expressions, rules, comments and functions of everybody else are neither executed nor believed.
SET ROLE to their owner would be no protection: the code can set the role back.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.conf import get_settings

from .fetch import array, fetch
from .search_path import catalog_cursor

# A role is trusted that is already able to become us: ourselves, superusers, members of our role. That we are
# a member of a role proves nothing about it. The owner of the database may do anything in it.
# https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-ACCESS
# Everything is qualified, so the query may be sent along any search path.
TRUSTED_ROLES = """
SELECT r.oid
FROM pg_catalog.pg_roles r
WHERE (pg_catalog.pg_has_role(r.oid, current_user, 'MEMBER')
       AND pg_catalog.pg_has_role(r.oid, session_user, 'MEMBER'))
   OR r.oid OPERATOR(pg_catalog.=) (SELECT datdba FROM pg_catalog.pg_database
                                    WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
   OR r.rolname::pg_catalog.text OPERATOR(pg_catalog.=) ANY(%(owners)s::pg_catalog.text[])
   OR r.oid OPERATOR(pg_catalog.=) ANY(ARRAY(
          SELECT nspowner FROM pg_catalog.pg_namespace
          WHERE nspname::pg_catalog.text OPERATOR(pg_catalog.=) ANY(%(owned)s::pg_catalog.text[])))
"""

_SUPERUSER = """
SELECT r.rolname::pg_catalog.text FROM pg_catalog.pg_roles r
WHERE r.rolsuper AND r.rolname OPERATOR(pg_catalog.=) session_user
"""


def read_trusted_roles(cursor: CursorWrapper, *, owners_of: Collection[str] = ()) -> list[int]:
    """Return the oids of the roles that we trust.

    Args:
        owners_of: schemas whose owners are trusted too. Pages that read rows pass the schemas of the
            registered views.
    """
    cursor.execute(TRUSTED_ROLES, trust_parameters(owners_of))
    return [oid for (oid,) in cursor.fetchall()]


def trust_parameters(owners_of: Collection[str]) -> dict[str, str]:
    """Return the parameters of ``TRUSTED_ROLES``."""
    return {"owners": array(get_settings().TRUSTED_OWNERS), "owned": array(owners_of)}


def read_superuser(connection: BaseDatabaseWrapper) -> str | None:
    """Return the role that a connection has logged in as, if it is a superuser; else None.

    SET ROLE to another role is no protection, because code can set the role back.
    """
    with catalog_cursor(connection) as cursor:
        return next((role for (role,) in fetch(cursor, _SUPERUSER, {})), None)


# PostgreSQL parses the constants in the text of a view, an index, a rule, a default or a trigger when that is
# created, whoever will own it. The constant of a composite, array or range type over a domain runs the CHECK
# of the domain. So nothing is created again that depends on a type of a role that we do not trust.
_UNTRUSTED_TYPES = """
SELECT DISTINCT ON (part.view) part.view, pg_catalog.format_type(t.oid, NULL),
       pg_catalog.pg_get_userbyid(t.typowner)
FROM (
    SELECT ev_class AS view, 'pg_catalog.pg_rewrite'::regclass AS classid, oid AS objid
    FROM pg_catalog.pg_rewrite
    WHERE ev_class = ANY(%(oids)s::oid[]) AND (rulename <> '_RETURN' OR ev_class <> ALL(%(ours)s::oid[]))
    UNION ALL
    SELECT indrelid, 'pg_catalog.pg_class'::regclass, indexrelid
    FROM pg_catalog.pg_index WHERE indrelid = ANY(%(oids)s::oid[])
    UNION ALL
    SELECT adrelid, 'pg_catalog.pg_attrdef'::regclass, oid
    FROM pg_catalog.pg_attrdef WHERE adrelid = ANY(%(oids)s::oid[])
    UNION ALL
    SELECT stxrelid, 'pg_catalog.pg_statistic_ext'::regclass, oid
    FROM pg_catalog.pg_statistic_ext WHERE stxrelid = ANY(%(oids)s::oid[])
    UNION ALL
    SELECT tgrelid, 'pg_catalog.pg_trigger'::regclass, oid
    FROM pg_catalog.pg_trigger WHERE tgrelid = ANY(%(oids)s::oid[])
) AS part(view, classid, objid)
JOIN pg_catalog.pg_depend d ON d.classid = part.classid AND d.objid = part.objid
                           AND d.refclassid = 'pg_catalog.pg_type'::regclass
JOIN pg_catalog.pg_type t ON t.oid = d.refobjid
WHERE t.typowner <> ALL(%(trusted)s::oid[])
ORDER BY part.view, 2
"""


def read_untrusted_types(
    connection: BaseDatabaseWrapper, oids: Collection[int], ours: Collection[int] = ()
) -> dict[int, tuple[str, str]]:
    """Return a type that each of some views depends on and whose owner we do not trust, and that owner.

    Args:
        connection: the database.
        ours: those of the views whose own SQL counts as trusted, because a class declares it.
        oids: the views. Those that depend on no such type are left out of the result.
    """
    if not oids:
        return {}
    with catalog_cursor(connection) as cursor:
        params = {"oids": array(oids), "ours": array(ours), "trusted": array(read_trusted_roles(cursor))}
        return {view: (name, owner) for view, name, owner in fetch(cursor, _UNTRUSTED_TYPES, params)}
