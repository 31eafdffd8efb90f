"""The changes of a view: on its page, in a list, one by one, in the history and on the page of a sync."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orm_views_admin.models import Run, ViewChange
from orm_views_admin.origins import started_by
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, declare_materialised, key, text_of, url
from tests.admin.changing import Changing, changes_of, last_of
from tests.admin.histories import make_run, path_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def changing(django_capture_on_commit_callbacks):
    return Changing(django_capture_on_commit_callbacks)


@pytest.fixture
def history(changing, execute, ann):
    """A view with three changes, the last of them by Ann, after one by hand."""
    declare("Plain", "SELECT 1 AS one")
    declare("Stays", "SELECT 1 AS one")
    changing.sync()
    declare("Plain", "SELECT 1 AS one, 2 AS two", __doc__="With two.")
    changing.sync()
    execute("CREATE OR REPLACE VIEW views.plain AS SELECT 1 AS one, 33 AS two")
    declare(
        "Plain", "SELECT 1 AS one, 2 AS two, 3 AS three", __doc__="With three.", grant_select_to=["analyst"]
    )
    with started_by(Run.Origin.ADMIN, user=ann):
        changing.sync()
    return changes_of("plain")


def page_of(change):
    return f"{url('changes', change.name)}{change.pk}/"


def test_the_page_of_a_view_shows_its_last_changes(browse, history):
    html = browse.get(url("detail", "plain"))
    text = text_of(html)
    assert "What syncs have changed, the newest first. All changes" in text
    assert text.count("show the change") == 3
    assert page_of(history[-1]) in html
    assert f'href="{url("changes", "plain")}"' in html


def test_the_page_of_a_view_shows_five_changes_at_most(browse, changing):
    for n in range(7):
        declare("Plain", f"SELECT {n} AS one")
        changing.sync()
    assert browse.read(url("detail", "plain")).count("show the change") == 5
    assert browse.read(url("changes", "plain")).count("show the change") == 7


def test_the_page_of_a_view_without_changes_says_so(browse):
    declare("Plain", "SELECT 1 AS one")
    sync_views()
    assert "No changes are recorded." in browse.read(url("detail", "plain"))
    browse.get(url("changes", "plain"), expect=404)


def test_the_list_says_when_who_from_where_what_and_why(browse, history):
    text = browse.read(url("changes", "plain"))
    assert "Changes of views.plain" in text
    assert "3 changes" in text
    newest, middle, oldest = text.split("show the change")[1:]
    assert "replace Changed by hand since the version before ann in the admin" in newest
    assert "its class has changed, and so has the database" in newest
    assert "replace by code of the project its class has changed" in middle
    assert "create by code of the project it is not in the database" in oldest


def test_a_long_list_has_pages(browse, changing):
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    first = last_of("plain")
    for n in range(60):
        first.pk, first.at = None, timezone.now() + dt.timedelta(seconds=n)
        first.save()
    assert browse.read(url("changes", "plain")).count("show the change") == 50
    assert browse.read(url("changes", "plain"), page=2).count("show the change") == 11


def test_a_change_shows_the_difference_as_it_was_then(browse, history, changing):
    declare(
        "Plain", "SELECT 7 AS one, 2 AS two, 3 AS three", __doc__="With three.", grant_select_to=["analyst"]
    )
    changing.sync()
    html = browse.get(page_of(history[1]))
    text = text_of(html)
    assert "Version 2 of 4." in text
    assert "removed: \N{MINUS SIGN} SELECT 1 AS one; added: + SELECT 1 AS one, added: + 2 AS two;" in text
    assert "7 AS one" not in text
    assert "Comment lending.Plain With two." in text
    assert "Column “two” \N{EN DASH} integer" in text
    assert "CREATE OR REPLACE VIEW" in text
    assert f'href="{page_of(history[0])}" rel="prev"' in html
    assert f'href="{page_of(history[2])}" rel="next"' in html
    assert path_of(history[1].run) in html


def test_a_change_after_one_by_hand_says_what_was_done_by_hand(browse, history):
    text = browse.read(page_of(history[2]))
    assert "Changed by hand since the version before The sync did not find" in text
    by_hand, of_sync = text.split("Difference Both as PostgreSQL wrote them")
    assert "removed: \N{MINUS SIGN} 2 AS two; added: + 33 AS two;" in by_hand
    assert "removed: \N{MINUS SIGN} 33 AS two; added: + 2 AS two, added: + 3 AS three;" in of_sync
    assert "Privileges of “analyst” \N{EN DASH} SELECT" in of_sync
    assert "Who ann, in the admin" in text


def test_the_first_version_has_no_difference_and_no_older_one(browse, history):
    html = browse.get(page_of(history[0]))
    text = text_of(html)
    assert "There was no view before." in text
    assert "As its class said" in text
    assert 'rel="prev"' not in html
    assert "What else changed" not in text


def test_a_change_that_leaves_the_definition_shows_the_one_of_that_time(browse, history, changing):
    declare("Plain", "SELECT 1 AS one, 2 AS two, 3 AS three", __doc__="Now.", grant_select_to=["analyst"])
    changing.sync()
    text = browse.read(page_of(last_of("plain")))
    assert "The definition stayed the same." in text
    assert "Comment With three. Now." in text
    assert "At that time" in text
    assert "3 AS three" in text


def test_an_adopted_view_says_that_only_the_sync_state_was_written(browse, changing, execute):
    execute("CREATE SCHEMA views; CREATE VIEW views.plain AS SELECT 1 AS one")
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    text = browse.read(page_of(last_of("plain")))
    assert "The definition stayed the same." in text
    assert "Only the comment with the sync state was written." in text


def test_another_order_of_the_columns_is_a_fact(browse, changing):
    declare("Plain", "SELECT 1 AS one, 2 AS two")
    changing.sync()
    declare("Plain", "SELECT 2 AS two, 1 AS one")
    changing.sync()
    assert "What else changed" in browse.read(page_of(last_of("plain")))
    assert "Order of columns one, two two, one" in browse.read(page_of(last_of("plain")))


def test_the_order_of_the_columns_is_no_fact_when_columns_only_come_and_go(browse, changing):
    declare("Plain", "SELECT 1 AS one, 2 AS two")
    changing.sync()
    declare("Plain", "SELECT 2 AS two, 3 AS three")
    changing.sync()
    text = browse.read(page_of(last_of("plain")))
    assert "Column “three” \N{EN DASH} integer" in text
    assert "Order of columns" not in text


def test_names_and_sql_are_escaped(browse, changing, execute):
    name, sql = "<b>it's & \"</b>", "SELECT '<script>alert(1)</script>'::text AS \"<i>\""
    declare("Odd", sql, name=name, __doc__="<u>Odd.</u>")
    changing.sync()
    declare("Odd", sql, name=name, __doc__="<s>Odd.</s>")
    changing.sync()
    declare("Odd", sql.replace("alert(1)", "alert(2)"), name=name, __doc__="<s>Odd.</s>")
    changing.sync()
    changes = changes_of(name)
    assert len(changes) == 3
    pages = [browse.get(url("changes", name)), *(browse.get(page_of(change)) for change in changes)]
    for html in pages:
        for tag in ("<b>", "<script>alert", "<i>", "<u>", "<s>"):
            assert tag not in html
    assert "&lt;script&gt;alert(2)" in pages[-1]


def test_what_a_rebuild_lost_is_shown(browse, history):
    ViewChange.objects.filter(pk=history[1].pk).update(lost=["the index by_hand: its column is gone"])
    assert "Lost with this change the index by_hand: its column is gone" in browse.read(page_of(history[1]))


def test_a_dropped_view_is_still_found(browse, history, changing):
    changing.forget("Plain")
    changing.sync()
    html = browse.get(url("changes", "plain"))
    assert "A sync dropped this view just now" in text_of(html)
    assert f'href="{url("detail", "plain")}"' not in html
    page = browse.get(page_of(last_of("plain")))
    assert "The view was dropped." in text_of(page)
    assert "3 AS three" in text_of(page)
    assert "Privileges of “analyst” SELECT SQL Before" in text_of(page)
    assert f'href="{url("detail", "plain")}"' not in page
    response = browse.client.get(url("detail", "plain"))
    assert (response.status_code, response.headers["Location"]) == (302, url("changes", "plain"))


def test_a_dropped_view_whose_database_is_gone_is_still_found(browse, history):
    ViewChange.objects.update(database="sold")
    assert "3 changes" in browse.read(url("changes", "plain", database="sold"))
    browse.get(f"{url('changes', 'plain', database='sold')}{history[0].pk}/")


def test_the_steps_of_a_sync_link_to_what_they_changed(browse, history):
    declare_materialised("Later", "SELECT 1 AS one")
    html = browse.get(path_of(history[0].run))
    assert f'<a href="{page_of(history[0])}">create views.plain</a>' in html
    assert "create views.stays</a>" in html


def test_the_history_of_a_view_has_the_syncs_that_changed_it(browse, history):
    make_run("stays", state="succeeded")
    html = browse.get(f"{LIST}runs/?view={key('plain')}")
    assert "3 runs" in text_of(html)
    for change in history:
        assert path_of(change.run) in html
    assert "2 runs" in browse.read(f"{LIST}runs/?view={key('stays')}")
    assert "Sync of database “default”" in text_of(html)


def test_the_history_of_a_dropped_view_is_found(browse, history, changing):
    changing.forget("Plain")
    changing.sync()
    assert "4 runs" in browse.read(f"{LIST}runs/?view={key('plain')}")


def test_a_change_without_its_run_is_shown(browse, history):
    Run.objects.all().delete()
    assert "Its run is not kept any more." in browse.read(page_of(history[0]))


def test_an_address_that_is_none_is_not_found(browse, history):
    browse.get(f"{url('changes', 'stays')}{history[0].pk}/", expect=404)
    browse.get(f"{url('changes', 'plain')}{2**70}/", expect=404)


@pytest.mark.parametrize("page", ["changes", "change"])
def test_the_pages_need_the_permission_to_view_and_no_other(staff, history, page):
    path = url("changes", "plain") if page == "changes" else page_of(history[0])
    assert staff("view").get(path).status_code == 200
    assert staff("sync").get(path).status_code == 403
    assert staff().get(path).status_code == 403


@pytest.mark.parametrize("page", ["changes", "change", "run", "runs"])
def test_a_page_sends_as_many_queries_for_many_changes_as_for_few(browse, history, changing, page):
    path = {
        "changes": url("changes", "plain"),
        "change": page_of(history[1]),
        "run": path_of(history[1].run),
        "runs": f"{LIST}runs/?view={key('plain')}",
    }[page]

    def queries():
        browse.get(path)
        with CaptureQueriesContext(connection) as captured:
            browse.get(path)
        return len(captured)

    few = queries()
    for n in range(20):
        declare("Plain", f"SELECT {n} AS one, 2 AS two, 3 AS three")
        changing.sync()
    assert queries() == few
    assert few <= {"changes": 6, "change": 9, "run": 14, "runs": 14}[page]


def test_the_page_of_a_materialised_view_says_when_it_last_failed(browse):
    declare_materialised("Stored", "SELECT 1 AS one")
    sync_views()
    make_run("stored", ago=60)
    assert "No failure is recorded." in browse.read(url("detail", "stored"))
    failed = make_run("stored", ago=3 * 86_400 + 60, state="failed")
    make_run("stored", ago=9 * 86_400, state="failed")
    for n in range(12):
        make_run("stored", ago=3600 + n)
    html = browse.get(url("detail", "stored"))
    assert "Last failed 3 days ago" in text_of(html)
    assert path_of(failed) in html
