"""Three roles as docs/security.md describes them: one that syncs, one that serves pages, and an analyst."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connections

from tests.attacks.attacker import PASSWORD, Rows, connect_as, query


class Roles(NamedTuple):
    """The names of the roles. Each may log in. ``web`` is a member of ``owner`` and inherits nothing.

    ``boss`` is the role of the suite, a superuser.
    """

    owner: str
    web: str
    analyst: str
    boss: str

    @property
    def made(self) -> tuple[str, ...]:
        """The roles that exist for a test only."""
        return self[:-1]


@contextmanager
def three_roles() -> Iterator[Roles]:
    """Create the roles for the length of a test: the owner owns the database; the others own nothing."""
    name = connections["default"].settings_dict["NAME"]
    boss = query("SELECT current_user")[0][0]
    roles = Roles(f"{name}_owner", f"{name}_web", f"{name}_analyst", boss)
    _forget(roles, name)
    query(f"""
        CREATE ROLE {roles.owner} LOGIN PASSWORD '{PASSWORD}';
        CREATE ROLE {roles.web} LOGIN NOINHERIT PASSWORD '{PASSWORD}';
        CREATE ROLE {roles.analyst} LOGIN PASSWORD '{PASSWORD}';
        GRANT {roles.owner} TO {roles.web};
        ALTER DATABASE {name} OWNER TO {roles.owner};
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO {roles.owner};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {roles.web};
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {roles.web};
        CREATE SCHEMA desk AUTHORIZATION {roles.analyst};
        GRANT USAGE ON SCHEMA desk TO PUBLIC;
    """)
    try:
        yield roles
    finally:
        _forget(roles, name)


def _forget(roles: Roles, name: str) -> None:
    query("DROP SCHEMA IF EXISTS views, desk CASCADE")
    query(f'ALTER DATABASE {name} OWNER TO "{roles.boss}"')
    for (role,) in query("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(roles.made)]):
        query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [role])
        query(f"DROP OWNED BY {role} CASCADE")
    query(f"DROP ROLE IF EXISTS {', '.join(roles.made)}")


@contextmanager
def connected_as(role: str) -> Iterator[None]:
    """Make the default connection of this thread, and of threads to come, one of another role."""
    own, other = connections["default"], connect_as(role)
    login = {"USER": role, "PASSWORD": PASSWORD}
    settings = connections.settings["default"]
    connections.settings["default"] = {**settings, **login}
    connections["default"] = other
    try:
        yield
    finally:
        connections.settings["default"] = settings
        connections["default"] = own
        other.close()


def query_as(role: str, sql: str) -> Rows:
    """Run SQL in a session of some role, whose transaction is committed."""
    connection = connect_as(role)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()
