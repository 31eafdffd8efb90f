"""Every state of a view, made real: the list's sentence, its row, and the page of the view say the same."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orm_views_admin.models import Run
from orm_views_admin.standings import STATES, RunState
from orm_views_admin.ui.wording import exact, look_of
from orm_views_core.database.sync_state import join_comment, split_comment
from orm_views_core.refresh import refresh_views
from orm_views_core.status import State
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, text_of, url
from tests.admin.histories import make_run
from tests.core.status.scenes import SCENES, declare, stored

pytestmark = pytest.mark.django_db


def word(state):
    return str(look_of(state).word)


def row_of(html, name="v"):
    """The text of the row of a view."""
    found = re.findall(r'<tr role="row">(.*?)</tr>', html.partition("<tbody")[2], re.DOTALL)
    return next(text for row in found if (text := text_of(row)).split()[0] == name)


def badges(html):
    """The words of the badges of a row, or of the notices of a page."""
    return re.findall(r'<p class="ov-notice-heading"><svg.*?</svg>([^<]*)</p>', html, re.DOTALL)


def agree(browse, *states, said="", name="v"):
    """Check that all say that a view is in some states, the worst of which is first."""
    worst = states[0]
    html = browse.get(LIST)
    sentence = text_of(html.partition('class="ov-summary"')[2].partition("</p>")[0])
    assert f"1 {word(worst)}" in sentence
    row = row_of(html, name)
    badge = said or word(worst)
    assert badge in row
    for state in states[1:]:
        assert word(state) in row.partition("Also: ")[2]
    page = browse.get(url("detail", name))
    shown = [text.lower() for text in badges(page)]
    assert shown[: len(states)] == [badge, *(word(state) for state in states[1:])]
    assert name in [row.split()[0] for row in rows_of(browse.get(LIST, status=worst.name.lower()))]
    return row, text_of(page)


def rows_of(html):
    found = re.findall(r'<tr role="row">(.*?)</tr>', html.partition("<tbody")[2], re.DOTALL)
    return [text_of(row) for row in found]


@pytest.mark.parametrize("make", SCENES, ids=lambda make: make.__name__)
def test_what_core_finds_is_said_by_the_list_the_row_the_page_and_the_command(
    browse, execute, registered, capsys, make
):
    make(execute)
    states = SCENES[make]
    html = browse.get(LIST)
    assert word(states[0]) in row_of(html)
    page = browse.get(url("detail", "v"))
    assert [text.lower() for text in badges(page)][: len(states)] == [word(state) for state in states]
    capsys.readouterr()
    call_command("show_views", "v", "--json")
    ((view,),) = (database["views"] for database in json.loads(capsys.readouterr().out))
    assert [view["state"], *(also["state"] for also in view["also"])] == [state.value for state in states]
    assert view["reason"].partition("\n")[0] in text_of(page).replace("&#x27;", "'").replace("&quot;", '"')


def test_core_and_the_pages_agree_on_which_state_is_worse():
    assert [state for state in STATES if isinstance(state, State)] == list(State)
    assert {*STATES} == {*State, *RunState}


def set_back(execute, time):
    """Have the sync state of the view say that its rows are older."""
    ((comment,),) = execute("SELECT obj_description('views.v'::regclass, 'pg_class')")
    text, state = split_comment(comment)
    comment = join_comment(text, replace(state, refreshed=state.refreshed - time)).replace("'", "''")
    execute(f"COMMENT ON MATERIALIZED VIEW views.v IS '{comment}'")


@pytest.fixture
def month_old(execute):
    """A function that syncs the view, and has its rows of a month ago: all runs of the tests are later."""

    def make(**attributes):
        stored("V", "SELECT 1 AS id", **attributes)
        sync_views()
        set_back(execute, dt.timedelta(days=30))

    return make


def write(*states):
    """Write refreshes of the view, one for each hour; the last one a minute ago. Return them."""
    return [
        make_run(
            "v", state=state, ago=60 + 3600 * n, error="division by zero" if state == Run.State.FAILED else ""
        )
        for n, state in reversed([*enumerate(reversed(states))])
    ]


DONE, FAILED, LOST = Run.State.SUCCEEDED, Run.State.FAILED, Run.State.LOST
JOINED, CANCELLED, SKIPPED = Run.State.JOINED, Run.State.CANCELLED, Run.State.SKIPPED


@pytest.mark.parametrize(
    ("runs", "states", "said"),
    [
        ([FAILED], [RunState.FAILED], "failed"),
        ([DONE, FAILED, FAILED], [RunState.FAILED], "failed 2 times"),
        ([FAILED, FAILED, CANCELLED, SKIPPED], [RunState.FAILED], "failed 2 times"),
        ([DONE, LOST], [RunState.LOST], "lost"),
        ([LOST, FAILED], [RunState.FAILED, RunState.LOST], "failed"),
        ([FAILED, DONE], [State.SYNCED], "synced"),
        ([FAILED, JOINED], [State.SYNCED], "synced"),
        ([LOST, DONE, CANCELLED], [State.SYNCED], "synced"),
        ([DONE], [State.SYNCED], "synced"),
        ([], [State.SYNCED], "synced"),
    ],
)
def test_refreshes_that_failed_since_the_last_one_that_did_not_are_a_state(
    browse, month_old, runs, states, said
):
    month_old()
    write(*runs)
    row, page = agree(browse, *states, said=said)
    if FAILED in runs and states[0] is RunState.FAILED:
        assert "division by zero" in page
        assert "synced" not in row


def test_it_says_since_when_refreshes_fail_and_leads_to_the_last_one(browse, month_old):
    month_old()
    first, _, last = write(FAILED, FAILED, FAILED)
    row, page = agree(browse, RunState.FAILED, said="failed 3 times")
    since = exact(first.queued_at, "SHORT_DATETIME_FORMAT")
    assert f"Since {since}, its refresh has failed 3 times." in row
    assert f"Since {since}, its refresh has failed 3 times." in page
    assert f"/runs/{last.request}/" in browse.get(url("detail", "v")).partition("ov-notice-heading")[2]


def test_a_refresh_that_wrote_no_run_ends_a_failure_too(browse, month_old, execute):
    month_old()
    write(FAILED, FAILED)
    agree(browse, RunState.FAILED, said="failed 2 times")
    execute("UPDATE orm_views_admin_run SET queued_at = queued_at - interval '1 hour'")
    set_back(execute, dt.timedelta(days=-30, hours=1, minutes=30))
    agree(browse, RunState.FAILED, said="failed")
    refresh_views()
    Run.objects.filter(state=Run.State.SUCCEEDED).delete()
    agree(browse, State.SYNCED)


def test_a_view_whose_refresh_failed_and_whose_class_has_changed_says_both(browse, month_old):
    month_old()
    write(FAILED)
    stored("V", "SELECT 2 AS id")
    agree(browse, RunState.FAILED, State.CHANGED)


def test_a_view_whose_refresh_failed_and_that_is_too_old_says_both(browse, month_old):
    month_old(refresh_every=dt.timedelta(days=1))
    write(FAILED, LOST)
    agree(browse, RunState.FAILED, RunState.LOST, State.STALE)


def test_a_view_that_cannot_be_read_and_whose_refresh_failed_says_both(browse, execute):
    stored("V", "SELECT 1 AS id", with_data=False)
    sync_views()
    write(FAILED)
    agree(browse, RunState.FAILED, State.NOT_POPULATED)


def test_a_refresh_in_the_queue_is_said(browse, month_old):
    month_old()
    make_run("v", state=Run.State.QUEUED, ago=60)
    row, page = agree(browse, RunState.WAITING)
    assert "its refresh waits for its turn" in row
    assert "its refresh waits for its turn" in page


def test_a_view_that_is_too_old_and_waits_says_both(browse, month_old):
    month_old(refresh_every=dt.timedelta(days=1))
    make_run("v", state=Run.State.QUEUED, ago=60)
    agree(browse, State.STALE, RunState.WAITING)


def test_personal_data_is_a_state_that_all_say(browse, personal, execute):
    declare("V", "SELECT id, email FROM lending_customer")
    sync_views()
    execute("GRANT SELECT ON views.v TO PUBLIC")
    agree(browse, State.EXPOSES)


def test_personal_data_in_a_view_that_has_changed_is_said_with_that(browse, personal, execute):
    declare("V", "SELECT id, email FROM lending_customer")
    sync_views()
    execute("GRANT SELECT ON views.v TO PUBLIC")
    declare("V", "SELECT id, email, city FROM lending_customer")
    agree(browse, State.EXPOSES, State.CHANGED)


def test_the_error_of_a_refresh_is_for_those_who_may_see_rows(client, month_old, django_user_model):
    month_old()
    (run,) = write(FAILED)
    Run.objects.filter(pk=run.pk).update(error_summary="It failed for a reason.")
    ann = django_user_model.objects.create_user("ann", is_staff=True)
    ann.user_permissions.add(Permission.objects.get(codename="view_registeredview"))
    client.force_login(ann)
    for address in (LIST, url("detail", "v")):
        text = text_of(client.get(address).content.decode())
        assert "failed" in text
        assert "division by zero" not in text
    assert "It failed for a reason." in text


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_a_database_that_does_not_answer_is_a_row_and_its_views_cannot_be_read(browse, cut_off, capsys):
    declare("Here", "SELECT 1 AS id")
    sync_views()
    declare("V", "SELECT 1 AS id", database="warehouse")
    cut_off("warehouse")
    html = browse.get(LIST)
    text = text_of(html)
    assert (
        "1 view of 2 needs attention: 1 cannot be read. The others: 1 synced. "
        "Database “warehouse” cannot be read."
    ) in text
    first, second, third = rows_of(html)
    assert first.startswith("database “warehouse”")
    assert second.startswith("v ")
    assert third.startswith("here ")
    assert all("cannot be read" in row and "does not answer" in row for row in (first, second))
    page = browse.read(url("detail", "v", database="warehouse"))
    assert "cannot be read" in page
    assert "does not answer" in page
    with pytest.raises(CommandError, match="does not answer"):
        call_command("show_views", "--json")
    found = {each["database"]: each for each in json.loads(capsys.readouterr().out)}
    assert [view["state"] for view in found["warehouse"]["views"]] == ["cannot be read"]


def test_a_sync_that_failed_is_said_until_one_succeeds(browse):
    declare("V", "SELECT 1 AS id")
    sync_views()
    run = make_run("", state=FAILED, error="a lock could not be had", ago=-60)
    html = browse.get(LIST)
    assert "The sync of database “default” of" in text_of(html)
    assert f"/runs/{run.request}/" in html
    make_run("", ago=-120)
    assert "did not succeed" not in browse.get(LIST)


def test_what_is_wrong_is_on_the_first_page(browse):
    for n in range(60):
        declare(f"A{n:02}", "SELECT 1 AS id")
    sync_views()
    declare("V", "SELECT absent FROM lending_customer")
    assert rows_of(browse.get(LIST))[0].startswith("v ")


def test_a_view_that_is_not_refreshed_any_more_has_not_failed(browse, month_old):
    month_old()
    write(FAILED, FAILED)
    declare("V", "SELECT 1 AS id")
    sync_views()
    agree(browse, State.SYNCED)


def test_what_failed_before_the_last_success_is_not_read(browse, month_old):
    """The cost grows with what failed since, and not with the square of what ever failed."""
    month_old()
    write(*[DONE] * 300, *[FAILED] * 300)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE orm_views_admin_run")
    with CaptureQueriesContext(connection) as queries:
        assert "failed 300 times" in browse.get(LIST)
    (sql,) = (query["sql"] for query in queries if 'AS "success"' in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        plan = cursor.fetchone()[0]
    (looked_up,) = [
        node for node in nodes_of(plan[0]["Plan"]) if node.get("Parent Relationship") == "SubPlan"
    ]
    assert looked_up["Actual Loops"] == 1


def nodes_of(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes_of(child)


def test_the_graph_says_the_same(browse, month_old):
    month_old()
    write(FAILED, FAILED)
    html = browse.get(f"{LIST}graph/")
    assert "failed 2 times" in text_of(html.partition("<svg class=")[0] + html.partition("<table")[2])
    assert "materialised · failed 2 times" in html


@pytest.mark.parametrize("failing", [1, 40])
def test_what_runs_tell_takes_a_fixed_number_of_queries(browse, failing):
    for n in range(40):
        stored(f"V{n}", "SELECT 1 AS id")
    sync_views()
    Run.objects.all().delete()
    for n in range(failing):
        for ago in (-60, -120, -180):
            make_run(f"v{n}", state=FAILED, ago=ago)
    browse.get(LIST)
    with CaptureQueriesContext(connection) as queries:
        text = browse.read(LIST)
    assert f"{failing} failed" in text
    about_runs = [query["sql"] for query in queries if "orm_views_admin_run" in query["sql"]]
    # Those under way, the last success of each view, what failed since, the last of these, and the trends.
    assert len(about_runs) == 5
