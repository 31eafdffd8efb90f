"""What of an error a user may read, by whether the user may see rows."""

from __future__ import annotations

import json

import pytest

from orm_views_admin.models import Run
from orm_views_admin.runs.writing import error_fields, storable
from orm_views_core.exceptions import RefreshError
from orm_views_core.quoting import Quoting, Report
from tests.admin.browse import LIST, declare_materialised
from tests.admin.histories import make_run, path_of

pytestmark = pytest.mark.django_db

WHOLE = "views.ages could not be refreshed: Key (email)=(ann@example.org) is duplicated."
MESSAGE = Quoting(WHOLE, "views.ages could not be refreshed.", Report("23505", "unique violation", "tell"))
SUMMARY = (
    "views.ages could not be refreshed.\n"
    "PostgreSQL reports SQLSTATE 23505 (unique violation) in function tell."
)
HINT = "\nThose who may see rows of views can read the whole message."


@pytest.fixture
def run():
    declare_materialised("Ages", "SELECT 1 AS age")
    return make_run("ages", state=Run.State.FAILED, **error_fields(RefreshError(MESSAGE)))


@pytest.mark.parametrize(
    ("verbs", "text"), [(("view",), SUMMARY + HINT), (("view", "preview"), WHOLE)], ids=["view", "preview"]
)
def test_the_json_and_the_files_have_what_the_user_may_read(staff, run, verbs, text):
    client = staff(*verbs)
    assert client.get(path_of(run, "state/")).json()["runs"][0]["texts"]["error"] == text
    exported = json.loads(client.get(f"{LIST}runs/export/json/").getvalue())
    assert [record["error"] for record in exported] == [text]
    assert text.partition("\n")[0] in client.get(f"{LIST}runs/").content.decode()


def test_whoever_may_preview_but_not_view_may_not_read_it(staff, run):
    assert staff("preview").get(path_of(run, "state/")).status_code == 403


def test_our_own_words_are_for_everybody_and_need_no_hint(staff):
    run = make_run("ages", state=Run.State.FAILED, **error_fields("Nobody took it."))
    assert staff("view").get(path_of(run, "state/")).json()["runs"][0]["texts"]["error"] == "Nobody took it."


def test_an_error_that_is_none_of_ours_is_only_named():
    assert error_fields(KeyError("ann")) == {"error": "'ann'", "error_summary": "KeyError."}
    assert error_fields(ValueError()) == {"error": "ValueError", "error_summary": "ValueError."}


def test_a_long_text_is_cut_before_it_is_stored():
    assert storable("x" * 10_000) == "x" * 10_000
    assert storable("x" * 10_001) == "x" * 10_000 + "…"
    assert storable("a\0b\ud800") == "a\N{REPLACEMENT CHARACTER}b?"
