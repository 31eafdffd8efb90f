"""Rows with personal data: who sees the values, and that those of others never leave the database."""

from __future__ import annotations

import re

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_admin.models import Run
from orm_views_core.engines.postgresql.rules import known, selects
from orm_views_core.exceptions import RefreshError
from orm_views_core.privacy import marks
from orm_views_core.refresh import refresh_views
from orm_views_core.sync import sync_views
from tests.admin.browse import declare, declare_materialised, text_of, url
from tests.admin.histories import path_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo_data", "personal")]

SEES = ("view", "preview")
SEES_ALL = (*SEES, "view_personal")
CONTACTS = """
SELECT id, email, lower(first_name) AS called, city, date_of_birth AS "born <on>" FROM lending_customer
"""


@pytest.fixture
def contacts():
    """A view that nobody but its owner may read, so that it may show anything."""
    declare("Contacts", CONTACTS)
    sync_views()
    return url("preview", "contacts")


@pytest.fixture
def values(execute):
    """All personal values of the customers."""
    rows = execute("SELECT email, first_name, lower(first_name), date_of_birth::text FROM lending_customer")
    return {value for row in rows for value in row}


def cells(html):
    """The cells of the table, row by row, as text."""
    body = html.partition("<tbody")[2]
    return [
        [text_of(cell) for cell in re.findall(r"<t[dh] role=[^>]*>(.*?)</t[dh]>", row, re.DOTALL)]
        for row in re.findall(r'<tr role="row">(.*?)</tr>', body, re.DOTALL)
    ]


def is_about_rows(sql):
    return 'FROM "views"."contacts"' in sql and "LIMIT" in sql


def get(client, path, status_code=200, **parameters):
    response = client.get(path, parameters)
    assert response.status_code == status_code, text_of(response.content.decode())
    assert response.request["PATH_INFO"] == path
    # The token against CSRF is random, and has a short name such as “ava” in it now and then.
    return re.sub(r'(name="csrfmiddlewaretoken" value=)"\w+"', r"\1", response.content.decode())


def test_personal_columns_are_masked_and_others_are_not(staff, contacts, values, execute):
    html = get(staff(*SEES), contacts)
    rows = cells(html)
    assert len(rows) == 50
    assert {(row[1], row[2], row[4]) for row in rows} == {("masked", "masked", "masked")}
    assert {row[3] for row in rows} <= {city for (city,) in execute("SELECT city FROM lending_customer")}
    assert not [value for value in values if value in html]


def test_the_page_says_which_columns_are_masked_and_what_is_needed_to_see_them(staff, contacts):
    text = text_of(get(staff(*SEES), contacts))
    assert "3 columns with personal data are masked." in text
    assert "The values of email, called, born &lt;on&gt; were not read from the database." in text
    assert "You need the permission to see personal data in rows of views." in text


