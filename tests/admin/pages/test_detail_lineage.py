"""What the page of a view says of its columns: what they are made of, what hangs on them, personal data."""

from __future__ import annotations

import re

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_admin.ui.wording import DASH
from orm_views_core.sync import sync_views
from orm_views_core.views import HiddenViewMixin
from tests.admin.browse import bare, declare, forget, text_of, url

pytestmark = pytest.mark.django_db

BOOK = """
SELECT loan.id, loan.principal, upper(customer.city) AS city, now() AS as_of,
       CASE WHEN loan.status = 'late' THEN loan.principal ELSE loan.annual_rate END AS late
FROM lending_loan AS loan JOIN lending_customer AS customer ON customer.id = loan.customer_id
"""


def cells(html, column):
    """The cells of a column's row, as text, by their headers."""
    row = next(
        row
        for row in re.findall(r'<tr role="row">(.*?)</tr>', html, re.DOTALL)
        if re.search(rf"<th[^>]*><code[^>]*>{re.escape(column)}</code>", row)
    )
    found = re.findall(r'<(t[dh]) role="[^"]*"(?: data-label="([^"]*)")?[^>]*>(.*?)</\1>', row, re.DOTALL)
    return {label or "Column": text_of(cell) for _tag, label, cell in found}


@pytest.fixture
def views(execute):
    """A view of tables, one upon it, one upon that, and one of somebody else."""
    declare("Book", BOOK)
    declare("Cities", "SELECT city, sum(late) AS late, max(principal) AS most FROM views.book GROUP BY city")
    declare("Top", "SELECT city AS town FROM views.cities WHERE most > 10")
    sync_views()
    execute("CREATE SCHEMA reports; CREATE VIEW reports.theirs AS SELECT town FROM views.top")
    execute("CREATE VIEW reports.rows AS SELECT late FROM views.book WHERE city <> 'YORK'")


def test_each_column_says_which_columns_of_tables_it_shows_and_is_computed_from(browse, views):
    html = browse.get(url("detail", "book"))
    assert cells(html, "principal")["Made of"] == "shows public.lending_loan.principal"
    assert cells(html, "city")["Made of"] == "is computed from public.lending_customer.city"
    assert cells(html, "late")["Made of"] == (
        "shows public.lending_loan.annual_rate public.lending_loan.principal "
        "is computed from public.lending_loan.status"
    )
    assert cells(html, "as_of")["Made of"] == DASH


def test_views_in_between_are_links_to_their_columns(browse, views):
    html = browse.get(url("detail", "cities"))
    assert cells(html, "most")["Made of"] == (
        "is computed from public.lending_loan.principal by way of views.book.principal"
    )
    link = re.search(r'<a href="([^"]*)">views.book.principal</a>', bare(html))
    assert link
    page, _, fragment = link[1].partition("#")
    assert page == url("detail", "book")
    assert f'<code id="{fragment}">principal</code>' in bare(browse.get(page))


def test_each_column_says_what_is_made_of_it(browse, views):
    html = browse.get(url("detail", "book"))
    assert cells(html, "principal")["Goes to"] == "goes into views.cities.most"
    assert cells(html, "late")["Goes to"] == "is shown by reports.rows.late goes into views.cities.late"
    assert cells(html, "city")["Goes to"] == (
        "is shown by views.cities.city decides the rows of reports.rows views.cities"
    )
    assert cells(html, "id")["Goes to"] == DASH
    assert f'<a href="{url("detail", "cities")}#column-most">' in html
    assert "reports.rows.late</a>" not in bare(html)


def test_what_hangs_on_a_view_is_listed_however_many_views_are_between(browse, views):
    text = browse.read(url("detail", "book"))
    hanging = text.partition("What hangs on it Name What it is How ")[2].partition(" Grants ")[0]
    assert hanging == (
        "reports.rows plain view, not registered here reads it "
        "views.cities registered view reads it "
        "reports.theirs plain view, not registered here by way of views.top "
        "views.top registered view by way of views.cities"
    )
    assert "What hangs on it No other view." in browse.read(url("detail", "top")).replace(
        "Name What it is How reports.theirs plain view, not registered here reads it", "No other view."
    )


