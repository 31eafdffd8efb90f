"""Exact counts as JSON."""

from __future__ import annotations

import pytest

from orm_views_admin.ui.wording import DASH
from orm_views_core.sync import sync_views
from tests.admin.browse import declare, declare_materialised, url

pytestmark = pytest.mark.django_db


def test_a_count_is_exact_and_written_as_the_language_does(admin_client):
    declare("Many", "SELECT generate_series(1, 1234) AS n")
    sync_views()
    count = admin_client.get(url("count", "many")).json()
    assert count == {"rows": 1234, "exact": True, "text": "1,234", "title": "Counted just now"}


def test_a_count_that_takes_too_long_is_the_estimate(admin_client, settings):
    settings.ORM_VIEWS = {"COUNT_TIMEOUT": 0.1}
    declare("Slow", "SELECT n FROM generate_series(1, 20) AS n WHERE pg_sleep(1) IS NOT NULL")
    sync_views()
    count = admin_client.get(url("count", "slow")).json()
    assert count["exact"] is False
    assert count["text"] == f"~ {count['rows']}"


def test_what_cannot_be_counted_says_why(admin_client):
    declare_materialised("Empty", "SELECT 1 AS one", with_data=False)
    sync_views()
    declare("Missing", "SELECT 1 AS one")
    for name, why in (("empty", "not populated"), ("missing", "not in the database")):
        count = admin_client.get(url("count", name)).json()
        assert (count["rows"], count["exact"]) == (None, False)
        assert why in count["title"]


def test_what_depends_on_what_a_stranger_owns_is_not_counted(admin_client, execute, make_role):
    make_role("stranger")
    declare("Plain", "SELECT 1 AS one")
    declare_materialised("Stored", "SELECT generate_series(1, 1234) AS n")
    sync_views()
    execute("ANALYZE views.stored")
    for name, rows, text in (("plain", None, DASH), ("stored", 1234, "~ 1,234")):
        assert admin_client.get(url("count", name)).json()["exact"] is True
        execute(f"ALTER TABLE views.{name} OWNER TO stranger")
        count = admin_client.get(url("count", name)).json()
        assert (count["rows"], count["exact"], count["text"]) == (rows, False, text)
        assert count["title"].startswith(
            f"The rows of views.{name} are not read, because it belongs to the role 'stranger'."
        )


def test_an_unknown_view_is_not_found(admin_client):
    assert admin_client.get(url("count", "absent")).status_code == 404
