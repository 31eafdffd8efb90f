"""The page that compares data: what a plan does to the rows of views, for those who may see them."""

from __future__ import annotations

import pytest
from django.db import connections

from orm_views_admin.models import RowAccess
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, declare_materialised, forget, key, text_of

pytestmark = pytest.mark.django_db
COMPARE = f"{LIST}sync/compare/"


@pytest.fixture
def goods(registered, execute):
    execute("CREATE TABLE goods AS SELECT g AS id, g * 10 AS price FROM generate_series(1, 30) g")
    declare("Base", "SELECT id, price FROM goods")
    declare_materialised("Kept", "SELECT id, price FROM views.base WHERE id < 11", pk_field="id")
    sync_views()
    execute("UPDATE goods SET price = 5 WHERE id = 1")
    forget(registered, "Base")
    declare(
        "Base",
        "SELECT id, price + CASE id WHEN 2 THEN 7 ELSE 0 END AS price, 1 AS one FROM goods"
        " WHERE id <> 9 UNION ALL SELECT 99, 1, 1",
    )


def test_what_is_shown(browse, goods):
    text = browse.read(COMPARE)
    assert "Compare data of all views" in text
    assert "1 row added, 1 row removed, 1 of 30 rows changed; price in 1." in text
    assert "New columns: one. Rows with the same id are compared." in text
    assert "views.kept 1 row removed, 1 of 10 rows changed" in text
    assert "+ added 99 1 1" in text
    assert "- removed 9 90" in text
    assert "~ changed 2 20 → 27 1" in text


def test_the_plan_leads_to_it(browse, goods):
    page = browse.get(f"{LIST}sync/?view={key('base')}")
    assert f'<a href="{COMPARE}?view={key("base")}">Compare data</a>' in page
    text = browse.read(f"{COMPARE}?view={key('base')}")
    assert "Compare data of views.base" in text


def test_stored_rows(browse, goods):
    page = browse.get(f"{COMPARE}?view={key('kept')}")
    assert f'href="{COMPARE}?view={key("kept")}&amp;stored=on"' in page
    text = browse.read(f"{COMPARE}?view={key('kept')}&stored=on")
    assert "1 row removed, 2 of 10 rows changed; price in 2." in text
    assert "The rows before are the stored ones, refreshed just now" in text


def test_nothing_to_compare(browse, registered):
    declare("Same", "SELECT 1 AS one")
    sync_views()
    assert "No view gets other rows." in browse.read(COMPARE)
    text = browse.read(f"{COMPARE}?view={key('same')}")
    assert "No row differs, of 1." in text
    assert "The definition stays as it is, and gives the same rows each time." in text


def test_what_cannot_be_compared(browse, registered, execute):
    execute("CREATE TABLE goods AS SELECT 1 AS id")
    declare("Base", "SELECT id, 1 AS n FROM goods")
    sync_views()
    forget(registered, "Base")
    declare("Base", "SELECT id, 1 / (id - 1) AS n FROM goods")
    assert "Not compared. The rows of views.base cannot be read: division by zero." in browse.read(COMPARE)
    forget(registered, "Base")
    declare("Base", "SELECT wrong FROM goods")
    text = browse.read(COMPARE)
    assert "The data cannot be compared." in text
    assert "column &quot;wrong&quot; does not exist" in text


def test_new_and_dropped_views(browse, goods, registered):
    forget(registered, "Kept")
    declare("Fresh", "SELECT id FROM goods WHERE id > 20")
    text = browse.read(COMPARE)
    assert "views.fresh The view is new, with 10 rows." in text
    assert "views.kept The view is dropped, with all of its 10 rows." in text


def test_it_takes_the_permission_to_sync(staff, goods):
    assert staff("view", "preview").get(COMPARE).status_code == 403
    assert staff("view", "sync").get(COMPARE).status_code == 200
    assert staff("view", "sync", "preview").post(COMPARE).status_code == 405


