"""Freshness on the pages: a view whose rows are older than its class promises is stale."""

from __future__ import annotations

import datetime as dt

import pytest

from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, declare_materialised, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def promises():
    declare_materialised("Late", "SELECT 1 AS one", refresh_every=dt.timedelta(microseconds=1))
    declare_materialised("Early", "SELECT 1 AS one", refresh_every=dt.timedelta(days=1))
    declare_materialised("Free", "SELECT 1 AS one")
    declare("Plain", "SELECT 1 AS one")
    sync_views()


def test_a_view_past_its_promise_is_stale_in_the_list(browse, promises):
    page = browse.get(LIST)
    assert page.count(">stale</span>") == 1
    assert "older than promised" in page
    assert 'href="?status=stale"' in page
    assert "1 view of 4 needs attention: 1 stale. The others: 3 synced." in page


@pytest.mark.parametrize(("value", "shown"), [("stale", {"late"}), ("fresh", {"early"})])
def test_the_list_is_filtered_by_freshness(browse, promises, value, shown):
    page = browse.get(LIST, promise=value)
    assert {name for name in ("late", "early", "free", "plain") if url("detail", name) in page} == shown


def test_where_nothing_is_promised_there_is_no_such_filter(browse):
    declare_materialised("Free", "SELECT 1 AS one")
    declare("Plain", "SELECT 1 AS one")
    sync_views()
    page = browse.get(LIST)
    assert "promise=" not in page
    assert "stale" not in page


def test_a_view_that_was_never_filled_is_stale_if_it_promises_anything(browse):
    declare_materialised("Empty", "SELECT 1 AS one", with_data=False, refresh_every=dt.timedelta(days=1))
    sync_views()
    assert url("detail", "empty") in browse.get(LIST, promise="stale")


def test_the_detail_says_what_is_promised_and_by_how_much_it_is_late(browse, promises):
    text = browse.read(url("detail", "late"))
    assert "Stale Its rows are" in text
    assert "Promised at most 0" in text
    assert "Promised at most 24 h 0 min old" in browse.read(url("detail", "early"))
    assert "Promised" not in browse.read(url("detail", "free"))
