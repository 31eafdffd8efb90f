"""To whom: whoever may read a column of a view and does not own it."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from orm_views_core.sync import plan_views, sync_views
from tests.core.keeping import declare, run

from .saying import EMAIL, columns, problem, problems, to_whom, warnings

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("email_is_personal")]


@pytest.fixture
def installed(analyst):
    """A view with an e-mail that nobody but its owner may read."""
    view = declare("V", EMAIL)
    sync_views()
    assert problems() == []
    return view


def test_nobody_but_the_owner_may_read_it(analyst):
    declare("V", EMAIL)
    assert problems() == warnings() == []
    sync_views()
    assert run("SELECT count(*) FROM views.v") == [(0,)]


def test_a_grant_of_the_class(analyst):
    declare("V", EMAIL, grant_select_to=[analyst])
    assert to_whom(problem()) == "'analyst_of_test'"


def test_a_grant_of_the_settings(analyst, settings):
    settings.ORM_VIEWS = {"GRANT_SELECT_TO": [analyst]}
    declare("V", EMAIL)
    assert to_whom(problem()) == "'analyst_of_test'"


def test_a_grant_of_the_command_line(analyst):
    declare("V", EMAIL)
    assert to_whom(problem(grant_select_permissions_to_user=analyst)) == "'analyst_of_test'"
    with pytest.raises(CommandError, match="It may be read by 'analyst_of_test'"):
        call_command("sync_views", "--grant-select-permissions-to-user", analyst)


@pytest.mark.parametrize("everybody", ["public", "PUBLIC"])
def test_a_grant_to_everybody(analyst, everybody):
    declare("V", EMAIL, grant_select_to=[everybody])
    assert to_whom(problem()) == "everybody (PUBLIC)"


def test_a_grant_of_the_class_to_a_view_that_is_there(installed, analyst, registered):
    """The definition does not differ, so that the view is not tried."""
    registered.unregister(installed)
    declare("V", EMAIL, grant_select_to=[analyst])
    assert columns(problems()) == ["views.v.email"]
    assert to_whom(problem()) == "'analyst_of_test'"


def test_a_grant_of_the_settings_to_a_view_that_is_there(installed, analyst, settings):
    settings.ORM_VIEWS = {"GRANT_SELECT_TO": [analyst]}
    assert columns(problems()) == ["views.v.email"]


def test_a_grant_of_the_command_line_to_a_view_that_is_there(installed, analyst):
    assert columns(problems(grant_select_permissions_to_user=analyst)) == ["views.v.email"]


@pytest.mark.parametrize("materialised", [False, True])
def test_a_view_that_is_hidden_no_more(analyst, registered, materialised):
    view = declare("V", EMAIL, hidden=True, materialised=materialised, grant_select_to=[analyst])
    sync_views()
    registered.unregister(view)
    declare("V", EMAIL, materialised=materialised, grant_select_to=[analyst])
    assert columns(problems()) == ["views.v.email"]


def test_a_grant_by_hand(installed, analyst):
    run(f"GRANT SELECT ON views.v TO {analyst}")
    assert columns(problems()) == ["views.v.email"]
    run(f"REVOKE SELECT ON views.v FROM {analyst}")
    assert problems() == []


def test_a_grant_by_hand_of_all_tables_of_a_schema(installed, analyst):
    run(f"GRANT SELECT ON ALL TABLES IN SCHEMA views TO {analyst}")
    assert columns(problems()) == ["views.v.email"]


def test_a_grant_by_hand_to_everybody(installed):
    run("GRANT SELECT ON views.v TO PUBLIC")
    assert to_whom(problem()) == "everybody (PUBLIC)"


def test_a_grant_with_grant_option_and_one_that_came_of_it(installed, analyst, make_role):
    run(f"GRANT SELECT ON views.v TO {make_role('boss')} WITH GRANT OPTION")
    run("GRANT USAGE ON SCHEMA views TO boss")
    run(f"SET ROLE boss; GRANT SELECT ON views.v TO {analyst}; RESET ROLE")
    assert to_whom(problem()) == "'analyst_of_test' and 'boss'"


def test_a_grant_to_a_group_names_the_group(installed, analyst, make_role):
    run(f"GRANT {make_role('analysts of all')!r} TO {analyst}".replace("'", '"'))
    run('GRANT SELECT ON views.v TO "analysts of all"')
    assert to_whom(problem()) == "'analysts of all'"


@pytest.mark.parametrize("privilege", ["INSERT", "UPDATE", "DELETE", "REFERENCES", "TRIGGER"])
def test_other_privileges_show_nothing(installed, analyst, privilege):
    run(f"GRANT {privilege} ON views.v TO {analyst}")
    assert problems() == []


def test_a_grant_of_some_columns_counts_for_these_only(installed, analyst):
    run(f"GRANT SELECT (id, city) ON views.v TO {analyst}")
    assert problems() == []
    run(f"GRANT SELECT (email) ON views.v TO {analyst}")
    assert columns(problems()) == ["views.v.email"]
    assert to_whom(problem()) == "'analyst_of_test'"


def test_a_grant_of_a_column_that_will_show_it(analyst, registered):
    view = declare("V", "SELECT id, city::varchar(254) AS label FROM lending_customer")
    sync_views()
    run(f"GRANT SELECT (label) ON views.v TO {analyst}; GRANT SELECT (id) ON views.v TO PUBLIC")
    assert problems() == []
    registered.unregister(view)
    declare("V", "SELECT id, email AS label FROM lending_customer")
    assert columns(problems()) == ["views.v.label"]
    assert to_whom(problem()) == "'analyst_of_test'"


def test_several_roles_are_named_together(analyst, make_role, settings):
    settings.ORM_VIEWS = {"GRANT_SELECT_TO": [make_role("a"), "public"]}
    declare("V", EMAIL, grant_select_to=[analyst])
    assert to_whom(problem()) == "everybody (PUBLIC), 'a' and 'analyst_of_test'"


@pytest.mark.parametrize("within", ["", "IN SCHEMA views"])
def test_default_privileges_for_a_new_view(analyst, within):
    run(f"ALTER DEFAULT PRIVILEGES {within} GRANT SELECT ON TABLES TO {analyst}")
    declare("V", EMAIL, hidden=True)
    assert to_whom(problem()) == "'analyst_of_test'"


def test_default_privileges_that_do_not_apply(analyst, make_role):
    run(
        f"""
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {analyst};
        ALTER DEFAULT PRIVILEGES GRANT INSERT ON TABLES TO {analyst};
        ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO {analyst};
        ALTER DEFAULT PRIVILEGES FOR ROLE {make_role("other")} GRANT SELECT ON TABLES TO {analyst}
        """
    )
    declare("V", EMAIL)
    assert problems() == []
    sync_views()
    assert run("SELECT has_table_privilege('analyst_of_test', 'views.v', 'SELECT')") == [(False,)]


@pytest.mark.parametrize("within", ["", "IN SCHEMA views"])
@pytest.mark.parametrize("materialised", [False, True])
def test_a_rebuild_does_not_bring_default_privileges(analyst, within, materialised, registered):
    """What the guard relies on: a view that is rebuilt may be read by those who could before."""
    view = declare("V", EMAIL, materialised=materialised)
    sync_views()
    run(f"ALTER DEFAULT PRIVILEGES {within} GRANT SELECT ON TABLES TO {analyst}")
    registered.unregister(view)
    declare("V", "SELECT city, email FROM lending_customer", materialised=materialised)
    assert problems() == []
    assert {step.action.verb for result in sync_views() for step in result.plan.steps} == {"rebuild"}
    assert run("SELECT has_table_privilege('analyst_of_test', 'views.v', 'SELECT')") == [(False,)]
    assert problems() == []


def test_a_grant_that_the_plan_revokes(analyst, registered):
    view = declare("V", "SELECT id, city AS label FROM lending_customer", grant_select_to=[analyst])
    sync_views()
    registered.unregister(view)
    declare("V", "SELECT id, email AS label FROM lending_customer", hidden=True)
    assert problems() == []
    sync_views()
    assert run("SELECT has_table_privilege('analyst_of_test', 'views.v', 'SELECT')") == [(False,)]


def test_a_grant_by_hand_is_not_revoked(analyst, registered):
    view = declare("V", "SELECT id, city AS label FROM lending_customer")
    sync_views()
    run(f"GRANT SELECT ON views.v TO {analyst}")
    registered.unregister(view)
    declare("V", "SELECT id, email AS label FROM lending_customer", hidden=True)
    assert columns(problems()) == ["views.v.label"]


def test_a_role_that_the_class_names_no_more_loses_it_in_the_same_sync(analyst, make_role, registered):
    view = declare("V", "SELECT id, city AS label FROM lending_customer", grant_select_to=[analyst])
    sync_views()
    registered.unregister(view)
    declare("V", "SELECT id, email AS label FROM lending_customer", grant_select_to=[make_role("boss")])
    assert to_whom(problem()) == "'boss'"


def test_a_role_of_an_earlier_command_line_keeps_it(analyst, registered):
    view = declare("V", "SELECT id, city AS label FROM lending_customer")
    sync_views(grant_select_permissions_to_user=analyst)
    registered.unregister(view)
    declare("V", "SELECT id, email AS label FROM lending_customer")
    assert to_whom(problem()) == "'analyst_of_test'"


def test_a_grant_to_the_owner_is_none(analyst):
    (owner,) = run("SELECT current_user")[0]
    declare("V", EMAIL, grant_select_to=[owner])
    assert problems() == []
    sync_views()
    run("GRANT SELECT ON views.v TO CURRENT_USER")
    assert problems() == []


def test_roles_of_any_name(make_role, analyst):
    declare("V", EMAIL, grant_select_to=[make_role('it\'s "odd", per%cent')])
    assert to_whom(problem()) == repr('it\'s "odd", per%cent')


def test_the_plan_of_pages_is_judged_too(installed, analyst):
    run(f"GRANT SELECT ON views.v TO {analyst}")
    (made,) = plan_views(["default"], only=[])
    assert made.problems == ()
    (made,) = plan_views(["default"])
    assert len(made.problems) == 1
