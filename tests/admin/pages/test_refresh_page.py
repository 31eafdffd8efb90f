"""Refreshing: what will be done, in order, and the runs that do it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import html
import re

import pytest

from orm_views_admin.models import Run
from orm_views_admin.pages.views import refresh
from orm_views_core.database.sync_state import split_comment
from orm_views_core.sync import sync_views
from tests.admin.browse import (
    LIST,
    declare,
    declare_materialised,
    hidden_fields,
    key,
    run_page,
    text_of,
)
from tests.admin.histories import make_run

pytestmark = pytest.mark.django_db
REFRESH = f"{LIST}refresh/"


@pytest.fixture
def source(execute):
    execute("CREATE TABLE numbers (n int)")
    execute("INSERT INTO numbers VALUES (1)")
    declare_materialised("Bottom", "SELECT n FROM numbers", pk_field="n")
    declare_materialised("A_top", "SELECT n FROM views.bottom")
    declare("Plain", "SELECT n FROM numbers")
    sync_views()
    execute("INSERT INTO numbers VALUES (2)")


def rows(execute, name):
    return execute(f"SELECT count(*) FROM views.{name}")[0][0]


def test_all_are_refreshed_in_dependency_order(browse, execute, source):
    text = browse.read(REFRESH)
    assert "2 materialised views are refreshed, in this order." in text
    assert text.index("views.bottom") < text.index("views.a_top")
    assert "concurrently: readers go on reading" in text
    assert "readers wait, because it has no unique index on plain columns" in text
    assert rows(execute, "bottom") == 1
    text = browse.read(run_page(browse.post(REFRESH, confirm="yes")))
    assert (rows(execute, "bottom"), rows(execute, "a_top")) == (2, 2)
    assert "All have ended: 2 succeeded." in text
    assert text.index("1. views.bottom") < text.index("2. views.a_top")


def test_one_is_refreshed_alone(browse, execute, source):
    assert "views.a_top" not in browse.get(REFRESH, view=key("bottom"))
    page = run_page(browse.post(REFRESH, view=key("bottom"), confirm="yes"))
    assert "Refresh of views.bottom" in browse.read(page)
    assert (rows(execute, "bottom"), rows(execute, "a_top")) == (2, 1)


def test_selected_ones_are_confirmed_first_and_others_are_passed_over(browse, execute, source):
    response = browse.post(REFRESH, selected="1", view=[key("bottom"), key("plain"), key("absent")])
    text = text_of(response.content.decode())
    assert response.status_code == 200
    assert "These are left out" in text
    assert "views.plain, views.absent" in text
    assert rows(execute, "bottom") == 1


def test_a_view_that_was_never_populated_is_filled(browse, execute):
    declare_materialised("Empty", "SELECT 1 AS one", with_data=False)
    sync_views()
    assert "it has no rows yet" in browse.read(REFRESH, view=key("empty"))
    browse.post(REFRESH, view=key("empty"), confirm="yes")
    assert rows(execute, "empty") == 1


def test_a_refusal_is_the_error_of_its_run_and_those_before_it_stay_done(browse, execute, source):
    execute("ALTER TABLE numbers ADD COLUMN divisor int DEFAULT 1")
    declare_materialised("Z_breaks", "SELECT a.n / divisor AS n FROM numbers JOIN views.a_top AS a USING (n)")
    sync_views()
    execute("UPDATE numbers SET divisor = 0")
    execute("INSERT INTO numbers VALUES (3, 1)")
    before = rows(execute, "a_top")
    text = browse.read(run_page(browse.post(REFRESH, confirm="yes")))
    assert "All have ended: 2 succeeded, 1 failed." in text
    assert "division by zero" in text
    assert rows(execute, "bottom") == 3
    assert before < 3


def test_a_key_that_has_become_ambiguous_is_the_error_of_its_run(browse, execute, source):
    execute("INSERT INTO numbers VALUES (1)")
    text = browse.read(run_page(browse.post(REFRESH, view=key("bottom"), confirm="yes")))
    assert "It has ended: failed." in text
    assert "bottom" in text


def test_nothing_to_refresh_says_so(browse):
    declare("Plain", "SELECT 1 AS one")
    sync_views()
    page = browse.get(REFRESH)
    assert "There is nothing to refresh." in page
    assert 'name="confirm"' not in page
    assert browse.post(REFRESH, confirm="yes").status_code == 302
    assert "There was nothing to refresh." in browse.read(LIST)


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_every_database_is_refreshed_and_one_that_does_not_answer_is_said(browse, cut_off):
    declare_materialised("Here", "SELECT 1 AS one")
    sync_views()
    cut_off("warehouse")
    declare_materialised("There", "SELECT 1 AS one", database="warehouse")
    text = browse.read(REFRESH)
    assert "does not answer" in text
    assert "views.here" in text


def test_what_is_refreshed_already_is_followed_and_not_refreshed_again(browse, execute, source):
    """One of two is at work for somebody else: one page follows both requests."""
    other = make_run("bottom", state="running", ago=1)
    page = run_page(browse.post(REFRESH, view=[key("bottom"), key("a_top")], confirm="yes"))
    text = browse.read(page)
    assert str(other.request) in page
    assert "Refresh of 2 views" in text
    assert "1 running, 1 succeeded." in text
    assert rows(execute, "bottom") == 1
    assert f'href="{page.replace("&", "&amp;")}" data-reload' in browse.get(page)


def ticked(page):
    """Return the keys of the boxes of a page, and of those that are ticked."""
    boxes = re.findall(r'<input type="checkbox" name="view" value="([^"]+)"[^>]*>', page)
    return boxes, re.findall(r'<input type="checkbox" name="view" value="([^"]+)"[^>]* checked>', page)


def test_all_rows_are_ticked_and_only_the_ticked_ones_are_refreshed(browse, execute, source):
    page = browse.get(REFRESH)
    assert ticked(page) == ([key("bottom"), key("a_top")],) * 2
    assert 'aria-label="Refresh views.bottom"' in page
    assert "Untick those that are to keep their rows as they are." in page
    run_page(browse.post(REFRESH, confirm="yes", view=key("bottom"), **hidden_fields(page)))
    assert (rows(execute, "bottom"), rows(execute, "a_top")) == (2, 1)
    assert [run.name for run in Run.objects.filter(kind="refresh")] == ["bottom"]


def test_without_a_ticked_row_nothing_is_refreshed_and_the_page_says_so(browse, execute, source):
    declare_materialised("Further", "SELECT 1 AS one")
    sync_views()
    page = browse.post(REFRESH, selected="1", view=[key("bottom"), key("a_top")]).content.decode()
    response = browse.post(REFRESH, confirm="yes", **hidden_fields(page))
    again = response.content.decode()
    assert response.status_code == 200
    assert "Tick the views to refresh. None was ticked, so nothing was refreshed." in text_of(again)
    assert "Refresh 2 views" in again
    assert ticked(again) == ([key("bottom"), key("a_top")], [])
    assert not Run.objects.filter(kind="refresh").exists()
    run_page(browse.post(REFRESH, confirm="yes", view=key("a_top"), **hidden_fields(again)))
    assert [run.name for run in Run.objects.filter(kind="refresh")] == ["a_top"]


def test_a_single_view_has_nothing_to_untick(browse, execute, source):
    page = browse.get(REFRESH, view=key("bottom"))
    assert ticked(page) == ([], [])
    assert "Untick" not in page
    run_page(browse.post(REFRESH, confirm="yes", **hidden_fields(page)))
    assert rows(execute, "bottom") == 2


def test_with_more_views_than_a_form_may_have_fields_all_are_refreshed(browse, execute, source, monkeypatch):
    monkeypatch.setattr(refresh, "MOST_TICKED", 1)
    page = browse.get(REFRESH)
    assert ticked(page) == ([], [])
    run_page(browse.post(REFRESH, confirm="yes", **hidden_fields(page)))
    assert (rows(execute, "bottom"), rows(execute, "a_top")) == (2, 2)


def test_odd_names_are_ticked_as_they_are(browse, execute):
    names = ["a/b", "a~b", "view=1&view", "ä b", 'o"k']
    for n, name in enumerate(names):
        declare_materialised(f"Odd{n}", "SELECT 1 AS one", name=name)
    sync_views()
    page = browse.get(REFRESH)
    (shown,) = hidden_fields(page)["shown"]
    response = browse.post(REFRESH, confirm="yes", shown=html.unescape(shown))
    boxes, _ = ticked(response.content.decode())
    assert sorted(map(html.unescape, boxes)) == sorted(map(key, names))


def make_old(execute, *names):
    """Write into sync states that views were refreshed two days ago."""
    for name in names:
        ((comment,),) = execute(f"SELECT obj_description('views.{name}'::regclass)")
        text, state = split_comment(comment)
        old = dataclasses.replace(state, refreshed=state.synced - dt.timedelta(days=2))
        new = f"{text}\n\n{old.dump()}" if text else old.dump()
        execute(f"COMMENT ON MATERIALIZED VIEW views.{name} IS $${new}$$")


@pytest.fixture
def promised(execute):
    """Four views, of which three promise fresh rows; one of these reads another one."""
    execute("CREATE TABLE numbers (n int); INSERT INTO numbers VALUES (1)")
    daily = {"refresh_every": dt.timedelta(days=1)}
    declare_materialised("Bottom", "SELECT n FROM numbers", **daily)
    declare_materialised("A_top", "SELECT n FROM views.bottom", **daily)
    declare_materialised("Fresh", "SELECT n FROM numbers", **daily)
    declare_materialised("Unpromised", "SELECT n FROM numbers")
    sync_views()
    execute("INSERT INTO numbers VALUES (2)")


def test_what_is_stale_is_refreshed_from_the_list_with_one_click(browse, execute, promised):
    make_old(execute, "bottom", "a_top", "unpromised")
    page = browse.get(LIST)
    assert "Refresh 2 stale views now" in page
    (form,) = re.findall(r'<form[^>]*class="ov-stale"[^>]*>.*?</form>', page, re.DOTALL)
    assert f'action="{REFRESH}"' in form
    assert "csrfmiddlewaretoken" in form
    text = browse.read(run_page(browse.post(REFRESH, stale="1")))
    assert text.index("1. views.bottom") < text.index("2. views.a_top")
    assert [rows(execute, name) for name in ("bottom", "a_top", "fresh", "unpromised")] == [2, 2, 1, 1]
    assert 'class="ov-stale"' not in browse.get(LIST)


def test_one_stale_view_is_spoken_of_as_one(browse, execute, promised):
    make_old(execute, "fresh")
    assert "Refresh the stale view now" in browse.get(LIST)


def test_a_stale_view_that_is_being_refreshed_is_joined(browse, execute, promised):
    make_old(execute, "bottom", "a_top")
    other = make_run("bottom", state="running", ago=1)
    page = run_page(browse.post(REFRESH, stale="1"))
    assert str(other.request) in page
    assert Run.objects.filter(name="bottom", kind="refresh").count() == 1


def test_when_nothing_is_stale_any_more_the_list_says_so(browse, execute, promised):
    response = browse.post(REFRESH, stale="1")
    assert (response.status_code, response["Location"]) == (302, LIST)
    assert "No view is stale any more." in browse.read(LIST)
    assert not Run.objects.filter(kind="refresh").exists()


def test_only_who_may_refresh_can_refresh_what_is_stale(execute, promised, staff):
    make_old(execute, "bottom")
    viewer = staff("view", "sync")
    assert 'class="ov-stale"' not in viewer.get(LIST).content.decode()
    assert viewer.post(REFRESH, {"stale": "1"}).status_code == 403
    assert 'class="ov-stale"' in staff("view", "refresh").get(LIST).content.decode()


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_what_is_stale_is_refreshed_although_another_database_does_not_answer(
    browse, execute, promised, cut_off
):
    make_old(execute, "bottom")
    cut_off("warehouse")
    declare_materialised("There", "SELECT 1 AS one", database="warehouse")
    text = browse.read(run_page(browse.post(REFRESH, stale="1")))
    assert rows(execute, "bottom") == 2
    assert "does not answer" in text
