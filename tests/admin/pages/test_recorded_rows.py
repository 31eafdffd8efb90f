"""What is recorded before rows are given, and how long it is kept."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from orm_views_admin.models import RowAccess, Run
from orm_views_admin.models.accesses import key_of
from orm_views_admin.runs.retention import prune
from orm_views_core.database.rows import Cell, Condition, Operator, digest
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, key, url
from tests.admin.histories import equals, make_access, make_run

pytestmark = pytest.mark.django_db

PAGE = f"{LIST}accesses/"


@pytest.fixture
def loans():
    declare(
        "Loans",
        "SELECT n AS id, n % 10 AS customer_id, 'word ' || n AS word FROM generate_series(1, 120) AS n",
    )
    sync_views()
    return url("preview", "loans")


def last():
    return RowAccess.objects.first()


def test_a_page_of_rows_is_recorded_with_what_it_was_asked_for(browse, loans):
    before = timezone.now()
    browse.get(
        loans, sort="-id", page="2", **{"column.customer_id.at_most": "8", "column.word.contains": "word"}
    )
    (access,) = RowAccess.objects.all()
    assert before <= access.at <= timezone.now()
    assert (access.user.username, access.who, access.kind) == ("admin", "admin", "preview")
    assert (access.database, str(access.view_name)) == ("default", "views.loans")
    assert access.about == "customer_id is at most 8, word contains word, sorted by id, descending, page 2"
    assert access.conditions[0] == {
        "column": "customer_id",
        "operator": "at_most",
        "values": ["8"],
        "keys": ["8"],
        "is_whole": True,
    }
    assert (access.rows, access.with_personal, access.run) == (50, False, None)


def test_to_load_a_page_again_is_another_access(browse, loans):
    browse.get(loans)
    browse.get(loans)
    assert RowAccess.objects.count() == 2
    assert last().about == ""


@pytest.mark.parametrize(
    "parameters",
    [
        {"column.id.equals": "x"},
        {"column.id.equals": "9" * 30},
        {"column.absent.equals": "1"},
        {"sort": "absent"},
    ],
)
def test_who_got_no_rows_has_read_none(browse, loans, parameters):
    browse.get(loans, **parameters)
    assert not RowAccess.objects.exists()


def test_rows_that_did_not_come_in_time_are_not_read(browse, settings):
    settings.ORM_VIEWS = {"PREVIEW_TIMEOUT": 0.2}
    declare("Slow", "SELECT n FROM generate_series(1, 20) AS n WHERE pg_sleep(1) IS NOT NULL")
    sync_views()
    assert "did not come" in browse.read(url("preview", "slow"))
    assert not RowAccess.objects.exists()


def test_a_whole_value_and_its_file_are_accesses(browse, loans):
    asked = {"column": "word", "row": "7", "sort": "id", "digest": digest(Cell("word 7", 6))}
    browse.get(url("cell", "loans"), **asked)
    assert (last().kind, last().about, last().rows) == ("value", "sorted by id, word of row 7", 1)
    browse.get(url("cell", "loans"), **asked, form="text")
    assert RowAccess.objects.filter(kind="value").count() == 2
    browse.get(url("cell", "loans"), 409, **{**asked, "digest": "0"})
    assert RowAccess.objects.count() == 2


def test_it_is_recorded_whether_personal_data_was_shown(browse, staff, personal):
    declare("Contacts", "SELECT id, email FROM lending_customer")
    sync_views()
    browse.get(url("preview", "contacts"))
    assert last().with_personal
    assert staff("view", "preview").get(url("preview", "contacts")).status_code == 200
    assert (last().who, last().with_personal) == ("staff-view-preview", False)
    assert staff("view").get(url("preview", "contacts")).status_code == 403
    assert RowAccess.objects.count() == 2


def test_what_cannot_be_recorded_is_not_shown(browse, loans, execute):
    execute("ALTER TABLE orm_views_admin_rowaccess RENAME TO somewhere_else")
    asked = {"column": "word", "row": "7", "sort": "id", "digest": digest(Cell("word 7", 6))}
    for text in (
        browse.read(loans),
        browse.read(url("cell", "loans"), **asked),
        browse.read(url("cell", "loans"), **asked, form="text"),
    ):
        assert "Rows are not shown, because it could not be recorded that you read them" in text
        assert "run migrate" in text
        assert "word 7" not in text


def test_a_project_can_do_without(browse, loans, settings, execute):
    settings.ORM_VIEWS_ADMIN = {"RECORD_PREVIEWS": False}
    execute("ALTER TABLE orm_views_admin_rowaccess RENAME TO somewhere_else")
    assert "word 7" in browse.read(loans)
    execute("ALTER TABLE somewhere_else RENAME TO orm_views_admin_rowaccess")
    assert "Nothing is recorded now." in browse.read(PAGE)


def test_a_value_of_a_megabyte_is_cut_and_still_told_from_others(browse, loans):
    long = "x" * 1_000_000
    browse.get(loans, **{"column.word.equals": long})
    access = last()
    assert "… (cut: 1,000,000 characters, digest " in access.about
    assert len(access.about) + len(json.dumps(access.conditions)) < 3000
    about = {"view": key("loans"), "column.word.equals": long}
    assert "1 access " in browse.read(PAGE, **about)
    assert "1 access " not in browse.read(PAGE, **{**about, "column.word.equals": f"{long}y"})


def test_of_many_values_and_conditions_the_first_are_kept():
    values = tuple(map(str, range(1000)))
    access = make_access(Condition("id", Operator.IN, values), *[equals(value) for value in values])
    assert len(access.conditions) == 50
    assert (len(access.conditions[0]["values"]), access.conditions[0]["is_whole"]) == (100, False)
    assert "990 more" in access.about
    assert len(access.about) < 2100


@pytest.mark.parametrize("text", ["\0", "\ud800", '"; DROP TABLE x', "é" * 500, "\u202e"])
def test_any_text_can_be_recorded(text):
    assert make_access(equals(text), about=text).pk


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("5", "5.00", True),
        ("5", "+05", True),
        ("500", "5e2", True),
        ("0", "-0.0", True),
        ("5", "50", False),
        ("10", "1", False),
        ("José", "JOSE ", True),
        ("ann", "Anna", False),
        ("1e99999999", "2e99999999", False),
        ("1B4E28BA-2FA1-11D2-883F-0016D3CCA427", "1b4e28ba2fa111d2883f0016d3cca427", True),
    ],
)
def test_values_are_compared_by_what_they_mean(one, other, is_same):
    assert (key_of(one) == key_of(other)) is is_same


# How long it is kept.


def test_accesses_are_kept_as_long_as_runs(settings):
    old, new = make_access(days=91), make_access(days=89)
    run = make_run(ago=100 * 86400)
    RowAccess.objects.update(run=run)
    assert prune() == 1
    assert [access.pk for access in RowAccess.objects.all()] == [new.pk] != [old.pk]
    assert not Run.objects.exists()
    assert RowAccess.objects.select_related("run").get().run is None


def test_an_access_outlives_its_user(browse, loans, ann):
    browse.get(loans)
    get_user_model().objects.get(username="admin").delete()
    assert (last().user, last().who) == (None, "admin")