def test_the_values_are_not_read_from_the_database(staff, contacts, values):
    """What PostgreSQL sends is looked at, not only what the page shows."""
    sent = []

    def look(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if is_about_rows(sql):
            assert "email" not in sql
            sent.extend(context["cursor"].fetchall())
            context["cursor"].scroll(0, mode="absolute")
        return result

    client = staff(*SEES)
    with connections["default"].execute_wrapper(look):
        get(client, contacts)
    assert len(sent) == 50
    assert not values & {str(value) for row in sent for value in row}
    assert {len(row) for row in sent} == {2}  # the columns that are not masked


@pytest.mark.parametrize("held", [("view",), ("view", "view_personal"), ("view_personal", "preview")])
def test_the_permission_alone_shows_no_rows(staff, contacts, held):
    assert staff(*held).get(contacts).status_code == 403


def test_whoever_has_the_permission_sees_all(staff, admin_client, contacts, execute):
    emails = {email for (email,) in execute("SELECT email FROM lending_customer")}
    for client in (staff(*SEES_ALL), admin_client):
        html = get(client, contacts)
        assert {row[1] for row in cells(html)} == emails
        assert "masked" not in html
        assert '<option value="email">' in html
        assert cells(get(client, contacts, **{"column.email": min(emails)}))[0][1] == min(emails)
        assert cells(get(client, contacts, sort="-email"))[0][1] == max(emails)


@pytest.mark.parametrize(
    "asked",
    [
        {"sort": "email"},
        {"sort": "-email"},
        {"sort": "called"},
        {"column.email": "a"},
        {"column.born <on>": "19"},
        {"column.city": "e", "column.email": "a"},
        {"column.city": "e", "sort": "email"},
    ],
)
def test_rows_are_neither_sorted_nor_filtered_by_what_is_masked(staff, contacts, asked):
    """Which rows come, and in which order, would tell the values."""
    client = staff(*SEES)
    with CaptureQueriesContext(connections["default"]) as queries:
        get(client, contacts)
    assert [query for query in queries if is_about_rows(query["sql"])]
    with CaptureQueriesContext(connections["default"]) as queries:
        html = get(client, contacts, 403, **asked)
    assert "are masked, so rows are neither sorted nor filtered by them." in text_of(html)
    assert "You need the permission to see personal data in rows of views." in text_of(html)
    assert '<table class="ov-table' not in html
    assert '<a href="?">' in html
    assert not [query for query in queries if is_about_rows(query["sql"])]


def test_other_columns_sort_and_filter_as_before(staff, contacts):
    client = staff(*SEES)
    html = get(client, contacts, sort="-id", **{"column.city": "e"})
    ids = [int(row[0]) for row in cells(html)]
    assert ids == sorted(ids, reverse=True)
    assert all("e" in row[3].lower() for row in cells(html))
    assert '<option value="city">' in html
    assert '<option value="email">' not in html
    assert "sort=city" in html
    assert "sort=email" not in html


def test_a_materialised_view_is_masked_too(staff):
    declare_materialised("Kept", "SELECT id, email FROM lending_customer", pk_field="id")
    sync_views()
    assert {row[1] for row in cells(get(staff(*SEES), url("preview", "kept")))} == {"masked"}


def test_what_comes_through_other_views_is_masked_too(staff, contacts, execute):
    execute("CREATE VIEW public.theirs AS SELECT id, c FROM views.contacts AS c")
    declare("Above", "SELECT (theirs.c).email || '' AS mail, id FROM public.theirs")
    sync_views()
    rows = cells(get(staff(*SEES), url("preview", "above")))
    assert {row[0] for row in rows} == {"masked"}
    assert "masked" not in {row[1] for row in rows}


def test_what_is_shown_on_purpose_is_masked_all_the_same(staff, make_role):
    declare("Mails", "SELECT email FROM lending_customer", exposes=("email",), grant_select_to=["analyst"])
    sync_views()
    assert {row[0] for row in cells(get(staff(*SEES), url("preview", "mails")))} == {"masked"}


def test_what_is_no_longer_personal_is_shown(staff):
    declare(
        "Eras",
        "SELECT extract(decade FROM date_of_birth)::int AS era FROM lending_customer",
        not_personal=("era",),
    )
    declare("Eras_again", "SELECT era + 1 AS next FROM views.eras")
    sync_views()
    for name in ("eras", "eras_again"):
        html = get(staff(*SEES) if name == "eras" else staff("preview", "view"), url("preview", name))
        assert "masked" not in html
        assert cells(html)


def test_a_wrong_declaration_shows_nothing(staff, execute):
    """The guard refuses it. It may be in a class that was deployed and not synced."""
    declare("Mails", "SELECT email FROM lending_customer")
    sync_views()
    declare("Mails", "SELECT email FROM lending_customer", not_personal=("email",))
    assert {row[0] for row in cells(get(staff(*SEES), url("preview", "mails")))} == {"masked"}


def test_a_function_that_may_read_any_table_is_masked(staff, execute):
    execute("CREATE FUNCTION public.tell(int) RETURNS text STABLE LANGUAGE sql AS 'SELECT ''secret'' || $1'")
    declare("Told", "SELECT n, public.tell(n) AS told FROM generate_series(1, 3) AS n")
    sync_views()
    html = get(staff(*SEES), url("preview", "told"))
    assert cells(html) == [["1", "masked"], ["2", "masked"], ["3", "masked"]]
    assert "secret" not in html


def test_of_a_view_that_cannot_be_read_to_the_end_everything_is_masked(staff, contacts, monkeypatch):
    monkeypatch.setattr(known, "_known", {})
    monkeypatch.setattr(selects, "NEWEST", 10)
    html = get(staff(*SEES), contacts)
    assert {value for row in cells(html) for value in row} == {"masked"}
    assert "5 columns with personal data are masked." in text_of(html)
    assert "Add filter" not in html


def test_without_a_right_mark_no_rows_are_shown(staff, contacts, settings):
    settings.ORM_VIEWS = {"PERSONAL": ["lending.Customer.mail"]}
    text = text_of(get(staff(*SEES), contacts))
    assert "The rows cannot be shown." in text
    assert "lending.Customer has no field &#x27;mail&#x27;" in text


def test_without_marks_nothing_is_masked(staff, contacts, monkeypatch):
    client = staff(*SEES)
    assert "masked" in get(client, contacts)
    monkeypatch.setattr(marks, "_used", False)
    assert "masked" not in get(client, contacts)


def test_masking_takes_a_fixed_number_of_queries(staff, contacts):
    client = staff(*SEES)

    def count():
        get(client, contacts)
        with CaptureQueriesContext(connections["default"]) as queries:
            get(client, contacts)
        return len(queries)

    few = count()
    for n in range(40):
        declare(f"Further{n}", f"SELECT {n} AS n, email FROM views.contacts")
    sync_views()
    assert count() == few


#: PostgreSQL quotes the value that it refuses, of a column that only decides which rows there are.
REFUSING = "SELECT id FROM lending_customer WHERE email::int > 0"


@pytest.mark.parametrize(
    ("held", "hint"),
    [
        (("view",), "Those who may see rows of views can read the whole message."),
        (SEES, "Those who may see personal data in rows of views can read the whole message."),
        (SEES_ALL, ""),
    ],
    ids=["view", "preview", "view_personal"],
)
def test_errors_that_may_quote_personal_data_are_for_those_who_may_see_it(staff, values, held, hint):
    declare_materialised("Refusing", REFUSING, with_data=False)
    sync_views()
    with pytest.raises(RefreshError):
        refresh_views(["views.refusing"])
    run = Run.objects.get(kind=Run.Kind.REFRESH)
    client = staff(*held)
    texts = client.get(path_of(run, "state/")).json()["runs"][0]["texts"]["error"]
    assert "PostgreSQL reports SQLSTATE 22P02 (invalid text representation)." in texts or not hint
    assert texts.endswith(hint)
    for text in (texts, get(client, "/admin/orm-views/runs/"), get(client, path_of(run))):
        assert bool([value for value in values if value in text]) == (not hint)


def test_errors_of_a_preview_quote_nothing_personal(staff, values):
    declare("Refusing", REFUSING)
    sync_views()
    html = get(staff(*SEES), url("preview", "refusing"))
    assert "The rows cannot be shown. The rows of views.refusing cannot be read." in text_of(html)
    assert "Those who may see personal data in rows of views can read the whole message." in text_of(html)
    assert not [value for value in values if value in html]
    html = get(staff(*SEES_ALL), url("preview", "refusing"))
    assert [value for value in values if value in html]
