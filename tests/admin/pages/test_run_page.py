"""Following runs: what their page says, and what it asks for again."""

from __future__ import annotations

import re
import uuid

import pytest
from django.utils import timezone

from orm_views_admin.models import Run
from tests.admin.browse import LIST, hidden_fields, text_of, url
from tests.admin.histories import STEPS, make_run, path_of

pytestmark = pytest.mark.django_db


def test_the_runs_of_a_request_are_listed_in_order(browse):
    request = uuid.uuid4()
    make_run("bottom", request=request, ago=20, concurrently=True)
    make_run("top", request=request, ago=20, state=Run.State.FAILED, error="division by zero")
    make_run("last", request=request, ago=20, state=Run.State.SKIPPED, seconds=None)
    run = make_run("other")
    text = browse.read(f"{LIST}runs/{request}/")
    assert "Refresh of 3 views" in text
    assert text.index("1. views.bottom") < text.index("2. views.top") < text.index("3. views.last")
    assert "All have ended: 1 succeeded, 1 failed, 1 skipped." in text
    assert "division by zero" in text
    assert "A view that it reads could not be refreshed." in text
    assert "views.other" not in text
    assert "Refresh of views.other" in browse.read(path_of(run))


def test_a_run_that_has_ended_says_how_and_asks_for_nothing_more(browse):
    run = make_run(
        "ages",
        who="ann",
        origin=Run.Origin.COMMAND,
        concurrently=False,
        why_not="it has no rows yet",
        seconds=75,
        waited=3,
        rows_before=10,
        rows_after=1234,
        size_before=0,
        size_after=8192,
    )
    page = browse.get(path_of(run))
    text = text_of(page)
    assert "It has ended: succeeded." in text
    assert "Requested by ann, with a command, " in text
    assert "1 min 15 s" in text
    assert "readers wait" in text
    assert "it has no rows yet" in text
    assert "10 → ~ 1,234" in text
    assert "Waited for locks 3.0" in text
    assert "REFRESH MATERIALIZED VIEW &quot;views&quot;.&quot;ages&quot;;" in page
    assert f'href="{url("detail", "ages")}"' in page
    assert "data-state-url" not in page
    assert "Reload" not in text
    assert "/cancel/" not in page


def test_a_run_under_way_can_be_followed_without_javascript(browse):
    run = make_run("ages", state=Run.State.RUNNING, ago=45, waiting_for="pid 12: UPDATE x")
    page = browse.get(path_of(run))
    text = text_of(page)
    assert "It waits for a lock." in text
    assert "Pid 12: UPDATE x" in text
    assert re.search(r"4[5-9]\.\d s", text)
    assert "data-reload>Reload</a>" in page
    assert f'action="/admin/orm-views/runs/{run.pk}/cancel/"' in page
    assert f'data-state-url="{path_of(run, "state/")}"' in page
    assert "http-equiv" not in page


def test_progress_has_a_value_only_where_the_usual_duration_is_known(browse):
    run = make_run("ages", state=Run.State.RUNNING, ago=2)
    assert " max=" not in browse.get(path_of(run)).partition("<progress")[2].partition(">")[0]
    for _ in range(3):
        make_run("ages", ago=500, seconds=20)
    page = browse.get(path_of(run))
    assert 'max="20.0" value="2.' in page.partition("<progress")[2].partition(">")[0]
    assert "usually 20.0" in text_of(page)


def test_a_run_that_takes_longer_than_usual_has_no_value_any_more(browse):
    make_run("ages", ago=500, seconds=1)
    run = make_run("ages", state=Run.State.RUNNING, ago=30)
    assert " max=" not in browse.get(path_of(run)).partition("<progress")[2].partition(">")[0]


def test_the_steps_of_a_sync_are_shown_with_sign_and_word(browse):
    run = make_run("", state=Run.State.RUNNING, ago=20, steps=STEPS)
    text = browse.read(path_of(run))
    assert "Sync of database “default”" in text
    assert "✓ done create views.ages 250" in text
    assert "▸ running rebuild views.summary" in text
    assert "○ pending swap" in text


