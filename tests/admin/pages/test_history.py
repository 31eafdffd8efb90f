"""The history: every run with who, whence, how and what came of it; filters; durations as a picture."""

from __future__ import annotations

import re
import uuid

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_admin.models import Run
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare_materialised, key, text_of, url
from tests.admin.histories import make_run, path_of

pytestmark = pytest.mark.django_db
HISTORY = f"{LIST}runs/"


def rows(html):
    """The rows of the table, as text."""
    body = html.partition("<tbody")[2].partition("</tbody>")[0]
    return [text_of(row) for row in re.findall(r'<tr role="row">(.*?)</tr>', body, re.DOTALL)]


@pytest.fixture
def some():
    """A run of each result, the oldest first."""
    make_run("ages", ago=7200, who="ann", origin=Run.Origin.ADMIN, concurrently=True, seconds=2.5)
    make_run(
        "ages", ago=3 * 86_400, who="cron", origin=Run.Origin.COMMAND, state=Run.State.FAILED, error="no disk"
    )
    make_run("towns", ago=60, who="ann", state=Run.State.JOINED)
    make_run("towns", ago=50, state=Run.State.SKIPPED, seconds=None)
    make_run("towns", ago=40, state=Run.State.CANCELLED, cancelled_by="bob")
    make_run("towns", ago=20 * 86_400, state=Run.State.LOST, seconds=None)
    make_run("", ago=30, origin=Run.Origin.TASK, summary="2 to create")
    make_run("towns", ago=10, state=Run.State.RUNNING)


def test_a_row_says_when_what_who_whence_how_and_what_came_of_it(browse):
    make_run(
        "ages",
        ago=300,
        who="ann",
        origin=Run.Origin.COMMAND,
        concurrently=False,
        why_not="it has no unique index",
        seconds=2.5,
        waited=1.25,
        rows_before=1000,
        rows_after=1234,
        rows_exact=True,
        size_before=8192,
        size_after=16384,
        state=Run.State.FAILED,
        error="division by zero\nCONTEXT: somewhere",
    )
    page = browse.get(HISTORY)
    (row,) = rows(page)
    assert "5 minutes ago" in row
    assert "refresh views.ages" in row
    assert "failed division by zero" in row
    assert "CONTEXT" not in row
    assert "ann with a command" in row
    assert "readers wait" in row
    assert "it has no unique index" in page
    assert "locks: 1.2" in row
    assert "1,234 before: 1,000" in row
    assert "16.0 KB before: 8.0 KB" in row
    assert '<time datetime="' in page
    assert f'href="{path_of(Run.objects.get())}"' in page


def test_the_newest_is_first_and_there_are_pages(browse):
    for n in range(60):
        make_run("ages", ago=60 * n, who=f"n{n}")
    first = rows(browse.get(HISTORY))
    assert len(first) == 50
    assert "n0 " in first[0]
    assert len(rows(browse.get(HISTORY, page="2"))) == 10
    assert len(rows(browse.get(HISTORY, page="nonsense"))) == 50
    assert "60 runs" in browse.read(HISTORY)


def test_the_filter_by_origin_says_from_where_runs_were_started(browse, some):
    text = browse.read(HISTORY)
    for word in ("in the admin (1)", "with a command (1)", "by a task (1)", "by code of the project (5)"):
        assert word in text


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        ({}, 8),
        ({"state": "failed"}, 1),
        ({"state": "active"}, 1),
        ({"state": "wrong"}, 3),
        ({"kind": "sync"}, 1),
        ({"origin": "command"}, 1),
        ({"who": "ann"}, 2),
        ({"since": "hour"}, 5),
        ({"since": "day"}, 6),
        ({"since": "week"}, 7),
        ({"since": "month"}, 8),
        ({"database": "default"}, 8),
        ({"database": "elsewhere"}, 0),
        ({"since": "nonsense"}, 8),
        ({"state": "nonsense"}, 0),
        ({"who": "\0"}, 0),
        ({"who": "ann", "since": "hour"}, 1),
        ({"view": key("ages")}, 2),
        ({"view": key("ages"), "state": "failed"}, 1),
    ],
)
def test_runs_are_filtered(browse, some, chosen, count):
    page = browse.get(HISTORY, **chosen)
    assert len(rows(page)) == count
    assert ("No run matches these filters." in page) == (count == 0)


def test_filters_say_how_many_runs_they_would_leave(browse, some):
    text = browse.read(HISTORY)
    for said in (
        "All (8)",
        "under way (1)",
        "went wrong (3)",
        "failed (1)",
        "sync (1)",
        "with a command (1)",
        "ann (2)",
        "the last hour (5)",
    ):
        assert said in text
    assert "went wrong (1)" in browse.read(HISTORY, view=key("ages"))


def test_clearing_the_filters_keeps_the_view(browse, some):
    page = browse.get(HISTORY, view=key("ages"), state="lost")
    assert f'href="?view={key("ages")}"' in page
    assert "History of views.ages" in page


def test_a_view_that_is_none_is_not_found(browse):
    browse.get(HISTORY, view="nonsense", expect=404)


def test_durations_are_a_picture_with_a_shape_for_each_result(browse, some):
    page = browse.get(HISTORY)
    (picture,) = re.findall(r'<svg class="ov-chart-picture".*?</svg>', page, re.DOTALL)
    assert picture.count("ov-mark-done") == 2
    assert picture.count("ov-mark-failed") == 1
    assert picture.count("ov-mark-joined") == 1
    assert picture.count("ov-mark-stopped") == 1
    assert "<title>Refresh of views.ages," in picture
    assert "The durations of the last 5 runs. They are between" in picture
    assert "2 did not succeed." in picture
    assert "failed or lost" in text_of(page.partition("ov-legend")[2])


