"""The guard runs in each sync, in its plan and in its check."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import connection

from orm_views_core.exceptions import PersonalFieldError, PlanBlockedError
from orm_views_core.sync import plan_views, sync_views
from tests.core.keeping import declare, run

from .saying import ADVICE, EMAIL, HOW, call, columns, plan, where

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("email_is_personal", "all_is_granted")]


def found(number: str, **arguments: Any) -> list[checks.CheckMessage]:
    return [e for e in checks.run_checks(**arguments) if e.id == f"orm_views_core.{number}"]


# sync_views


def test_the_sync_is_refused_and_says_why():
    view = declare("V", EMAIL)
    with pytest.raises(CommandError) as error:
        call("sync_views")
    assert str(error.value) == f"{where(view)}: {HOW} {ADVICE.format('email')}"
    assert run("SELECT to_regclass('views.v')") == [(None,)]


def test_a_forced_sync_is_refused_too():
    declare("V", EMAIL)
    with pytest.raises(PlanBlockedError):
        sync_views(force=True)


def test_a_confirmed_plan_is_refused_too(registered, analyst):
    view = declare("V", "SELECT id, city AS email FROM lending_customer")
    confirmed = plan()
    registered.unregister(view)
    declare("V", EMAIL)
    with pytest.raises(PlanBlockedError):
        sync_views(databases=["default"], expected_fingerprint=plan().fingerprint)
    assert plan().fingerprint != confirmed.fingerprint


def test_the_plan_says_why_and_what_else_it_would_do():
    view = declare("V", EMAIL)
    said = call("sync_views", "--plan")
    assert said.startswith("Plan for database 'default': blocked, 1 to create, ")
    assert f"  ! {where(view)}: {HOW} {ADVICE.format('email')}\n" in said


def test_the_plan_as_json():
    view = declare("V", EMAIL)
    declare("W", "SELECT id FROM lending_customer WHERE email > ''", exposes=("id",))
    (made,) = json.loads(call("sync_views", "--plan", "--json"))
    assert made["problems"] == [f"{where(view)}: {HOW} {ADVICE.format('email')}"]
    assert ["its exposes has 'id'" in warning for warning in made["warnings"]] == [True]
    assert ["lending.Customer.email" in note for note in made["notes"]] == [True]


def test_warnings_and_notes_do_not_hinder_a_sync():
    declare("W", "SELECT id FROM lending_customer WHERE email > ''", exposes=("id",))
    (done,) = json.loads(call("sync_views", "--json"))
    assert (done["problems"], len(done["warnings"]), len(done["notes"])) == ([], 1, 1)


def test_warnings_do_not_make_check_fail(analyst):
    declare("V", EMAIL, exposes=("email",))
    sync_views()
    call("sync_views", "--check")
    run(f"CREATE VIEW public.o AS {EMAIL}; GRANT SELECT ON public.o TO {analyst}")
    assert "  Warning: Column 'email' of public.o shows " in call("sync_views", "--check")


def test_check_exits_with_1(analyst):
    view = declare("V", EMAIL, hidden=True)
    sync_views()
    call("sync_views", "--check")
    run(f"GRANT SELECT ON views.v TO {analyst}")
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("sync_views", "--check", stdout=out, no_color=True)
    assert error.value.returncode == 1
    assert str(error.value) == ("Views are out of step in database 'default'. See above what is in the way.")
    assert f"  ! {where(view)}: {HOW} {ADVICE.format('email')}\n" in out.getvalue()


def test_a_wrong_mark_stops_the_sync(settings):
    settings.ORM_VIEWS = {"PERSONAL": ["lending.Customer.mail"]}
    declare("V", "SELECT 1 AS a")
    with pytest.raises(PersonalFieldError, match="has no field 'mail'"):
        sync_views()
    with pytest.raises(CommandError, match="has no field 'mail'"):
        call("sync_views", "--plan")
    assert run("SELECT to_regclass('views.v')") == [(None,)]


# Views that cannot be tried before they exist


UNTRIABLE = f"SELECT 'views.base'::regclass::text AS b, c.* FROM ({EMAIL}) c"


@pytest.fixture
def untriable():
    """A view that names a new one in a string. Only the sync itself creates that first."""
    base = declare("Base", "SELECT 1 AS a")
    return declare("V", UNTRIABLE, view_dependencies=[base])


def test_new_views_that_cannot_be_tried_are_judged_once_they_exist(untriable, take_picture):
    before = take_picture()
    with pytest.raises(PlanBlockedError) as error:
        sync_views()
    assert str(error.value) == f"{where(untriable)}: {HOW} {ADVICE.format('email')}"
    assert take_picture() == before


def test_what_is_said_of_such_views_is_said_once(untriable):
    declare("W", "SELECT email FROM views.v")
    with pytest.raises(PlanBlockedError) as error:
        sync_views()
    assert len(error.value.problems) == 1
    assert "It is passed on to views.w.email in " in str(error.value)


def test_such_views_may_expose_it(registered, untriable):
    registered.unregister(untriable)
    base = registered.views()[0]
    declare("V", UNTRIABLE, view_dependencies=[base], exposes=("email",))
    (result,) = sync_views()
    assert result.plan.judged_late
    assert run("SELECT count(*) FROM views.v") == [(0,)]
    (result,) = sync_views()
    assert not result.plan.steps


def test_views_that_are_there_are_judged_before_in_such_a_sync(untriable, registered, analyst):
    declare("Old", EMAIL, hidden=True)
    registered.unregister(untriable)
    sync_views()
    run(f"GRANT SELECT ON views.old TO {analyst}")
    newer = declare("Newer", "SELECT 1 AS a")
    declare("New", "SELECT 'views.newer'::regclass::text AS b", view_dependencies=[newer])
    with pytest.raises(PlanBlockedError) as error:
        sync_views()
    assert columns(list(error.value.problems)) == ["views.old.email"]


def test_a_role_that_may_not_create_schemas(make_role, analyst):
    """It cannot try views: they are built in a schema of their own."""
    name = connection.settings_dict["NAME"]
    run(
        f"""
        REVOKE CREATE ON DATABASE "{name}" FROM PUBLIC;
        GRANT USAGE, CREATE ON SCHEMA views TO {make_role("boss")};
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO boss; GRANT boss TO CURRENT_USER; SET LOCAL ROLE boss
        """
    )
    view = declare("V", EMAIL)
    with pytest.raises(PlanBlockedError) as error:
        sync_views()
    assert str(error.value) == f"{where(view)}: {HOW} {ADVICE.format('email')}"
    assert run("SELECT to_regclass('views.v')") == [(None,)]


def test_plans_of_pages_have_the_problems_in_their_fingerprints():
    declare("V", EMAIL)
    (first,) = plan_views(["default"])
    assert len(first.problems) == 1
    assert first.fingerprint == plan().fingerprint
