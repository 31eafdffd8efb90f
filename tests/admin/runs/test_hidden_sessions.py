"""Runs whose sessions the looking role may not see, and sessions that do not see themselves.

A role sees the sessions of the roles whose privileges it has. Of all others it sees only that they exist.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from orm_views_admin.models import Run
from orm_views_admin.runs import cancel, reconcile
from orm_views_core.engines.postgresql.locking.sessions import find_backends, own_backend
from orm_views_core.sync import sync_views
from tests.admin.browse import declare
from tests.attacks.attacker import connect_as
from tests.roles import Roles, connected_as, three_roles

pytestmark = pytest.mark.django_db(transaction=True)

_SYNC_LOCK = int.from_bytes(b"ormviews", "big")


@pytest.fixture
def roles(transactional_db: None, settings: Any) -> Iterator[Roles]:
    """Become the web role, which sees no session of the role that syncs."""
    settings.ORM_VIEWS = {}
    with three_roles() as roles:
        other = connections["default"]
        with other.cursor() as cursor:
            cursor.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {roles.web}")
            cursor.execute(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {roles.web}")
        with connected_as(roles.web):
            yield roles


@pytest.fixture
def hidden(roles: Roles) -> Iterator[Any]:
    """A session of the role that syncs."""
    session = connect_as(roles.owner)
    try:
        with session.cursor() as cursor:
            yield cursor
    finally:
        session.close()


def running(cursor: Any, **ago: float) -> Run:
    """Return the run of a sync by some session that began so long ago."""
    cursor.execute("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
    pid, started = cursor.fetchone()
    return Run.objects.create(
        request="0" * 32,
        kind=Run.Kind.SYNC,
        database="default",
        state=Run.State.RUNNING,
        pid=pid,
        backend_start=started,
        started_at=timezone.now() - dt.timedelta(**ago),
    )


def state_of(run: Run) -> str:
    reconcile()
    run.refresh_from_db()
    return run.state


def test_a_session_that_may_not_be_seen_is_not_gone(hidden: Any) -> None:
    run = running(hidden, seconds=5)
    assert find_backends("default", [run.pid])[run.pid].state is None
    assert state_of(run) == "running"


def test_a_session_that_may_not_be_seen_is_at_work_as_long_as_it_holds_the_lock(hidden: Any) -> None:
    run = running(hidden, hours=5)
    hidden.execute("BEGIN")
    hidden.execute("SELECT pg_advisory_xact_lock(%s)", [_SYNC_LOCK])
    assert state_of(run) == "running"
    hidden.execute("ROLLBACK")
    assert state_of(run) == "lost"


def test_a_session_that_may_not_be_seen_and_has_ended_is_gone(hidden: Any) -> None:
    run = running(hidden, seconds=5)
    hidden.connection.close()
    for _ in range(50):
        if state_of(run) == "lost":
            break
    assert run.state == "lost"


def test_a_sync_that_was_believed_lost_and_succeeds_has_no_error(django_user_model: Any) -> None:
    declare("Plain", "SELECT 1 AS one")

    def lose(**_: Any) -> None:
        Run.objects.update(state=Run.State.LOST, error="gone", error_summary="gone")

    sync_views(on_plan=lambda plan: lose())
    run = Run.objects.get()
    assert (run.state, run.error, run.error_summary) == ("succeeded", "", "")


@pytest.fixture
def assumed(roles: Roles) -> Iterator[Roles]:
    """Have logged in as the web role and act as the one that syncs, as with assume_role in DATABASES."""
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SET ROLE {roles.owner}")
        yield roles
        cursor.execute("RESET ROLE")


def test_a_sync_by_a_session_that_has_set_another_role_is_recorded(assumed: Roles, caplog: Any) -> None:
    declare("Plain", "SELECT 1 AS one")
    sync_views()
    assert caplog.text == ""
    run = Run.objects.get()
    assert (run.state, run.pid) == ("succeeded", own_backend("default").pid)
    assert run.backend_start
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('role')")
        assert cursor.fetchone() == (assumed.owner, assumed.owner)


def test_what_a_session_that_has_set_another_role_does_can_be_cancelled(
    assumed: Roles, django_user_model: Any
) -> None:
    session = connect_as(assumed.web)
    with session.cursor() as cursor:
        run = running(cursor, seconds=1)
        Run.objects.update(backend_start=None)
        cursor.execute("BEGIN")
        cursor.execute(f"SET LOCAL ROLE {assumed.owner}")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SYNC_LOCK])
        assert cancel(run, by="ann")
    session.close()