def test_a_single_run_has_no_picture(browse):
    make_run("ages")
    assert "ov-chart-picture" not in browse.get(HISTORY)


def test_nothing_yet_says_so(browse):
    assert "Nothing has been refreshed or synced yet." in browse.read(HISTORY)


def test_what_runs_say_is_escaped(browse):
    nasty = "<script>alert(1)</script>"
    for _ in range(2):
        make_run(nasty, who=nasty, error=nasty, state=Run.State.FAILED, cancelled_by=nasty, why_not=nasty)
    for path in (HISTORY, path_of(Run.objects.first()), LIST):
        assert nasty not in browse.get(path)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_times_without_a_zone_are_shown_too(browse, settings):
    settings.USE_TZ = False
    declare_materialised("Ages", "SELECT 1 AS one")
    sync_views()
    runs = [make_run("ages", ago=7200), make_run("ages", ago=20, state=Run.State.RUNNING)]
    assert "2 hours ago" in browse.read(HISTORY)
    assert "2 hours ago" in browse.read(url("detail", "ages"))
    assert "just now" in browse.read(LIST)
    for run in runs:
        assert "Started" in browse.read(path_of(run))


def test_the_history_takes_as_many_queries_for_many_runs_as_for_few(browse):
    def count():
        with CaptureQueriesContext(connections["default"]) as captured:
            browse.get(HISTORY)
        return len(captured)

    make_run("ages", who="ann")
    make_run("towns", who="bob", state=Run.State.FAILED)
    browse.get(HISTORY)
    few = count()
    for n in range(200):
        make_run(f"view{n}", who=f"who{n}", ago=n, database=f"db{n % 3}")
    assert count() == few


def test_a_line_joins_the_durations_of_one_view_and_not_those_of_several(browse):
    for ago in (300, 200):
        make_run("ages", ago=ago)
    assert "ov-line-path" in browse.get(HISTORY)
    make_run("towns", ago=100)
    assert "ov-line-path" not in browse.get(HISTORY)
    assert "ov-line-path" in browse.get(HISTORY, view=key("ages"))


def test_the_list_shows_the_usual_duration_with_a_sparkline(browse):
    declare_materialised("Ages", "SELECT 1 AS one")
    declare_materialised("Towns", "SELECT 1 AS one")
    sync_views()
    for n, seconds in enumerate((1, 2, 9, 3)):
        make_run("ages", ago=100 - n, seconds=seconds)
    make_run("ages", ago=10, seconds=99, state=Run.State.FAILED)
    make_run("towns", ago=10, seconds=7, state=Run.State.RUNNING)
    page = browse.get(LIST)
    (spark,) = re.findall(r'<svg class="ov-spark".*?</svg>', page, re.DOTALL)
    assert "The last 5 refreshes took from 1.0" in spark
    assert "1 did not succeed." in spark
    assert "2.5 s<svg" in page
    assert "1 run is under way." in text_of(page)


def test_the_duration_of_runs_that_were_skipped_is_unknown_and_not_zero(browse):
    declare_materialised("Ages", "SELECT 1 AS one")
    sync_views()
    Run.objects.all().delete()
    for n in range(2):
        make_run("ages", ago=100 - n, seconds=None, state=Run.State.SKIPPED)
    for page in (browse.get(LIST), browse.get(HISTORY), browse.get(url("detail", "ages"))):
        assert "0 ms" not in page
    assert "The durations of the last refreshes are unknown. 2 did not succeed." in browse.get(LIST)


def test_only_the_last_ten_refreshes_make_a_trend(browse):
    declare_materialised("Ages", "SELECT 1 AS one")
    sync_views()
    for n in range(15):
        make_run("ages", ago=1000 - n, seconds=100 if n < 5 else 2)
    make_run("", ago=1, seconds=50)
    assert "The last 10 refreshes took from 2.0" in browse.get(LIST)


def test_the_page_of_a_view_has_its_last_ten_runs(browse):
    declare_materialised("Ages", "SELECT 1 AS one")
    sync_views()
    for n in range(12):
        make_run("ages", ago=n, who=f"n{n}")
    make_run("towns", who="nobody")
    text = browse.read(url("detail", "ages"))
    assert "n9 " in text
    assert "n10 " not in text
    assert "nobody" not in text
    assert "A refresh usually takes 1.5" in text
    assert f'href="{HISTORY}?view={key("ages")}"' in browse.get(url("detail", "ages"))


def test_pages_agree_on_the_usual_duration(browse):
    """It is the median of the last runs; without any, the duration in the view's sync state."""
    declare_materialised("Ages", "SELECT 1 AS one, pg_sleep(0.1)::text AS slept")
    sync_views()
    Run.objects.all().delete()
    make_run("ages", state=Run.State.FAILED)
    (usual,) = re.findall(r"A refresh usually takes (\S+ \S+)\.", browse.read(url("detail", "ages")))
    assert f"This usually takes {usual}." in browse.read(f"{LIST}refresh/")
    for seconds in (1, 2, 9):
        make_run("ages", seconds=seconds)
    assert "A refresh usually takes 2.0 s." in browse.read(url("detail", "ages"))
    assert "This usually takes 2.0 s." in browse.read(f"{LIST}refresh/")


def test_the_page_of_a_view_leads_to_the_run_that_is_under_way(browse):
    declare_materialised("Ages", "SELECT 1 AS one")
    sync_views()
    run = make_run("ages", ago=10, state=Run.State.RUNNING, request=uuid.uuid4())
    assert "It is being refreshed." in browse.read(url("detail", "ages"))
    assert f'href="{path_of(run)}"' in browse.get(url("detail", "ages"))