def test_the_state_is_what_the_page_shows(browse):
    run = make_run("ages", state=Run.State.RUNNING, ago=30, waiting_for="pid 12")
    state = browse.client.get(path_of(run, "state/"))
    assert state.headers["Content-Type"] == "application/json"
    assert "no-store" in state.headers["Cache-Control"]
    said = state.json()
    assert said["active"] is True
    assert said["standing"] == "It waits for a lock."
    (one,) = said["runs"]
    assert one["id"] == run.pk
    assert one["texts"]["state"] == "running"
    assert one["texts"]["waiting"] == "Pid 12"
    assert 30 <= one["elapsed"] < 60
    Run.objects.filter(pk=run.pk).update(state=Run.State.SUCCEEDED, seconds=31, waiting_for="")
    said = browse.client.get(path_of(run, "state/")).json()
    assert said["active"] is False
    assert said["standing"] == "It has ended: succeeded."
    assert said["runs"][0]["texts"]["waiting"] == ""


def test_the_standing_says_no_times(browse):
    request = uuid.uuid4()
    for n, state in enumerate((Run.State.SUCCEEDED, Run.State.RUNNING, Run.State.QUEUED)):
        make_run(f"view{n}", request=request, state=state, ago=20)
    standing = browse.client.get(f"{LIST}runs/{request}/state/").json()["standing"]
    assert standing == "1 queued, 1 running, 1 succeeded."


@pytest.mark.parametrize("page", ["", "state/"])
def test_a_request_that_is_none_is_not_found(browse, page):
    browse.get(f"{LIST}runs/{uuid.uuid4()}/{page}", expect=404)


@pytest.mark.parametrize("state", Run.State)
def test_every_state_has_a_page(browse, state):
    run = make_run("ages", state=state, ago=20, concurrently=None if state == Run.State.QUEUED else True)
    assert str(state.label) in browse.read(path_of(run))


def test_a_run_whose_backend_has_gone_is_lost_and_not_running_for_ever(browse):
    run = make_run("ages", state=Run.State.RUNNING, ago=20, pid=1, backend_start=timezone.now())
    text = browse.read(path_of(run))
    assert "It has ended: lost." in text
    assert "Its process or its connection ended before the result was recorded" in text


def test_a_run_in_the_queue_is_cancelled_and_never_begins(browse):
    first, second = (make_run(name, state=Run.State.QUEUED, ago=1) for name in ("ages", "towns"))
    response = browse.post(f"{LIST}runs/{first.pk}/cancel/")
    assert response.headers["Location"] == path_of(first)
    text = browse.read(path_of(first))
    assert "It has ended: cancelled." in text
    assert "Refresh of views.ages: it is being cancelled." in text
    assert "Cancelled by admin" in text
    second.refresh_from_db()
    assert second.is_active


def test_all_that_is_left_of_a_page_is_cancelled_at_once(browse):
    request = uuid.uuid4()
    done = make_run("done", request=request)
    left = [make_run(name, request=request, state=Run.State.QUEUED, ago=1) for name in ("ages", "towns")]
    other = make_run("other", state=Run.State.QUEUED, ago=1)
    fields = hidden_fields(browse.get(path_of(done)))
    assert fields["run"] == [str(run.pk) for run in left]
    fields["run"].append(str(other.pk))  # of another page, and left alone
    browse.post(f"{LIST}runs/{left[0].pk}/cancel/", request=str(request), run=fields["run"])
    assert "2 runs are being cancelled." in browse.read(path_of(done))
    assert list(Run.objects.filter(request=request).order_by("pk").values_list("state", flat=True)) == [
        "succeeded",
        "cancelled",
        "cancelled",
    ]
    other.refresh_from_db()
    assert other.is_active


def test_what_has_ended_cannot_be_cancelled(browse):
    run = make_run("ages")
    browse.post(f"{LIST}runs/{run.pk}/cancel/")
    assert "There was nothing left to cancel." in browse.read(path_of(run))
    run.refresh_from_db()
    assert (run.state, run.cancelled_by) == ("succeeded", "")


def test_nothing_but_a_request_leads_back_from_cancelling(browse):
    run = make_run("ages")
    response = browse.client.post(f"{LIST}runs/{run.pk}/cancel/", {"request": "https://example.com/"})
    assert response.status_code == 404
    assert browse.client.post(f"{LIST}runs/0/cancel/").status_code == 404
