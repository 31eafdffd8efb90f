"""The page of a view, in each status."""

from __future__ import annotations

import re

import pytest
from django.db import models

from orm_views_admin.ui.wording import DASH
from orm_views_core.sync import sync_views
from orm_views_core.views import HiddenViewMixin, PostgresViewFromSQL, ReadableViewFromSQL
from tests.admin.browse import bare, declare, declare_materialised, text_of, url

pytestmark = pytest.mark.django_db


def test_a_synced_view_shows_its_sql_its_columns_and_where_it_is_written(browse):
    declare(
        "Ages",
        "select id, city as town from lending_customer where city = 'York'",
        __doc__="Ages of customers.",
    )
    sync_views()
    html = browse.get(url("detail", "ages"))
    text = text_of(html)
    assert "Synced The database has what its class says." in text
    assert "Ages of customers." in text
    assert "lending.Ages" in text
    assert '<span class="hl-k">select</span>' in html
    assert "id bigint" in text
    assert "town character varying(60)" in text
    assert "No difference" in text
    assert "public.lending_customer" in text
    assert "Only its owner can read it." in text


def test_a_view_says_in_which_file_and_line_its_class_is_written(browse):
    class Ages(PostgresViewFromSQL):
        sql = "SELECT 1 AS one"

    assert "tests/admin/pages/test_detail.py, line" in browse.read(url("detail", "ages"))


def test_comments_of_columns_are_shown(browse):
    type(
        "Towns",
        (ReadableViewFromSQL,),
        {
            "__module__": "tests.demo.lending.postgres_views",
            "sql": "SELECT 'York' AS town",
            "town": models.TextField(primary_key=True, help_text="Where they live."),
        },
    )
    sync_views()
    text = browse.read(url("detail", "towns"))
    assert "Where they live." in text
    assert "readable through the ORM" in text


def test_a_changed_view_shows_the_difference_between_canonical_texts(browse):
    declare("Ages", "SELECT 1 AS one")
    sync_views()
    declare("Ages", "SELECT 2 AS one")
    html = browse.get(url("detail", "ages"))
    assert "Changed Its class has changed since the last sync. Sync it." in text_of(html)
    assert re.search(r"ov-removed.*SELECT 1 AS one", html)
    assert re.search(r"ov-added.*SELECT 2 AS one", html)


def test_a_drifted_view_says_what_to_do(browse, execute):
    declare("Ages", "SELECT 1 AS one")
    sync_views()
    execute("CREATE OR REPLACE VIEW views.ages AS SELECT 3 AS one")
    html = browse.get(url("detail", "ages"))
    assert "Drifted It was changed in the database since the last sync. Sync it to put it back." in text_of(
        html
    )
    assert re.search(r"ov-removed.*SELECT 3 AS one", html)


def test_a_missing_view_shows_what_it_would_be(browse):
    declare("Ages", "SELECT 1 AS one")
    text = browse.read(url("detail", "ages"))
    assert "Missing It is registered, but not in the database." in text
    assert "one integer" in text
    assert "Preview" not in text


def test_an_orphaned_view_can_be_synced_away(browse, registered):
    view = declare("Ages", "SELECT 1 AS one", __doc__="Old.")
    sync_views()
    registered.unregister(view)
    html = browse.get(url("detail", "ages"))
    assert "Orphaned A sync made it, and no class declares it any more." in text_of(html)
    assert "/sync/?view=" in html
    assert f"Rows {DASH} No class declares views.ages" in text_of(html)
    assert "/preview/" not in html


def test_an_unmanaged_view_is_shown_and_never_touched(browse, execute):
    declare("Ages", "SELECT 1 AS one")
    sync_views()
    execute("CREATE VIEW views.theirs AS SELECT 5 AS five")
    html = browse.get(url("detail", "theirs"))
    assert "Unmanaged It is in a schema of the views, but no sync made it or changes it." in text_of(html)
    assert f"Rows {DASH} No class declares views.theirs" in text_of(html)
    for path in ("/sync/", "/refresh/", "/preview/", "/count/"):
        assert path not in html


