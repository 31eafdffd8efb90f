"""Who has read rows: the page that tells it to those who may know, and the links to it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orm_views_admin.models import RowAccess
from orm_views_core.database.rows import Condition, Operator, Span
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, key, text_of, url
from tests.admin.histories import equals, make_access, make_run

pytestmark = pytest.mark.django_db

PAGE = f"{LIST}accesses/"
LOANS = "SELECT n AS id, n % 10 AS customer_id, 'word ' || n AS word FROM generate_series(1, 120) AS n"


@pytest.fixture
def loans():
    declare("Loans", LOANS)
    sync_views()
    return url("preview", "loans")


@pytest.fixture
def auditor():
    """A function that logs in somebody who may see who has read rows, with further permissions."""

    def log_in(*codenames):
        user = get_user_model().objects.create_user("auditor", is_staff=True)
        wanted = {"view_registeredview", "view_rowaccess", *codenames}
        found = Permission.objects.filter(content_type__app_label="orm_views_admin", codename__in=wanted)
        assert len(found) == len(wanted)
        user.user_permissions.set(found)
        client = Client()
        client.force_login(user)
        return client

    return log_in


# Who may see it.


def test_only_with_both_permissions_is_there_a_link_or_a_page(browse, staff, auditor, loans):
    make_access(equals("5"))
    superuser_pages = (LIST, url("detail", "loans"), loans)
    for path in superuser_pages:
        assert "accesses/" in browse.get(path)
    looking = staff("view", "preview")
    for path in superuser_pages:
        response = looking.get(path)
        assert response.status_code == 200
        assert "accesses/" not in response.content.decode()
    for path in (PAGE, f"{PAGE}export/csv/", f"{PAGE}export/json/"):
        assert looking.get(path).status_code == 403
        assert browse.client.get(path).status_code == 200
    may = auditor()
    assert "customer_id = 5" in text_of(may.get(PAGE).content.decode())
    user = get_user_model().objects.get(username="auditor")
    user.user_permissions.remove(Permission.objects.get(codename="view_registeredview"))
    assert may.get(PAGE).status_code == 403


def test_views_that_somebody_may_not_see_are_left_out(auditor):
    declare("Loans", LOANS)
    declare("Secret", "SELECT 1 AS id", staff={"view": ["nobody"]})
    sync_views()
    make_access(equals("5"))
    make_access(equals("unseen"), name="secret", who="bob")
    may = auditor()
    text = may.get(PAGE).content.decode()
    assert "customer_id = 5" in text
    assert "secret" not in text
    assert "bob" not in text
    assert "unseen" not in may.get(f"{PAGE}export/json/").getvalue().decode()
    assert may.get(PAGE, {"view": key("secret")}).status_code == 404


# The page.


@pytest.fixture
def past():
    """Accesses of all kinds, some days old."""
    declare("Loans", LOANS)
    declare("Towns", "SELECT 1 AS id")
    sync_views()
    make_access(equals("5"), who="ann", days=1)
    make_access(Condition("customer_id", Operator.IN, ("4", "5.0")), who="ben", days=2, with_personal=True)
    make_access(equals("5"), equals("7", "id"), who="cid", days=20)
    make_access(equals("6"), who="dan", days=1)
    make_access(Condition("customer_id", Operator.IS_NULL), who="dee", days=1)
    make_access(who="eve", kind=RowAccess.Kind.EXPORT, rows=120, days=1, about="as CSV")
    make_access(Condition("customer_id", Operator.AT_MOST, ("9",)), who="fay", days=3)
    make_access(equals("x", "word"), who="gus", days=1)
    make_access(equals("5"), who="hal", days=1, name="towns")


def names(browse, **parameters):
    """Who is in the table, in alphabetical order."""
    found = json.loads(browse.client.get(f"{PAGE}export/json/", parameters).getvalue())
    html = browse.get(PAGE, **parameters)
    count = "1 access" if len(found) == 1 else f"{len(found)} accesses"
    assert not found or count in html
    return sorted(each["who"] for each in found)


def test_who_looked_at_the_rows_of_a_customer(browse, past):
    about = {"view": key("loans"), "column.customer_id.equals": "5"}
    assert names(browse, **about) == ["ann", "ben", "cid"]
    assert names(browse, **about, since="week") == ["ann", "ben"]
    assert names(browse, **about, rows="maybe") == ["eve", "fay", "gus"]
    assert names(browse, **about, rows="other") == ["dan", "dee"]
    assert names(browse, **{**about, "view": []}) == ["ann", "ben", "cid", "hal"]


def test_nobody_is_told_that_nobody_has_seen_rows(browse, past):
    about = {"view": key("loans"), "column.customer_id.equals": "987"}
    text = browse.read(PAGE, **about)
    assert "Accesses that asked for these rows" in text
    further = "3 further accesses may have shown these rows: they had no filter that excludes them."
    assert f"{further} Show them" in text
    assert "No recorded access matches these filters." in text
    assert "They had no filter by customer_id" in browse.read(PAGE, **about, rows="maybe")


def test_several_conditions_hold_together(browse, past):
    about = {"column.customer_id.equals": "5", "column.id.equals": "7"}
    assert names(browse, **about) == ["cid"]
    assert names(browse, **about, rows="other") == ["dan", "dee"]
    assert "ann" in names(browse, **about, rows="maybe")


def test_a_condition_that_is_no_equality_is_found_as_it_was(browse, past):
    about = {"column.customer_id.at_most": "9"}
    assert names(browse, **about) == ["fay"]
    assert names(browse, **about, rows="other") == []
    assert names(browse, **{"column.customer_id.is_null": "yes"}) == ["dee"]
    assert names(browse, **{"column.customer_id.in": "4,6"}) == ["ben", "dan"]


@pytest.mark.parametrize(
    ("asked", "looked_for"),
    [
        ("York", "york"),
        ("a@b.org", "A@B.org"),
        ("t", "true"),
        ("2026-11-30", "30.11.2026"),
        ("2026-11-30 00:00:00+00", "2026-11-30 00:00:00+00:00"),
        ("0.1", "0.10000000149011612"),
        ("{1,2}", "{1, 2}"),
        ("::1", "0:0:0:0:0:0:0:1"),
        ("infinity", "Inf"),
        ("x" * 500, "X" * 500),
    ],
)
def test_a_value_that_may_be_the_same_is_not_called_another(browse, asked, looked_for):
    make_access(equals(asked))
    make_access(equals(looked_for))
    for value in (asked, looked_for):
        assert names(browse, **{"column.customer_id.equals": value, "rows": "other"}) == []


@pytest.mark.parametrize(
    ("asked", "looked_for"),
    [("5", "6"), ("0.1", "0.2"), ("York", "Yorkshire"), ("a1@b.org", "a2@b.org"), (str(UUID(int=1)), "5")],
)
def test_a_value_that_is_another_is_called_so(browse, asked, looked_for):
    make_access(equals(asked))
    assert names(browse, **{"column.customer_id.equals": looked_for, "rows": "other"}) == ["ann"]


def test_a_day_among_several_values_has_many_moments(browse):
    day = Span("2026-11-30 00:00:00", "2026-11-30 23:59:59.999999")
    make_access(Condition("at", Operator.IN, (day,)))
    assert names(browse, **{"column.at.equals": "noon", "rows": "other"}) == []


def test_values_that_are_not_looked_for_are_not_called_others(browse):
    make_access(equals("30"))
    many = ",".join(map(str, range(40)))
    assert names(browse, **{"column.customer_id.in": many, "rows": "other"}) == []


def test_a_list_that_was_cut_may_have_had_any_value(browse):
    make_access(Condition("customer_id", Operator.IN, tuple(map(str, range(200)))))
    about = {"column.customer_id.equals": "150"}
    assert names(browse, **about) == []
    assert names(browse, **about, rows="maybe") == ["ann"]


def test_accesses_are_narrowed_down(browse, past):
    assert len(names(browse)) == 9
    assert names(browse, who="ann") == ["ann"]
    assert names(browse, kind="export") == ["eve"]
    assert names(browse, personal="yes") == ["ben"]
    assert names(browse, view=key("towns")) == ["hal"]
    assert names(browse, q="as csv") == names(browse, q="EVE") == ["eve"]
    assert names(browse, q="town") == ["hal"]
    assert names(browse, since="day") == []
    assert "cid" not in names(browse, since="week")
    assert "cid" in names(browse, since="month")
    three_days_ago = (timezone.localtime() - dt.timedelta(days=3)).date()
    assert names(browse, **{"from": three_days_ago.isoformat(), "until": three_days_ago.isoformat()}) == [
        "fay"
    ]
    assert names(browse, until=three_days_ago.isoformat()) == ["cid", "fay"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"from": "soon"},
        {"until": "9999-12-31", "from": "0001-01-01"},
        {"since": "x", "rows": "x", "page": "x", "kind": "x\0", "who": "\0"},
        {"column.": "x", "column..equals": "\0", "column.a.in": "", "q": "\0%_"},
        {"column.customer_id.in": ",".join(map(str, range(500)))},
    ],
)
def test_what_is_not_understood_breaks_nothing(browse, past, parameters):
    text = browse.read(PAGE, **parameters)
    assert ("A day is not understood." in text) is (parameters.get("from") == "soon")


def test_days_are_understood_without_time_zones_too(browse, past, settings):
    settings.USE_TZ = False
    yesterday = (dt.datetime.now() - dt.timedelta(days=1)).date().isoformat()
    about = {"since": "week", "from": yesterday, "until": yesterday}
    assert names(browse, **about) == ["ann", "dan", "dee", "eve", "gus", "hal"]
    assert names(browse, since="day") == []


def test_the_form_adds_a_condition_and_keeps_the_rest(browse, past):
    sent = {"filter": "customer_id", "value": "5", "since": "week", "q": "", "view": key("loans")}
    response = browse.client.get(PAGE, sent)
    assert response.headers["Location"] == (f"?since=week&view={key('loans')}&column.customer_id.equals=5")
    page = browse.get(PAGE, since="week", view=key("loans"), **{"column.customer_id.equals": "5"})
    assert "customer_id equals 5 Remove" in text_of(page)
    assert f'href="?since=week&amp;view={key("loans")}"' in page


def test_the_table_tells_what_was_asked_for(browse, past):
    text = browse.read(PAGE)
    assert "customer_id is one of 4, 5.0" in text
    assert "as CSV" in text
    assert "views.towns" in text
    assert f'href="{url("detail", "towns")}"' in browse.get(PAGE)
    assert "Who read rows of views.loans" in browse.read(PAGE, view=key("loans"))


def test_an_access_by_a_run_leads_to_the_run(browse):
    run = make_run()
    make_access(run=run, kind=RowAccess.Kind.EXPORT)
    assert f'href="{LIST}runs/{run.request}/"' in browse.get(PAGE)


def test_files_have_all_pages_in_utc_and_no_formula(browse, past):
    make_access(equals("=1+1", "word"), who="=cmd")
    for _ in range(60):
        make_access()
    response = browse.client.get(f"{PAGE}export/csv/")
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert len(rows) == 70
    assert rows[60]["who"] == "'=cmd"
    assert rows[60]["about"] == "word = =1+1"
    assert json.loads(rows[60]["conditions"]) == [["word", "equals", ["=1+1"]]]
    assert rows[0]["at"].endswith("+00:00")
    assert browse.client.get(f"{PAGE}export/xml/").status_code == 404


def test_the_page_takes_as_many_queries_for_many_accesses_as_for_few(browse, past):
    asked = {"view": key("loans"), "column.customer_id.equals": "5", "since": "week"}

    def count():
        with CaptureQueriesContext(connections["default"]) as queries:
            browse.get(PAGE, **asked)
        return len(queries)

    browse.get(PAGE)
    few = count()
    for n in range(120):
        make_access(equals("5"), who=f"user{n}", name=f"view{n}")
    assert count() == few == 10


# Links.


def test_a_preview_leads_to_who_has_read_the_same_rows(browse, loans):
    page = browse.get(loans, **{"column.customer_id.in": '4,"5"', "column.word.contains": "a,b"})
    link = f"{PAGE}?view={key('loans')}&amp;column.customer_id.in=4%2C5&amp;column.word.contains=a%2Cb"
    assert f'href="{link}"' in page
    assert "Who has read these rows" in page
    assert names(
        browse, view=key("loans"), **{"column.customer_id.in": "4,5", "column.word.contains": "a,b"}
    ) == ["admin"]
    assert f'href="{PAGE}?view={key("loans")}">Who read rows' in browse.get(loans)