def test_a_function_that_may_read_any_table_is_named(browse, execute):
    execute("CREATE FUNCTION public.tell(int) RETURNS text STABLE LANGUAGE sql AS 'SELECT $1::text'")
    declare("Told", "SELECT id, public.tell(id::int) AS told FROM lending_customer")
    sync_views()
    assert cells(browse.get(url("detail", "told")), "told")["Made of"] == (
        "is computed from public.lending_customer.id may show a column of any table "
        "it reads through public.tell(integer), which may read any table"
    )


def test_many_columns_are_unfolded_by_a_click(browse):
    declare("Whole", "SELECT to_jsonb(loan) AS loan FROM lending_loan AS loan")
    sync_views()
    html = browse.get(url("detail", "whole"))
    assert '<details class="ov-more"><summary>and 3 more</summary>' in html
    assert cells(html, "loan")["Made of"].count("public.lending_loan.") == 9


def test_columns_may_have_any_name(browse):
    declare("Odd", "SELECT id AS \"a 'b' <i> ü#.1\" FROM lending_customer")
    declare("Above", "SELECT * FROM views.odd")
    sync_views()
    html = browse.get(url("detail", "above"))
    page, _, fragment = re.search(r'<a href="([^"#]*#[^"]*)">views', bare(html))[1].partition("#")
    assert re.fullmatch(r"[\w.-]+", fragment, re.ASCII)
    assert f'<code id="{fragment}">' in browse.get(page)


def test_a_view_that_is_missing_has_columns_and_no_lineage(browse):
    declare("Ages", "SELECT 1 AS one")
    html = browse.get(url("detail", "ages"))
    assert "Made of" not in html
    assert 'id="column-one"' in html
    assert "/graph/" not in html


def test_the_graph_of_the_view_is_one_click_away(browse, views):
    html = browse.get(url("detail", "book"))
    assert '<a href="/admin/orm-views/graph/?view=default/views/book">Graph</a>' in html


