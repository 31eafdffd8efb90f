"""How long refreshes and syncs usually take: like is compared with like."""

from __future__ import annotations

import datetime as dt
import re
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orm_views_admin.models import Run
from orm_views_admin.trends import EndedRun, usual_durations, usual_seconds, usual_steps
from orm_views_admin.ui.wording import duration
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, declare_materialised, text_of
from tests.admin.histories import make_run, path_of

pytestmark = pytest.mark.django_db


def ended(seconds, concurrently=None, state="succeeded"):
    return EndedRun(seconds, state, concurrently)


MIXED = [ended(1, True), ended(9, False), ended(2, True), ended(3, True), ended(11, False)]


@pytest.mark.parametrize(
    ("concurrently", "seconds"),
    [(True, 2), (False, 10), (None, 10)],
    ids=["concurrent", "not", "as the last"],
)
def test_a_refresh_is_compared_with_those_that_went_the_same_way(concurrently, seconds):
    assert usual_seconds(MIXED, concurrently=concurrently) == seconds


def test_refreshes_that_went_the_other_way_tell_nothing():
    state = SimpleNamespace(seconds=5.0)
    assert usual_seconds([ended(1, True)], state, concurrently=False) is None
    assert usual_seconds([], state, concurrently=False) == 5.0


def test_refreshes_whose_way_was_not_recorded_count():
    assert usual_seconds([ended(4)], concurrently=True) == 4


def test_failed_refreshes_do_not_count():
    assert usual_seconds([ended(4), ended(60, state="failed")]) == 4


def step(action, name="views.loans", seconds=None, state="done"):
    verb = action.partition(" ")[2]
    return {"text": f"{verb} {name}", "action": action, "target": name, "state": state, "seconds": seconds}


CREATE, REBUILD, REPLACE, COMMENT = "+ create", "± rebuild", "~ replace", "~ comment"


def make_sync(*steps, seconds=None, **fields):
    return make_run("", steps=list(steps), seconds=seconds, **fields)


def usual(*steps):
    """Return how long a running sync of some steps usually takes."""
    pending = [{**each, "state": "pending", "seconds": None} for each in steps]
    run = make_run("", steps=pending, state="running")
    found = usual_durations([run]).get(run.pk)
    run.delete()
    return found


def test_a_sync_of_one_comment_is_not_compared_with_the_first_sync_of_many_views():
    make_sync(*(step(CREATE, f"views.v{n}") for n in range(1000)), seconds=11.8)
    assert usual(step(COMMENT, "views.v1")) is None


def test_a_sync_usually_takes_as_long_as_those_that_did_the_same():
    for seconds in (4, 2, 30):
        make_sync(step(COMMENT), step(REPLACE, "views.fees"), seconds=seconds)
    make_sync(step(COMMENT), seconds=100)
    assert usual(step(REPLACE, "views.fees"), step(COMMENT)) == 4


def test_otherwise_it_takes_as_long_as_its_builds_together():
    make_sync(step(REBUILD, seconds=8.0), seconds=9.0)
    make_sync(step(REBUILD, seconds=6.0), step(REPLACE, "views.fees"), seconds=7.0)
    make_sync(step(CREATE, "views.rates", seconds=2.0), step(COMMENT), seconds=3.0)
    assert usual(step(REBUILD), step(CREATE, "views.rates"), step(COMMENT, "views.new")) == 9.0


@pytest.mark.parametrize(
    "new",
    [step(CREATE, "views.new"), step(REBUILD, "views.fees"), step("~ index")],
    ids=["a new view", "another action", "an index"],
)
def test_with_a_build_that_was_never_done_nobody_knows(new):
    make_sync(step(REBUILD, seconds=8.0), step(CREATE, "views.fees", seconds=1.0), seconds=9.0)
    assert usual(step(REBUILD), step(COMMENT)) == 8.0
    assert usual(step(REBUILD), new) is None


def test_failed_old_and_foreign_syncs_tell_nothing():
    make_sync(step(REBUILD, seconds=8.0), seconds=9.0, state="failed")
    make_sync(step(REBUILD, seconds=8.0), seconds=9.0, database="warehouse")
    make_sync(step(REBUILD, seconds=8.0), seconds=9.0, ago=dt.timedelta(days=91).total_seconds())
    make_sync({"text": "rebuild views.loans", "state": "done", "seconds": 8.0}, seconds=9.0)
    assert usual(step(REBUILD)) is None


