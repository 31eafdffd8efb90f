"""An attacker: a role with TEMP, a schema of its own, and functions that notice when others run them."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

Rows = list[tuple[Any, ...]]

#: The schema that belongs to the attacker.
LAIR = "lair"
#: The first key of the advisory locks that :data:`_STRIKE` takes; the second one is the oid of the role.
_MARK = 666_666

# An attacker's functions call strike(). It counts when it runs as another role than the attacker. Both marks
# outlive a rollback, and the lock can be taken in a read-only transaction too. Before, it tries to set back
# whatever SET ROLE or SET SESSION AUTHORIZATION has set.
_STRIKE = f"""
CREATE SEQUENCE {LAIR}.struck;
GRANT ALL ON SEQUENCE {LAIR}.struck TO PUBLIC;
CREATE FUNCTION {LAIR}.strike() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    setting text;
BEGIN
    FOREACH setting IN ARRAY ARRAY['role', 'session_authorization'] LOOP
        BEGIN
            PERFORM set_config(setting, CASE setting WHEN 'role' THEN 'none' ELSE session_user END, false);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    IF current_user <> '{{role}}' THEN
        PERFORM pg_advisory_lock_shared({_MARK}, oid::int) FROM pg_roles WHERE rolname = current_user;
        BEGIN
            PERFORM nextval('{LAIR}.struck');
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END IF;
    RETURN true;
END $$;
"""

_STRUCK = f"""
SELECT rolname FROM pg_roles WHERE oid::bigint IN (
    SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = {_MARK})
"""


class Attacker:
    """A session of the attacker's role, each statement in a transaction of its own."""

    def __init__(self, role: str) -> None:
        self.role = role
        self._connection = connect_as(role)
        self.run(_STRIKE.replace("{role}", role))

    def run(self, sql: str, params: Any = None) -> Rows:
        """Run SQL as the attacker."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall() if cursor.description else []

    def function(self, signature: str, returns: str, value: str, *, volatility: str = "IMMUTABLE") -> None:
        """Create a function that strikes and then returns a value.

        Args:
            signature: name and arguments, such as ``lair.evil(text)``.
            returns: the type.
            value: an SQL expression.
            volatility: IMMUTABLE functions of constants are run by the planner already.
        """
        self.run(
            f"CREATE FUNCTION {signature} RETURNS {returns} LANGUAGE plpgsql {volatility} AS "
            f"$$BEGIN PERFORM {LAIR}.strike(); RETURN {value}; END$$"
        )

    def struck(self) -> set[str]:
        """Return the roles as which a function of the attacker ran, other than the attacker's own."""
        roles = {role for (role,) in query(_STRUCK)}
        (was_called,) = query(f"SELECT is_called FROM {LAIR}.struck")[0]
        return roles or ({"another role"} if was_called else set())

    def leave(self) -> None:
        """End the session."""
        self._connection.close()


def connect_as(role: str) -> BaseDatabaseWrapper:
    """Open another connection to the default database as some role."""
    connection = connections.create_connection("default")
    connection.settings_dict = {**connection.settings_dict, "USER": role, "PASSWORD": PASSWORD}
    connection.inc_thread_sharing()
    return connection


#: The password of every role here; the embedded server asks for none.
PASSWORD = "no-secret"


def query(sql: str, params: Any = None) -> Rows:
    """Run SQL as the role of the suite, a superuser."""
    with connections["default"].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []
