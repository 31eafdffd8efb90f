"""The roles of docs/explanation/security.md: what the web server's role and an analyst cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connections, transaction
from django.test import Client

from orm_views_core.engines.postgresql.cancellation import cancel, cancel_work
from orm_views_core.engines.postgresql.catalog.trust import read_trusted_roles
from orm_views_core.engines.postgresql.errors.diagnostics import sqlstate
from orm_views_core.engines.postgresql.locking.sessions import find_backends
from orm_views_core.engines.postgresql.roles import as_sync_role
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.refresh import refresh_views
from orm_views_core.sync import plan_views, sync_views
from tests.admin.browse import LIST, declare, declare_materialised, url
from tests.roles import Roles, connected_as, query_as, three_roles
from tests.sampling import sample

from .attacker import connect_as, query

pytestmark = pytest.mark.django_db(transaction=True)

_SYNC_LOCK = int.from_bytes(b"ormviews", "big")


@pytest.fixture
def roles(transactional_db: None, settings: Any) -> Iterator[Roles]:
    """The roles. Two views are synced, of which the analysts may read one."""
    with three_roles() as roles:
        settings.ORM_VIEWS = {"SYNC_ROLE": roles.owner}
        declare("Shown", "SELECT 1 AS n", grant_select_to=[roles.analysts])
        declare_materialised("Closed", "SELECT id FROM lending_loan")
        with connected_as(roles.web):
            sync_views()
            yield roles


def picture(roles: Roles) -> list[tuple[Any, ...]]:
    """Return what anybody could have changed in the schema of the views."""
    return query_as(
        roles.boss,
        """SELECT c.oid, c.relname, c.relowner, c.relacl::text, c.relfilenode, nspacl::text,
                  obj_description(c.oid, 'pg_class'), obj_description(n.oid, 'pg_namespace')
           FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'views' ORDER BY 1""",
    )


def trusted_roles() -> list[int]:
    """Return the oids of the roles that a sync trusts."""
    connection = connections["default"]
    with transaction.atomic(), as_sync_role(connection), connection.cursor() as cursor:
        return read_trusted_roles(cursor)


CHANGES = {
    "create a view among ours": "CREATE VIEW views.mine AS SELECT 1 AS one",
    "create a function in public": "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "create an operator in public": "CREATE OPERATOR public.|| (LEFTARG = int, RIGHTARG = text, "
    "FUNCTION = pg_catalog.textanycat)",
    "create a schema": "CREATE SCHEMA orm_views_staging_0",
    "replace a view": "CREATE OR REPLACE VIEW views.shown AS SELECT 2 AS n",
    "drop a view": "DROP VIEW views.shown",
    "rename a view": "ALTER VIEW views.shown RENAME TO other",
    "move a view": "ALTER VIEW views.shown SET SCHEMA public",
    "take over a view": "ALTER VIEW views.shown OWNER TO CURRENT_USER",
    "forge a sync state": "COMMENT ON VIEW views.shown IS 'forged'",
    "forge a comment of a schema": "COMMENT ON SCHEMA views IS 'forged'",
    "refresh a view": "REFRESH MATERIALIZED VIEW views.closed",
    "index a view": "CREATE INDEX ON views.closed (id)",
    "lock a view against readers": "BEGIN; LOCK TABLE views.shown IN ACCESS EXCLUSIVE MODE",
    "put a rule on a view": "CREATE RULE r AS ON INSERT TO views.shown DO INSTEAD NOTHING",
    "grant what is not theirs to grant": "GRANT SELECT ON views.closed TO PUBLIC",
    "drop the schema": "DROP SCHEMA views CASCADE",
}


@pytest.mark.parametrize("who", ["web", "analyst"])
@pytest.mark.parametrize("what", sample(CHANGES, 3))
def test_changing_what_belongs_to_the_owner(roles: Roles, who: str, what: str) -> None:
    """The web server's role without SET ROLE, or an analyst, changes what the owner has."""
    before = picture(roles)
    refusal = None
    try:
        query_as(getattr(roles, who), CHANGES[what])
    except DatabaseError as error:
        refusal = sqlstate(error)
    # To whom may read the view, PostgreSQL only gives a warning that nothing was granted.
    assert refusal == "42501" or ("grant" in what and refusal is None)
    assert picture(roles) == before


READS = {
    "a table": "SELECT * FROM lending_customer",
    "a view that is not for analysts": "SELECT * FROM views.closed",
    "the passwords of the database": "SELECT rolpassword FROM pg_authid",
    "the sessions of staff": "SELECT session_data FROM django_session",
    "a file of the server": "SELECT pg_read_file('PG_VERSION')",
    "the output of a program": "CREATE TEMP TABLE t (x text); COPY t FROM PROGRAM 'id'",
    "as the owner": "SET ROLE {owner}",
    "as the web server": "SET ROLE {web}",
    "as the owner, by another way": "SET SESSION AUTHORIZATION {owner}",
    "by making itself a member": "GRANT {owner} TO {analyst}",
}


