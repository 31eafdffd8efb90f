"""``ORM_VIEWS["SYNC_ROLE"]``: plans, syncs and refreshes run as another role than the one that logs in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections, transaction

from orm_views_core.engines.postgresql.cancellation import cancel, cancel_work
from orm_views_core.engines.postgresql.catalog.trust import read_trusted_roles
from orm_views_core.engines.postgresql.locking.sessions import find_backends, find_running, own_backend
from orm_views_core.exceptions import PlanBlockedError, RefreshError, SyncFailedError, ViewSQLError
from orm_views_core.inspection import inspect_view
from orm_views_core.names import ViewName
from orm_views_core.refresh import refresh_views
from orm_views_core.status import get_detail, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.testing import refresh_for_test
from orm_views_core.views.registry import registry
from tests.admin.browse import declare, declare_materialised
from tests.attacks.attacker import connect_as, query
from tests.core.gates import wait_until
from tests.roles import Roles, connected_as, documented_sql, query_as, three_roles

pytestmark = pytest.mark.django_db(transaction=True)

WHO = "SELECT current_user::text AS who, n FROM generate_series(1, 3) AS n"


@pytest.fixture
def roles(transactional_db: None, settings: Any) -> Iterator[Roles]:
    """The roles; SYNC_ROLE is the owner."""
    with three_roles() as roles:
        settings.ORM_VIEWS = {"SYNC_ROLE": roles.owner}
        yield roles


@pytest.fixture
def as_web(roles: Roles) -> Iterator[Roles]:
    """The roles, and the default connection is that of the pages."""
    with connected_as(roles.web):
        yield roles


def who() -> tuple[str, str, str]:
    """Return the role that is in force on the default connection, and its setting."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_user, session_user, current_setting('role')")
        found: tuple[str, str, str] = cursor.fetchone()
        return found


def owners() -> dict[str, str]:
    """Return the owner of each view."""
    return dict(
        query(
            "SELECT relname, relowner::regrole::text FROM pg_class WHERE relnamespace = 'views'::regnamespace"
        )
    )


def acl(view: str) -> set[str]:
    """Return who may do what with a view, and who has granted it."""
    return {
        item
        for (item,) in query(
            "SELECT unnest(relacl)::text FROM pg_class WHERE relname = %s AND relkind = 'm'", [view]
        )
    }


def test_a_role_that_may_create_nothing_syncs(as_web: Roles) -> None:
    declare("Plain", WHO)
    declare_materialised("Stored", WHO, pk_field="n")
    (plan,) = plan_views()
    assert [str(step.target) for step in plan.steps] == ["views", "views.plain", "views.stored"]
    assert who() == (as_web.web, as_web.web, "none")
    sync_views()
    assert who() == (as_web.web, as_web.web, "none")
    assert set(owners().values()) == {as_web.owner}
    assert query_as(as_web.boss, "SELECT DISTINCT who FROM views.stored") == [(as_web.owner,)]
    assert plan_views()[0].steps == ()


def test_a_rebuild_keeps_what_another_role_granted(as_web: Roles) -> None:
    stored = declare_materialised("Stored", WHO)
    sync_views()
    query_as(as_web.owner, f"GRANT SELECT ON views.stored TO {as_web.analyst} WITH GRANT OPTION")
    query_as(as_web.boss, f"GRANT {as_web.analyst} TO {as_web.owner}")  # who has to act as the grantor
    query_as(as_web.owner, f"GRANT USAGE ON SCHEMA views TO {as_web.analyst}")
    query_as(as_web.analyst, f"GRANT SELECT ON views.stored TO {as_web.web}")
    before = acl("stored")
    stored.sql = WHO.replace("3", "4")
    sync_views()
    assert acl("stored") == before
    assert f"{as_web.web}=r/{as_web.analyst}" in before
    assert owners()["stored"] == as_web.owner
    assert who()[0] == as_web.web


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_role_that_owns_nothing_refreshes(as_web: Roles, jobs: int) -> None:
    declare_materialised("Stored", WHO, with_data=False)
    declare_materialised("Others", WHO, with_data=False)
    sync_views()
    assert all(result.ok for result in refresh_views(jobs=jobs))
    assert who() == (as_web.web, as_web.web, "none")
    assert query_as(as_web.boss, "SELECT DISTINCT who FROM views.stored") == [(as_web.owner,)]


