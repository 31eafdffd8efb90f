"""The guard as system checks: of the marks, and of a database as it is."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import checks
from django.db import connection, models

from orm_views_core.checks.personal import check_exposures
from orm_views_core.exceptions import PersonalFieldError
from orm_views_core.privacy import marks, personal
from orm_views_core.privacy.api import find_personal_columns, judge_views
from orm_views_core.privacy.guard import Findings
from orm_views_core.sync import sync_views
from tests.core.keeping import declare, run

from .saying import ADVICE, EMAIL, HOW, call, columns, problems, where

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("email_is_personal", "all_is_granted")]


def found(number: str, **arguments: Any) -> list[checks.CheckMessage]:
    return [e for e in checks.run_checks(**arguments) if e.id == f"orm_views_core.{number}"]


def test_the_check_of_the_database_finds_what_a_grant_has_done(analyst):
    view = declare("V", EMAIL, hidden=True)
    sync_views()
    assert found("W020", databases=["default"]) == []
    run(f"GRANT SELECT ON views.v TO {analyst}")
    (message,) = found("W020", databases=["default"])
    assert (message.level, message.msg, message.hint) == (
        checks.WARNING,
        f"{where(view)}: {HOW}",
        ADVICE.format("email"),
    )
    assert found("W020") == found("W020", databases=[]) == []
    assert "(orm_views_core.W020)" in call("check", "--database", "default")


def test_a_view_of_whole_rows_shows_a_new_column_at_once(analyst):
    class Person(models.Model):
        phone = personal(models.TextField())

        class Meta:
            app_label = "lending"
            db_table = "person"

    run("CREATE TABLE public.person (id int)")
    declare("V", "SELECT row_to_json(p) AS person FROM public.person p")
    sync_views()
    assert found("W020", databases=["default"]) == []
    assert [each.msg.partition(", and")[0] for each in found("W021", databases=["default"])] == [
        "lending.Person.phone is marked as personal"
    ]
    run("ALTER TABLE public.person ADD COLUMN phone text")
    (message,) = found("W020", databases=["default"])
    assert "column 'person' of views.v is computed from lending.Person.phone. It may be" in message.msg
    assert found("W021", databases=["default"]) == []
    assert columns(problems()) == ["views.v.person"]


def test_the_check_warns_of_what_may_be_right(analyst):
    declare("V", EMAIL)
    run(f"CREATE VIEW public.o AS {EMAIL}; GRANT SELECT ON public.o TO {analyst}")
    (message,) = found("W021", databases=["default"])
    assert message.msg == (
        "Column 'email' of public.o shows lending.Customer.email as it is. It may be read by "
        "'analyst_of_test'."
    )
    assert message.hint == (
        "No class declares this view. Ask the owner of public.o to leave the column out, or to revoke the "
        "privilege."
    )
    assert message.level == checks.WARNING


def test_a_wrong_mark_is_an_error_without_any_database(settings):
    settings.ORM_VIEWS = {"PERSONAL": ["lending.Customer.mail"]}
    (message,) = found("E013")
    assert message.level == checks.ERROR
    assert message.msg.startswith(
        "ORM_VIEWS['PERSONAL'] has 'lending.Customer.mail', and lending.Customer has "
    )
    assert message.hint == "Nothing is synced until this is right, because views could show what is meant."
    with pytest.raises(Exception, match="E013"):
        call("check")


def test_a_mark_on_a_model_of_a_view_is_an_error_of_the_database():
    class Person(models.Model):
        email = personal(models.TextField())

        class Meta:
            app_label = "lending"
            db_table = "legacy"
            managed = False

    assert found("E013", databases=["default"]) == []
    run("CREATE VIEW public.legacy AS SELECT 'a'::text AS email")
    (message,) = found("E013", databases=["default"])
    assert message.msg.startswith("lending.Person.email is marked as personal, and public.legacy is a view. ")
    with pytest.raises(PersonalFieldError):
        find_personal_columns(connection)
    assert run("SELECT 1") == [(1,)], "the transaction of the page goes on"
    with pytest.raises(PersonalFieldError):
        sync_views()


@pytest.mark.parametrize("value", ["auth.User.email", ["email"], ["auth.User"], [5]])
def test_a_setting_of_another_form_is_an_error_of_the_settings(settings, value):
    settings.ORM_VIEWS = {"PERSONAL": value}
    messages = checks.run_checks(databases=["default"])
    assert [m for m in messages if m.msg == f"ORM_VIEWS['PERSONAL'] is {value!r}."]
    assert found("W020", databases=["default"]) == found("E013") == []


def test_a_database_that_does_not_answer_is_reported_elsewhere(misdirect):
    misdirect("default", {"PORT": 1, "HOST": "127.0.0.1"})
    assert found("W020", databases=["default"], tags=["orm_views"]) == []


# Without marks


def test_without_marks_nothing_is_asked_of_the_database(monkeypatch, analyst):
    monkeypatch.setattr(marks, "_used", False)
    declare("V", EMAIL)
    sync_views()
    with connection.execute_wrapper(_refuse_all):
        assert not marks.are_used()
        assert judge_views(connection) == Findings()
        assert find_personal_columns(connection) == {}
        assert check_exposures(None, ["default"]) == []


def _refuse_all(*args: Any) -> None:
    raise AssertionError(args)