@pytest.mark.parametrize("what", READS)
def test_reading_what_is_closed(roles: Roles, what: str) -> None:
    """An analyst reads what is closed to analysts."""
    with pytest.raises(DatabaseError) as caught:
        query_as(roles.analyst, READS[what].format(**roles._asdict()))
    assert sqlstate(caught.value) == "42501"
    assert query_as(roles.analyst, "SELECT n FROM views.shown") == [(1,)]


def test_ending_our_work(roles: Roles) -> None:
    """An analyst cancels or terminates the backend of a sync."""
    pid = query("SELECT pg_backend_pid()")[0][0]
    for function in ("pg_cancel_backend", "pg_terminate_backend"):
        with pytest.raises(DatabaseError) as caught:
            query_as(roles.analyst, f"SELECT {function}({pid})")
        assert sqlstate(caught.value) == "42501"
    seen = query_as(
        roles.analyst, f"SELECT query, state, backend_start FROM pg_stat_activity WHERE pid = {pid}"
    )
    assert seen == [("<insufficient privilege>", None, None)]


def test_being_cancelled_in_their_place(roles: Roles) -> None:
    """An analyst takes the sync lock, so that our cancelling ends a session that is not ours."""
    session = connect_as(roles.analyst)
    with session.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), now()")
        pid, now = cursor.fetchone()
        cursor.execute("BEGIN")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SYNC_LOCK])
        assert find_backends("default", [pid])[pid].started is None
        with pytest.raises(DatabaseError) as caught:
            cancel("default", pid)
        assert sqlstate(caught.value) == "42501"
        assert not cancel_work("default", pid, now, None)
        cursor.execute("SELECT 1")
    session.close()
    assert query("SELECT current_user, current_setting('role')") == [(roles.web, "none")]


@pytest.mark.parametrize("page", ["preview", "count", "detail", "list"])
def test_reading_with_the_rights_of_the_owner(roles: Roles, page: str) -> None:
    """Staff read, by a page, rows that the owner may read and the web server's role may not."""
    query_as(roles.boss, f"REVOKE SELECT ON lending_customer FROM {roles.web}")
    query_as(
        roles.boss,
        f"CREATE TABLE desk AS SELECT 'hunter2'::text AS secret; GRANT SELECT ON desk TO {roles.owner}",
    )
    try:
        declare_materialised("Rich", "SELECT secret FROM desk")
        sync_views()
        query_as(roles.owner, f"REVOKE SELECT ON views.rich FROM {roles.web}")
        client = Client()
        client.force_login(get_user_model().objects.create_superuser("root"))
        path = LIST if page == "list" else url(page, "rich")
        response = client.get(path)
        text = response.content.decode()
        assert "hunter2" not in text
        if page == "count":
            assert response.json()["rows"] is None
        with pytest.raises(DatabaseError):
            query("SELECT * FROM views.rich")
    finally:
        query_as(roles.boss, "DROP TABLE desk CASCADE")


@pytest.mark.parametrize("call", [plan_views, sync_views, refresh_views])
@pytest.mark.parametrize("fails", [False, True], ids=["succeeds", "fails"])
def test_the_next_client_of_a_pooled_backend(roles: Roles, call: Any, *, fails: bool) -> None:
    """Whoever gets our backend from a pooler next is still the sync role."""
    if fails:
        declare_materialised(
            "Broken", "SELECT 1 / (n - 1) AS n FROM views.shown", with_data=call is not refresh_views
        )
        if call is refresh_views:
            sync_views()
    pid = query("SELECT pg_backend_pid()")
    try:
        call()
    except OrmViewsError:
        assert fails
    assert query("SELECT pg_backend_pid()") == pid
    assert query("SELECT current_user, current_setting('role')") == [(roles.web, "none")]
    with pytest.raises(DatabaseError):
        query("DROP VIEW views.shown")


MEMBERS = {
    "of the owner only": ("owner", False),
    "of the web server's role": ("web", True),  # and thereby of the owner
    "of the analysts": ("analysts", False),
}


@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_of_one_of_our_two_roles(roles: Roles, member: str) -> None:
    """A member of the role that we set, and not of the one that we logged in as, is trusted."""
    role, is_trusted = MEMBERS[member]
    query_as(roles.boss, f"GRANT {getattr(roles, role)} TO {roles.analyst}")
    oids = dict(query("SELECT rolname, oid FROM pg_roles"))
    trusted = trusted_roles()
    assert (oids[roles.analyst] in trusted) is is_trusted
    assert oids[roles.owner] in trusted, "it owns the database"
    assert oids[roles.web] in trusted


@pytest.mark.parametrize("named", [False, True], ids=["not named", "in TRUSTED_OWNERS"])
def test_a_sync_role_that_owns_nothing(roles: Roles, settings: Any, *, named: bool) -> None:
    """A role that we set is trusted for that alone, although it could not become the role that logs in."""
    name = connections["default"].settings_dict["NAME"]
    query_as(roles.boss, f'ALTER DATABASE {name} OWNER TO "{roles.boss}"')
    settings.ORM_VIEWS |= {"TRUSTED_OWNERS": [roles.owner] if named else []}
    trusted = trusted_roles()
    oid = query("SELECT oid FROM pg_roles WHERE rolname = %s", [roles.owner])[0][0]
    assert (oid in trusted) is named