def test_the_dry_runs_of_the_detail_page_and_of_inspect_view(as_web: Roles) -> None:
    view = declare("Plain", WHO)
    detail = get_detail("default", ViewName("views", "plain"))
    assert detail.not_tried == ""
    assert [column.name for column in detail.columns] == ["who", "n"]
    assert len(inspect_view("plain").columns) == 2
    assert who() == (as_web.web, as_web.web, "none")
    assert view in registry.views("default")


def test_rows_refreshed_for_a_test(as_web: Roles) -> None:
    view = declare_materialised("Stored", WHO, with_data=False)
    sync_views()
    refresh_for_test(view)
    assert query_as(as_web.boss, "SELECT count(*) FROM views.stored") == [(3,)]
    assert who()[2] == "none"


def test_a_sync_after_migrate(as_web: Roles, settings: Any) -> None:
    settings.ORM_VIEWS |= {"SYNC_ON_MIGRATE": True}
    declare("Plain", WHO)
    call_command("migrate", verbosity=0)
    assert owners() == {"plain": as_web.owner}
    assert who()[2] == "none"


def test_the_command_line_is_the_role_already(roles: Roles) -> None:
    declare("Plain", WHO)
    with connected_as(roles.owner):
        sync_views()
        assert who() == (roles.owner, roles.owner, "none")
    assert owners() == {"plain": roles.owner}


def test_a_superuser_syncs_as_the_role_too(roles: Roles) -> None:
    boss = who()
    declare("Plain", WHO)
    sync_views()
    assert owners() == {"plain": roles.owner}
    assert who() == boss


@pytest.mark.parametrize("call", [plan_views, sync_views])
def test_the_role_is_back_after_an_error(as_web: Roles, call: Any) -> None:
    declare("Wrong", "SELECT missing FROM lending_loan")
    with pytest.raises(ViewSQLError):
        call()
    assert who() == (as_web.web, as_web.web, "none")


def test_the_role_is_back_after_a_refresh_that_fails(as_web: Roles) -> None:
    declare_materialised("Wrong", "SELECT 1 / count(*) AS n FROM lending_loan", with_data=False)
    sync_views()
    with pytest.raises(RefreshError, match="division by zero"):
        refresh_views()
    assert who() == (as_web.web, as_web.web, "none")


@pytest.mark.parametrize("fails", [False, True])
def test_the_role_is_back_within_the_transaction_of_the_caller(as_web: Roles, *, fails: bool) -> None:
    declare("Plain", "SELECT missing" if fails else WHO)
    with transaction.atomic():
        if fails:
            with pytest.raises(ViewSQLError):
                sync_views()
        else:
            sync_views()
        assert who() == (as_web.web, as_web.web, "none")
        query("SELECT 1")


def test_a_role_that_the_caller_has_set_is_set_again(as_web: Roles, settings: Any) -> None:
    declare("Plain", WHO)
    with transaction.atomic():
        query(f"SET LOCAL ROLE {as_web.owner}")
        settings.ORM_VIEWS = {"SYNC_ROLE": as_web.web}
        plan_views()
        assert who() == (as_web.owner, as_web.web, as_web.owner)


def test_the_next_user_of_a_pooled_connection_is_not_the_role(as_web: Roles) -> None:
    """A pooler hands a backend on after each transaction, whether or not it was committed."""
    declare("Plain", WHO)
    pid = own_backend("default").pid
    sync_views()
    declare("Wrong", "SELECT missing")
    with pytest.raises(ViewSQLError):
        sync_views()
    assert own_backend("default").pid == pid
    assert who() == (as_web.web, as_web.web, "none")
    assert query("SELECT source FROM pg_settings WHERE name = 'role'") != [("session",)]


