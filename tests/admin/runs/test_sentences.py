"""What is recorded is in English, and is shown in the language of the reader."""

from __future__ import annotations

import pytest
from django.utils import translation

from orm_views_admin.models import RowAccess, Run, ViewChange
from orm_views_admin.runs.writing import error_fields
from orm_views_core.database.rows import Condition, Operator
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.refresh import refresh_views
from orm_views_core.sentences import says, translate
from orm_views_core.sync import sync_views
from tests.admin.browse import declare, declare_materialised, url
from tests.admin.histories import make_access, make_run, path_of

pytestmark = pytest.mark.django_db

WHY = "it has no rows yet, so there is nothing to go on reading"
CANCELLED = "The run was cancelled before it began."


def in_german(record, name):
    record.refresh_from_db()
    with translation.override("de"):
        return translate(record.said(name))


def test_why_readers_wait_is_stored_in_english_and_told_in_german(browse):
    declare_materialised("Stored", "SELECT 1 AS n")
    sync_views()
    refresh_views()
    run = Run.objects.get(kind="refresh")
    assert "unique index" in run.why_not
    told = in_german(run, "why_not")
    assert "eindeutigen Index" in told
    browse.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    with translation.override(translation.get_language()):
        assert told in browse.read(path_of(run))


def test_what_a_run_tells_in_one_field_stays_when_another_is_written():
    run = make_run(why_not=says(WHY))
    Run.objects.filter(pk=run.pk).update(**error_fields(OrmViewsError(says(CANCELLED))))
    run.refresh_from_db()
    assert (run.why_not, run.error, run.error_summary) == (WHY, CANCELLED, CANCELLED)
    assert in_german(run, "error") == "Der Lauf wurde abgebrochen, bevor er begann."
    assert in_german(run, "why_not") != WHY


def test_a_text_that_was_written_without_its_sentence_is_told_as_it_is():
    run = make_run(error=says(CANCELLED))
    Run.objects.filter(pk=run.pk).update(error="by a process of the release before")
    assert in_german(run, "error") == "by a process of the release before"


@pytest.mark.parametrize("odd", ["\0", "\ud800"])
def test_what_postgresql_cannot_store_is_told_in_english(odd):
    run = make_run(error="")
    words = says("The file could not be written: %(reason)r.", reason=odd)
    Run.objects.filter(pk=run.pk).update(**error_fields(OrmViewsError(words)))
    assert in_german(run, "error").startswith("The file could not be written: '\\")


def test_a_change_and_what_it_lost_are_told_in_german(browse, django_capture_on_commit_callbacks):
    declare("Plain", "SELECT 1 AS n")
    with django_capture_on_commit_callbacks(execute=True):
        sync_views()
    change = ViewChange.objects.get()
    assert change.reason == "it is not in the database"
    assert "Datenbank" in in_german(change, "reason")
    change.lost = [says(CANCELLED), "as it is"]
    change.save()
    browse.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    with translation.override(translation.get_language()):
        text = browse.read(url("changes", "plain") + f"{change.pk}/")
    assert "Der Lauf wurde abgebrochen, bevor er begann. as it is" in text


def test_what_rows_were_asked_for_is_told_in_german(browse):
    conditions = Condition("amount", Operator.AT_LEAST, ("5",)), Condition("city", Operator.IS_NULL)
    access = make_access(*conditions, about=says("sorted by %(column)s", column="city"))
    assert access.about == "amount is at least 5, city is NULL, sorted by city"
    assert in_german(access, "about") == "amount ist mindestens 5, city ist NULL, sortiert nach city"
    assert RowAccess.objects.filter(about__contains="at least 5").exists()