def test_a_run_is_not_compared_with_itself():
    sync = make_sync(step(REBUILD, seconds=8.0), seconds=9.0)
    refresh = make_run("loans", seconds=2.0)
    assert usual_durations([sync, refresh]) == {}


def test_a_sync_without_a_plan_yet_has_no_usual_duration():
    make_sync(step(REBUILD, seconds=8.0), seconds=9.0)
    assert usual() is None


def test_the_page_of_a_sync_says_how_long_it_usually_takes(browse):
    make_sync(step(REBUILD, seconds=8.0), step(REPLACE, "views.fees"), seconds=9.0)
    run = make_run("", steps=[step(REBUILD, state="running")], state="running", ago=1)
    assert "(usually 8.0" in browse.read(path_of(run))
    run.steps = [step(COMMENT, state="running")]
    run.save()
    assert "usually" not in browse.read(path_of(run))


def test_the_plan_says_how_long_each_step_usually_takes(browse, execute):
    execute("CREATE TABLE numbers (n int)")
    declare_materialised("Loans", "SELECT n FROM numbers")
    declare("Fees", "SELECT n FROM numbers")
    sync_views()
    Run.objects.all().delete()
    make_sync(step(REBUILD, seconds=42.0), step(REPLACE, "views.fees", seconds=3.0), seconds=50.0)
    make_sync(step(COMMENT, "views.fees", seconds=77.0), seconds=78.0)
    declare_materialised("Loans", "SELECT n FROM numbers WHERE n > 1")
    declare("Fees", "SELECT n FROM numbers WHERE n > 1")
    page = browse.get(f"{LIST}sync/")
    assert "Usual time" in page
    found = [text_of(cell) for cell in re.findall(r'data-label="Usual time"[^>]*>(.*?)</td>', page)]
    assert sorted(found) == [duration(3.0), duration(42.0)]


def test_the_last_build_is_the_usual_time_of_what_was_never_rebuilt(browse, execute):
    declare_materialised("Loans", "SELECT 1 AS n", __doc__="Old.")
    declare("Fees", "SELECT 1 AS n")
    sync_views()
    declare_materialised("Loans", "SELECT 1 AS n", __doc__="New.")
    assert "comment views.loans" in browse.read(f"{LIST}sync/")
    assert 'data-label="Usual time" class="ov-number ov-none"' in browse.get(f"{LIST}sync/")
    declare_materialised("Loans", "SELECT 2 AS n", __doc__="Old.")
    assert 'data-label="Usual time" class="ov-number"' in browse.get(f"{LIST}sync/")


def test_the_number_of_queries_does_not_depend_on_the_number_of_runs_and_steps():
    def queries(syncs, steps):
        for n in range(syncs):
            make_sync(*(step(REBUILD, f"views.v{i}", seconds=1.0) for i in range(steps)), seconds=n)
        runs = [make_sync(step(REBUILD, "views.v0"), seconds=1.0)]
        for _ in range(2):
            runs += [make_run(f"v{n}", seconds=1.0, concurrently=True) for n in range(steps)]
        runs = runs[: 1 + steps]
        with CaptureQueriesContext(connection) as captured:
            assert len(usual_durations(runs)) == 1 + steps
        with CaptureQueriesContext(connection) as further:
            assert usual_steps(["default"])["default"]["± rebuild", "views.v0"] == 1.0
        return len(captured), len(further)

    assert queries(2, 2) == queries(30, 40) == (2, 1)


def test_the_page_of_a_plan_takes_one_query_for_all_past_syncs(browse):
    names = [f"views.v{n}" for n in range(5)]
    for name in names:
        declare(name.partition(".")[2].title(), "SELECT 1 AS n")
    sync_views()
    for name in names:
        declare(name.partition(".")[2].title(), "SELECT 2 AS n")
    browse.get(f"{LIST}sync/")

    def queries():
        make_sync(*(step(REPLACE, name, seconds=2.0) for name in names), seconds=20.0)
        with CaptureQueriesContext(connection) as captured:
            page = browse.get(f"{LIST}sync/")
        found = [text_of(cell) for cell in re.findall(r'data-label="Usual time"[^>]*>(.*?)</td>', page)]
        assert found == [duration(2.0)] * 5
        return len(captured)

    few = queries()
    for n in range(30):
        make_sync(*(step(REBUILD, f"views.w{i}", seconds=1.0) for i in range(10)), seconds=n, ago=500)
    assert queries() == few
