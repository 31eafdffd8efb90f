"""Refreshing: what will be done, in order, and the runs that do it."""

from __future__ import annotations

import pytest

from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, declare_materialised, key, run_page, text_of

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
    from tests.admin.histories import make_run

    other = make_run("bottom", state="running", ago=1)
    page = run_page(browse.post(REFRESH, view=[key("bottom"), key("a_top")], confirm="yes"))
    text = browse.read(page)
    assert str(other.request) in page
    assert "Refresh of 2 views" in text
    assert "1 running, 1 succeeded." in text
    assert rows(execute, "bottom") == 1
    assert f'href="{page.replace("&", "&amp;")}" data-reload' in browse.get(page)
