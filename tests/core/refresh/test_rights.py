"""Rows are computed with the rights of the view's owner: what these lack is foreseen, and named."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from orm_views_core.exceptions import RefreshError
from orm_views_core.refresh import plan_refresh, refresh_views
from orm_views_core.status import get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = pytest.mark.django_db
OWNER = "the owner"


def declare(class_name, sql, *bases, **attributes):
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def stored(sql, **attributes):
    return declare("Stored", sql, PostgresMaterialisedViewMixin, **attributes)


@pytest.fixture
def owner(make_role, settings):
    settings.ORM_VIEWS = {"TRUSTED_OWNERS": [OWNER]}
    return make_role(OWNER)


@pytest.fixture
def handed_over(owner, execute):
    """A table of ours, and a materialised view of it that belongs to a role which may not read it."""
    execute("CREATE TABLE public.secret (id int)")
    stored("SELECT id FROM public.secret")
    sync_views()
    execute(f'ALTER MATERIALIZED VIEW views.stored OWNER TO "{OWNER}"')


SAID = f"its rows are computed with the rights of {OWNER}, who may not read public.secret"


def test_a_plan_names_the_owner_who_may_not_read_a_table(handed_over, execute):
    stored("SELECT id + 1 AS id FROM public.secret")
    (plan,) = plan_views()
    (problem,) = plan.problems
    assert problem.startswith("tests.Stored (")
    assert problem.endswith(f"{SAID}. GRANT SELECT ON public.secret TO {OWNER}.")
    with pytest.raises(CommandError, match=SAID):
        call_command("sync_views", verbosity=0)
    execute(f'GRANT SELECT ON public.secret TO "{OWNER}"')
    sync_views()
    assert plan_views()[0].is_empty


def test_the_rights_of_the_owners_of_plain_views_count_for_what_these_read(owner, execute):
    execute("CREATE TABLE public.secret (id int)")
    declare("Ours", "SELECT id FROM public.secret", grant_select_to=[OWNER])
    stored("SELECT id FROM views.ours")
    sync_views()
    execute(f'ALTER MATERIALIZED VIEW views.stored OWNER TO "{OWNER}"')
    stored("SELECT id + 1 AS id FROM views.ours")
    assert plan_views()[0].problems == ()
    sync_views()
    execute(f'ALTER VIEW views.ours OWNER TO "{OWNER}"')
    stored("SELECT id + 2 AS id FROM views.ours")
    assert [SAID in problem for problem in plan_views()[0].problems] == [True]
    (planned,) = plan_refresh()
    assert planned.refused.startswith(SAID)


def test_a_security_invoker_reads_with_the_rights_of_whoever_refreshes(owner, execute):
    if connection.pg_version < 150000:
        pytest.skip("security_invoker needs PostgreSQL 15")
    execute("CREATE TABLE public.secret (id int)")
    declare("Ours", "SELECT id FROM public.secret", grant_select_to=[OWNER], security_invoker=True)
    stored("SELECT id FROM views.ours")
    sync_views()
    execute(f'ALTER MATERIALIZED VIEW views.stored OWNER TO "{OWNER}"')
    (planned,) = plan_refresh()
    assert planned.refused.startswith(SAID)


def test_a_planned_refresh_says_that_it_will_be_refused(handed_over, capsys):
    call_command("refresh_views", "--plan")
    assert f"views.stored (cannot be refreshed: {SAID}" in capsys.readouterr().out
    call_command("refresh_views", "--plan", "--json")
    assert json.loads(capsys.readouterr().out)[0]["refused"].startswith(SAID)


def test_a_refused_refresh_names_the_role_and_the_table(handed_over):
    with pytest.raises(RefreshError, match=f"views.stored in database 'default' could not be .*: {SAID}"):
        refresh_views()


def test_a_table_that_a_function_reads_is_not_foreseen_but_the_owner_is_named(owner, execute):
    execute("CREATE TABLE public.secret (id int)")
    execute(
        "CREATE FUNCTION public.peek() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.secret'"
    )
    stored("SELECT public.peek() AS id")
    sync_views()
    execute(f'ALTER MATERIALIZED VIEW views.stored OWNER TO "{OWNER}"')
    stored("SELECT public.peek() + 1 AS id")
    assert plan_views()[0].problems == ()
    with pytest.raises(CommandError, match=f"Its rows are computed with the rights of {OWNER}, its owner"):
        call_command("sync_views", verbosity=0)


def test_a_role_without_rights_is_told_by_the_plan_and_by_the_refresh(make_role, execute):
    stored("SELECT 1 AS id")
    sync_views()
    execute(f'GRANT USAGE ON SCHEMA views TO "{make_role("nobody special")}"')
    execute('SET ROLE "nobody special"')
    (planned,) = plan_refresh()
    assert "only a member of that role may refresh it" in planned.refused
    with pytest.raises(RefreshError, match="privilege MAINTAIN"):
        refresh_views()


def test_a_role_with_maintain_refreshes_and_is_told_what_is_not_recorded(make_role, execute, capsys):
    if connection.pg_version < 170000:
        pytest.skip("MAINTAIN needs PostgreSQL 17")
    execute("CREATE TABLE public.counted (id int)")
    stored("SELECT count(*) AS id FROM public.counted")
    sync_views()
    before = execute("SELECT obj_description('views.stored'::regclass)")
    role = make_role("maintainer")
    execute(f"GRANT USAGE ON SCHEMA views TO {role}; GRANT MAINTAIN ON views.stored TO {role}")
    execute(f"INSERT INTO public.counted VALUES (1); SET ROLE {role}")
    (planned,) = plan_refresh()
    assert planned.refused == ""
    call_command("refresh_views", no_color=True)
    assert "OK (" in (printed := capsys.readouterr().out)
    assert "its time is not recorded on it, because it belongs to" in printed
    call_command("refresh_views", "--json")
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["outcome"], result["unrecorded"].partition(",")[0]) == (
        "refreshed",
        "its time is not recorded on it",
    )
    execute("RESET ROLE")
    assert execute("SELECT id FROM views.stored") == [(1,)]
    assert execute("SELECT obj_description('views.stored'::regclass)") == before
    assert [view.state.value for database in get_statuses() for view in database.views] == ["synced"]