def test_a_view_that_depends_on_what_a_stranger_owns_says_why_it_is_not_read(browse, execute, make_role):
    make_role("stranger")
    declare_materialised("Ages", "SELECT city FROM lending_customer")
    sync_views()
    execute("ANALYZE views.ages")
    assert "/preview/" in browse.get(url("detail", "ages"))
    execute("ALTER TABLE lending_customer OWNER TO stranger")
    html = browse.get(url("detail", "ages"))
    assert (
        "Rows ~ 0 The rows of views.ages are not read, because it depends on table public.lending_customer, "
        "which belongs to the role &#x27;stranger&#x27;." in text_of(html)
    )
    assert "ORM_VIEWS[&#x27;TRUSTED_OWNERS&#x27;]" in html
    for path in ("/preview/", "/count/"):
        assert path not in html


@pytest.mark.parametrize(
    ("obstacle", "reason"),
    [
        ("CREATE VIEW views.ages AS SELECT 1 AS one", "It is a view in the database"),
        ("CREATE TABLE views.ages (one int)", "The name belongs to a table that no sync created."),
    ],
)
def test_a_view_of_the_wrong_kind_says_so(browse, execute, obstacle, reason):
    execute("CREATE SCHEMA views")
    execute(obstacle)
    declare_materialised("Ages", "SELECT 1 AS one")
    assert f"Wrong kind {reason}" in browse.read(url("detail", "ages"))


def test_a_materialised_view_that_is_not_populated_can_be_refreshed(browse):
    declare_materialised("Ages", "SELECT 1 AS one", with_data=False)
    sync_views()
    text = browse.read(url("detail", "ages"))
    assert "Not populated It has no rows yet and cannot be read. Refresh it." in text
    assert "A refresh makes its readers wait, because it has no rows yet" in text


def test_invalid_sql_is_shown_with_postgresqls_words(browse):
    declare("Ages", "SELECT nonsense\nFROM lending_customer")
    text = browse.read(url("detail", "ages"))
    assert "Invalid" in text
    assert "column &quot;nonsense&quot; does not exist" in text
    assert "Line 1 of the sql" in text


def test_indexes_say_whether_readers_wait(browse):
    declare_materialised("Keyed", "SELECT 1 AS one", pk_field="one")
    declare_materialised("Plain", "SELECT 1 AS one")
    sync_views()
    assert "It is refreshed concurrently: its readers do not wait." in browse.read(url("detail", "keyed"))
    assert "keyed_one_key Yes" in browse.read(url("detail", "keyed"))
    assert "it has no unique index on plain columns; set pk_field on its class" in browse.read(
        url("detail", "plain")
    )


def test_upstream_and_downstream_are_links_where_they_are_ours(browse, execute):
    declare("Bottom", "SELECT id FROM lending_customer")
    declare("Top", "SELECT id FROM views.bottom")
    sync_views()
    execute("CREATE VIEW public.theirs AS SELECT * FROM views.bottom")
    html = bare(browse.get(url("detail", "bottom")))
    assert f'<a href="{url("detail", "top")}">views.top</a>' in html
    assert "public.theirs plain view, not registered here" in text_of(html)
    assert "public.lending_customer table of lending.Customer" in text_of(html)
    html = bare(browse.get(url("detail", "top")))
    assert f'<a href="{url("detail", "bottom")}">views.bottom</a>' in html


def test_grants_say_who_may_read_it_and_options_how_it_stands(browse, execute, make_role):
    make_role("An analyst")
    make_role("guest")
    declare("Ages", "SELECT 1 AS one", grant_select_to=["An analyst"], security_barrier=True)
    declare("Secret", "SELECT 1 AS one", HiddenViewMixin)
    sync_views()
    execute("GRANT SELECT ON views.ages TO guest WITH GRANT OPTION")
    text = browse.read(url("detail", "ages"))
    assert "An analyst SELECT sync" in text
    assert "guest SELECT * hand" in text
    assert "security_barrier true true" in text
    assert "hidden" in browse.read(url("detail", "secret"))


def test_what_does_not_exist_is_not_found(admin_client):
    declare("Ages", "SELECT 1 AS one")
    assert admin_client.get(url("detail", "absent")).status_code == 404


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_a_database_that_does_not_answer_is_said(browse, cut_off):
    cut_off("warehouse")
    declare("There", "SELECT 1 AS one", database="warehouse")
    for page in ("detail", "preview"):
        assert "does not answer" in browse.read(url(page, "there", database="warehouse"))
