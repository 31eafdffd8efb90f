"""Whom we trust: the roles that gain nothing when what they wrote runs with our rights.

Views, index expressions, rules, comments and functions of everybody else are neither executed nor believed.
SET ROLE to their owner would be no protection: the code can set the role back.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.backends.utils import CursorWrapper

from orm_views_core.conf import get_settings

from .fetch import fetch

# A role is trusted that is already able to become us: ourselves, superusers, members of our role. That we are
# a member of a role proves nothing about it. The owner of the database may do anything in it.
# https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-ACCESS
_TRUSTED_ROLES = """
SELECT r.oid
FROM pg_catalog.pg_roles r
WHERE (pg_catalog.pg_has_role(r.oid, current_user, 'MEMBER')
       AND pg_catalog.pg_has_role(r.oid, session_user, 'MEMBER'))
   OR r.oid OPERATOR(pg_catalog.=) (SELECT datdba FROM pg_catalog.pg_database
                                    WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
   OR r.rolname::pg_catalog.text OPERATOR(pg_catalog.=) ANY(%(owners)s::pg_catalog.text[])
   OR r.oid OPERATOR(pg_catalog.=) ANY(ARRAY(
          SELECT nspowner FROM pg_catalog.pg_namespace
          WHERE nspname::pg_catalog.text OPERATOR(pg_catalog.=) ANY(%(schemas)s::pg_catalog.text[])))
"""


def read_trusted_roles(cursor: CursorWrapper, *, owners_of: Collection[str] = ()) -> list[int]:
    """Return the oids of the roles that we trust.

    Args:
        owners_of: schemas whose owners are trusted too. Pages that read rows pass the schemas of the
            registered views.
    """
    params = {"owners": list(get_settings().TRUSTED_OWNERS), "schemas": list(owners_of)}
    return [oid for (oid,) in fetch(cursor, _TRUSTED_ROLES, params)]