@pytest.mark.usefixtures("personal")
class TestPersonal:
    """Of what the demonstration marks as personal."""

    def test_personal_columns_are_marked_by_a_word_and_a_shape(self, browse):
        declare("Contacts", "SELECT id, email, lower(last_name) AS name FROM lending_customer")
        declare("Above", "SELECT name FROM views.contacts")
        sync_views()
        html = browse.get(url("detail", "contacts"))
        assert cells(html, "email")["Column"] == "email personal"
        assert cells(html, "email")["Made of"] == "shows public.lending_customer.email personal"
        assert cells(html, "name")["Made of"] == "is computed from public.lending_customer.last_name personal"
        assert cells(html, "id")["Column"] == "id"
        assert re.search(r'<span class="ov-personal"><svg[^>]*aria-hidden="true"><path d="M8', html)
        assert "personal columns are masked for whoever lacks the permission" in text_of(html)
        assert cells(browse.get(url("detail", "above")), "name")["Column"] == "name personal"

    def test_what_is_not_personal_is_not_marked(self, browse):
        declare("Towns", "SELECT DISTINCT city FROM lending_customer")
        declare(
            "Eras",
            "SELECT extract(decade FROM date_of_birth) AS era FROM lending_customer",
            not_personal=("era",),
        )
        sync_views()
        assert "personal" not in browse.read(url("detail", "towns"))
        html = browse.get(url("detail", "eras"))
        assert cells(html, "era")["Column"] == "era no longer personal, as its class says"
        assert "are masked" not in html

    def test_what_the_guard_finds_is_the_state_with_its_message(self, browse, execute):
        declare("Contacts", "SELECT id, email FROM lending_customer")
        sync_views()
        assert "Synced The database has what its class says." in browse.read(url("detail", "contacts"))
        execute("GRANT SELECT ON views.contacts TO PUBLIC")
        text = browse.read(url("detail", "contacts")).replace("&#x27;", "'").replace("&quot;", '"')
        assert "Shows personal data lending.Contacts" in text
        assert "'email' of views.contacts shows lending.Customer.email as it is." in text
        assert "It may be read by everybody (PUBLIC)." in text
        assert 'exposes = ("email",)' in text

    def test_whoever_may_see_the_page_may_read_the_message(self, staff, execute):
        declare("Contacts", "SELECT id, email FROM lending_customer")
        sync_views()
        execute("GRANT SELECT ON views.contacts TO PUBLIC")
        page = staff("view").get(url("detail", "contacts")).content.decode()
        assert "It may be read by everybody (PUBLIC)." in text_of(page)

    def test_another_state_does_not_hide_it(self, browse, execute):
        declare("Contacts", "SELECT id, email FROM lending_customer")
        sync_views()
        execute("GRANT SELECT ON views.contacts TO PUBLIC")
        declare("Contacts", "SELECT id, email, city FROM lending_customer")
        text = browse.read(url("detail", "contacts")).replace("&quot;", '"')
        assert "Its class has changed since the last sync." in text
        assert "Shows personal data lending.Contacts" in text
        assert text.index('exposes = ("email",)') < text.index("Sync it.")
        declare("Contacts", "SELECT id, email, nonsense FROM lending_customer")
        text = browse.read(url("detail", "contacts"))
        assert "Invalid" in text
        assert "Shows personal data lending.Contacts" in text

    def test_what_is_shown_on_purpose_is_no_problem_and_is_said(self, browse):
        declare(
            "Mails",
            "SELECT email, first_name FROM lending_customer",
            HiddenViewMixin,
            exposes=("email",),
        )
        declare("Shown", "SELECT email FROM views.mails", exposes=("email",), grant_select_to=["analyst"])
        sync_views()
        html = browse.get(url("detail", "shown"))
        assert "Synced The database has what its class says." in text_of(html)
        assert "Shows personal data on purpose Its class declares so: email." in text_of(html)
        assert cells(html, "email")["Column"] == "email personal, shown on purpose"

    def test_a_warning_is_said_and_changes_no_state(self, browse, execute):
        declare(
            "Contacts",
            "SELECT id, city FROM lending_customer",
            not_personal=("city",),
            grant_select_to=["analyst"],
        )
        sync_views()
        text = browse.read(url("detail", "contacts"))
        assert "Synced" in text
        assert "Personal data: look at this" in text
        assert "Remove it: it would hide a later mistake." in text

    def test_a_view_of_somebody_else_has_a_warning_only(self, browse, execute):
        declare("Towns", "SELECT DISTINCT city FROM lending_customer")
        sync_views()
        execute("CREATE VIEW views.theirs AS SELECT email FROM lending_customer")
        execute("GRANT SELECT ON views.theirs TO PUBLIC")
        text = browse.read(url("detail", "theirs"))
        assert "Unmanaged" in text
        said = text.partition("Personal data: look at this")[2]
        assert "&#x27;email&#x27; of views.theirs shows lending.Customer.email as it is." in said
        assert "No class declares this view." in said

    def test_a_wrong_mark_is_said(self, browse, settings):
        settings.ORM_VIEWS = {"PERSONAL": ["lending.Customer.mail"]}
        declare("Towns", "SELECT DISTINCT city FROM lending_customer")
        assert "lending.Customer has no field" in browse.read(url("detail", "towns"))


def test_the_number_of_queries_depends_on_no_number_of_views(browse, registered, personal):
    def count(number):
        forget(registered)
        declare("Contacts", "SELECT id, email FROM lending_customer")
        for n in range(number):
            declare(f"Above{n}", "SELECT email AS mail, id FROM views.contacts WHERE id > 3")
            declare(f"Below{n}", f"SELECT mail FROM views.above{n}")
        sync_views(allow_drop_all=True)
        browse.get(url("detail", "contacts"))
        with CaptureQueriesContext(connections["default"]) as queries:
            html = browse.get(url("detail", "contacts"))
        assert html.count("registered view") == 2 * number
        return len(queries)

    assert count(1) == count(20)
