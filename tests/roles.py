"""The roles of docs/explanation/security.md: one that syncs, one that serves pages, and an analyst."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from django.db import connections

from tests.attacks.attacker import PASSWORD, Rows, connect_as, query

_DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "explanation" / "security.md"

_PUBLIC_MAY_CREATE = """
SELECT FROM pg_namespace, aclexplode(nspacl)
WHERE nspname = 'public' AND grantee = 0 AND privilege_type = 'CREATE'
"""


class Roles(NamedTuple):
    """The names of the roles. ``owner``, ``web`` and ``analyst`` may log in.

    ``web`` is a member of ``owner`` and inherits nothing. ``analyst`` is a member of ``analysts`` and has a
    schema of its own name. ``boss`` is the role of the suite, a superuser.
    """

    owner: str
    web: str
    analyst: str
    analysts: str
    boss: str

    @property
    def made(self) -> tuple[str, ...]:
        """The roles that exist for a test only."""
        return self[:-1]


def documented_sql() -> list[str]:
    """Return the SQL of docs/explanation/security.md, with the name of the test's database for ``shop``."""
    name = connections["default"].settings_dict["NAME"]
    blocks = re.findall(r"^```sql\n(.*?)^```", _DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    return [re.sub(r"\bshop(?=_|\b)", name, block).replace("'…'", f"'{PASSWORD}'") for block in blocks]


@contextmanager
def three_roles() -> Iterator[Roles]:
    """Create the roles for the length of a test, by the statements of docs/explanation/security.md."""
    name = connections["default"].settings_dict["NAME"]
    boss = query("SELECT current_user")[0][0]
    roles = Roles(*(f"{name}_{who}" for who in ("owner", "web", "ann", "analysts")), boss)
    may_create = bool(query(_PUBLIC_MAY_CREATE))
    _forget(roles, name)
    try:
        for block in documented_sql()[:4]:
            query(block)
        # It owns Django's tables in a project; here the role of the suite does.
        query(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {roles.owner}")
        query(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {roles.owner}")
        yield roles
    finally:
        _forget(roles, name)
        if may_create:
            query("GRANT CREATE ON SCHEMA public TO PUBLIC")


def _forget(roles: Roles, name: str) -> None:
    query(f"DROP SCHEMA IF EXISTS views, {roles.analyst} CASCADE")
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
