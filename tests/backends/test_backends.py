"""Syncs, plans, refreshes, states, runs from a page and their cancellation work on each backend."""

from __future__ import annotations

import os
import time

import pytest
from django.db import connection, connections

if "BACKEND" not in os.environ:
    pytest.skip("nox --session backends runs this, with one backend after another", allow_module_level=True)

from orm_views_admin.models import Run
from orm_views_admin.runs import cancel, start_refresh
from orm_views_core.engines.connections import spare_connections
from orm_views_core.exceptions import OrmViewsError, RefreshError
from orm_views_core.refresh import refresh_views
from orm_views_core.refresh_locks import find_running
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import plan_views, sync_views
from tests.admin.browse import LIST, declare_materialised, key, run_page
from tests.admin.slow import ABOVE, SLOW, wait_for, wait_for_state

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def threads(settings):
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "thread"}


def steps():
    return [(step.action.verb, step.target) for step in plan_views(["default"])[0].steps]


def states():
    return {view.name.name: view.state for view in get_statuses(["default"])[0].views}


def test_the_backend_is_the_one_that_is_meant():
    expected = {"pool": "django.db.backends.postgresql"}.get(os.environ["BACKEND"], os.environ["BACKEND"])
    assert expected in connection.settings_dict["ENGINE"]
    assert (getattr(connection, "pool", None) is not None) == (
        os.environ["BACKEND"] in ("pool", "geventpool")
    )


def test_views_are_synced_planned_and_refreshed(pause, execute):
    assert steps() == []
    assert states() == {"slow": State.SYNCED, "above": State.SYNCED}
    slow = declare_materialised("Other", "SELECT n FROM pause")
    assert steps() == [("create", "views.other")]
    sync_views()
    slow.sql = "SELECT n, 1 AS one FROM pause"
    assert steps() == [("rebuild", "views.other")]
    sync_views()
    assert steps() == []
    pause(0)
    assert [result.outcome.value for result in refresh_views()] == ["refreshed"] * 3
    assert execute("SELECT n FROM views.above") == execute("SELECT n FROM pause")
    assert set(Run.objects.values_list("kind", "state")) == {("sync", "succeeded"), ("refresh", "succeeded")}


def test_several_views_are_refreshed_at_once(pause, execute):
    declare_materialised("Other", "SELECT n FROM pause")
    sync_views()
    pause(0.2)
    assert len(refresh_views(jobs=2)) == 3
    assert execute("SELECT n FROM views.other") == execute("SELECT n FROM pause")


def test_a_refused_refresh_says_why(pause, execute):
    declare_materialised("Other", "SELECT 1 / seconds AS n FROM pause WHERE n > 1")
    sync_views()
    execute("UPDATE pause SET n = 2, seconds = 0")
    with pytest.raises(RefreshError, match="division by zero"):
        refresh_views(["other"])
    assert Run.objects.get(name="other", kind="refresh").state == "failed"


def test_a_connection_that_is_lost_is_told(pause):
    declare_materialised("Other", "SELECT n, pg_terminate_backend(pg_backend_pid()) FROM pause WHERE n > 1")
    sync_views()
    pause(0)
    with pytest.raises(OrmViewsError):
        refresh_views(["other"])
    connections["default"].close()
    assert states()["other"] is State.SYNCED


def test_a_run_from_a_page_is_performed(pause, staff):
    pause(0.1)
    client = staff("view", "refresh")
    assert client.get(LIST).status_code == 200
    form = {"view": key("slow"), "confirm": "yes"}
    run_page(client.post(f"{LIST}refresh/", form))
    run = wait_for(lambda: Run.objects.filter(name="slow").first())
    wait_for_state(run, "succeeded")
    assert "slow" in client.get(f"{LIST}runs/").content.decode()


def test_a_run_is_cancelled(pause, ann):
    pause(30)
    slow, _ = start_refresh(ann, [ABOVE, SLOW])
    wait_for_state(slow, "running")
    wait_for(lambda: find_running("default"))
    began = time.monotonic()
    assert cancel(slow, ann)
    wait_for_state(slow, "cancelled")
    assert time.monotonic() - began < 5
    wait_for(lambda: not find_running("default"))


def test_spare_connections_are_closed(pause):
    with spare_connections(["default"]) as aside:
        with aside():
            spare = connections["default"]
            with spare.cursor() as cursor:
                cursor.execute("SELECT 1")
        assert spare is not connections["default"]
    assert spare.connection is None