def test_rows_are_shown_to_those_who_may_see_them_and_that_is_recorded(staff, goods):
    text = text_of(staff("view", "sync").get(COMPARE).content.decode())
    assert "1 of 30 rows changed" in text
    assert "20 → 27" not in text
    assert "You need the permission to see rows of this view to see which ones differ." in text
    assert not RowAccess.objects.exists()
    text = text_of(staff("view", "sync", "preview").get(COMPARE).content.decode())
    assert "20 → 27" in text
    accesses = RowAccess.objects.filter(name="base")
    assert [(a.kind, a.who, a.rows, a.about, a.with_personal) for a in accesses] == [
        ("comparison", "staff-view-sync-preview", 3, "1 added, 1 removed, 1 changed", False)
    ]
    assert RowAccess.objects.count() == 2


def test_rows_are_not_shown_if_that_cannot_be_recorded(staff, goods):
    client = staff("view", "sync", "preview")
    with connections["default"].cursor() as cursor:
        cursor.execute("ALTER TABLE orm_views_admin_rowaccess RENAME COLUMN who TO whom")
    text = text_of(client.get(COMPARE).content.decode())
    assert "it could not be recorded that you read them" in text
    assert "20 → 27" not in text
    assert "1 of 30 rows changed" in text


def test_personal_values_are_masked(staff, personal, registered, demo_data):
    declare("Shown", "SELECT id, email, city FROM lending_customer", exposes=["email"])
    sync_views()
    forget(registered, "Shown")
    declare(
        "Shown", "SELECT id, upper(email) AS email, 'Bath' AS city FROM lending_customer", exposes=["email"]
    )
    html = staff("view", "sync", "preview").get(COMPARE).content.decode()
    text = text_of(html)
    assert "email in 50, city in 50." in text
    assert "masked → Bath" not in text
    assert "A column with personal data is masked." in text
    assert "@" not in html.replace("@font-face", "")
    assert not RowAccess.objects.get().with_personal
    html = staff("view", "sync", "preview", "view_personal").get(COMPARE).content.decode()
    assert "@" in html
    assert RowAccess.objects.first().with_personal


def test_values_are_escaped(browse, registered, execute):
    execute("CREATE TABLE goods AS SELECT 1 AS id, '<b>x</b>'::text AS name")
    declare("Base", "SELECT id, name FROM goods")
    sync_views()
    forget(registered, "Base")
    declare("Base", "SELECT id, name || '<script>' AS name FROM goods")
    page = browse.get(COMPARE)
    assert "&lt;b&gt;x&lt;/b&gt;&lt;script&gt;" in page
    assert "<b>x" not in page


def test_estimates_are_marked(browse, registered, execute, settings):
    settings.ORM_VIEWS = {"COMPARE_TIMEOUT": 1.0}
    execute("CREATE TABLE goods AS SELECT g AS id FROM generate_series(1, 2000) g")
    execute(
        "CREATE FUNCTION public.slow(n int) RETURNS int LANGUAGE plpgsql STABLE AS"
        " 'BEGIN PERFORM pg_sleep(0.002); RETURN n; END'"
    )
    declare("Base", "SELECT id, public.slow(id) AS n FROM goods")
    sync_views()
    forget(registered, "Base")
    declare("Base", "SELECT id, id + 1 AS n FROM goods")
    text = browse.read(COMPARE)
    assert "of ≈ " in text
    assert "≈ stands for an estimate by 1 % of the rows" in text


def test_addresses_that_are_none(browse, registered):
    assert browse.client.get(f"{COMPARE}?view=nonsense").status_code == 404


def test_views_that_the_user_may_not_see_are_left_out(staff, goods, registered):
    client = staff("view", "sync", "preview")
    forget(registered, "Base")
    sql = "SELECT id, price + 1 AS price FROM goods"
    declare("Base", sql, staff={"view": ["nobody"]})
    text = text_of(client.get(COMPARE).content.decode())
    assert "views.kept" in text
    assert "views.base" not in text
    assert client.get(f"{COMPARE}?view={key('base')}").status_code == 404
    forget(registered, "Base")
    declare("Base", sql, staff={"preview": ["nobody"]})
    text = text_of(client.get(COMPARE).content.decode())
    assert "views.base 30 of 30 rows changed; price in 30." in text
    assert "You need the permission to see rows of this view to see which ones differ. views.kept" in text
    assert {access.name for access in RowAccess.objects.all()} == {"kept"}