MISTAKES = {
    "no such role": ("nobody_at_all", "Create it, or name another role."),
    "no member": ("{analyst}", 'GRANT "{analyst}" TO "{web}", or name another role.'),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_role_is_named_with_its_setting(as_web: Roles, settings: Any, mistake: str) -> None:
    role, cure = (text.format(**as_web._asdict()) for text in MISTAKES[mistake])
    settings.ORM_VIEWS = {"SYNC_ROLE": role}
    declare_materialised("Stored", WHO)
    wrong = rf"Database 'default': {as_web.web} cannot act as '{role}', .* ORM_VIEWS\['SYNC_ROLE'\] names: "
    for call in (plan_views, sync_views):
        with pytest.raises(SyncFailedError, match=wrong) as caught:
            call()
        assert str(caught.value).endswith(cure)
    assert "ORM_VIEWS['SYNC_ROLE']" in get_detail("default", ViewName("views", "stored")).not_tried
    assert get_statuses()[0].error is None
    assert who() == (as_web.web, as_web.web, "none")


def test_a_wrong_role_when_a_view_is_refreshed(as_web: Roles, settings: Any) -> None:
    declare_materialised("Stored", WHO, with_data=False)
    sync_views()
    settings.ORM_VIEWS = {"SYNC_ROLE": "nobody_at_all"}
    with pytest.raises(RefreshError, match=r"ORM_VIEWS\['SYNC_ROLE'\]"):
        refresh_views()


def test_what_the_role_lacks_is_said_of_the_role(as_web: Roles) -> None:
    query_as(as_web.boss, f"REVOKE SELECT ON lending_loan FROM {as_web.owner}")
    declare("Plain", "SELECT id FROM lending_loan")
    with pytest.raises(PlanBlockedError, match=f"{as_web.owner} may not read public.lending_loan"):
        sync_views()


def test_pages_see_and_cancel_the_work_of_the_command_line(as_web: Roles) -> None:
    """A backend of the owner is invisible to the web role, which inherits nothing."""
    declare_materialised("Slow", "SELECT pg_sleep(60)::text AS slept", with_data=False)
    sync_views()
    other = connect_as(as_web.owner)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
        assert find_backends("default", [pid]).keys() == {pid}
        cursor.execute("BEGIN; SELECT pg_advisory_xact_lock(%s)", [int.from_bytes(b"ormviews", "big")])
    assert [each.pid for each in find_running("default")] == [pid]
    started = find_backends("default", [pid])[pid].started
    assert cancel("default", pid)
    assert cancel_work("default", pid, started, None)  # it is idle, so that its backend is terminated
    wait_until(f"SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})")
    other.close()


def test_a_role_that_does_not_own_the_database(as_web: Roles, settings: Any) -> None:
    """docs/explanation/security.md says what such a role needs besides."""
    name = connections["default"].settings_dict["NAME"]
    query_as(as_web.boss, f'ALTER DATABASE {name} OWNER TO "{as_web.boss}"; {documented_sql()[4]}')
    settings.ORM_VIEWS |= {"TRUSTED_OWNERS": [as_web.owner]}
    declare("Plain", "SELECT id FROM lending_loan")
    sync_views()
    assert owners() == {"plain": as_web.owner}
    with connections["default"].cursor() as cursor:
        trusted = read_trusted_roles(cursor)
    assert query("SELECT oid FROM pg_roles WHERE rolname = %s", [as_web.owner])[0][0] in trusted


@pytest.mark.parametrize("name", ['odd "role', "it's; DROP ROLE x", "Größe %s", "p" * 63])
def test_a_role_with_any_name(transactional_db: None, make_role: Any, settings: Any, name: str) -> None:
    settings.ORM_VIEWS = {"SYNC_ROLE": make_role(name)}
    quoted = connections["default"].ops.quote_name(name).replace('"role', '""role')
    query(f"GRANT CREATE ON DATABASE {connections['default'].settings_dict['NAME']} TO {quoted}")
    declare("Plain", WHO)
    try:
        sync_views()
        assert query("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'plain'") == [(name,)]
    finally:
        query("DROP SCHEMA IF EXISTS views CASCADE")
    assert who()[2] == "none"
