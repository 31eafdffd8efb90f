"""A view that belongs to an extension cannot be dropped: that is found while planning."""

from __future__ import annotations

import pytest

from orm_views_core.exceptions import PlanBlockedError
from orm_views_core.sync import plan_views, sync_views
from tests.core.keeping import declare, run

pytestmark = pytest.mark.django_db

SQL, WIDER, OTHER = "SELECT 1 AS id", "SELECT 1 AS id, 2 AS more", "SELECT 'x' AS code"


def add(kind, name):
    run(f"ALTER EXTENSION plpgsql ADD {kind} {name}")


def blocked(**options):
    """Return the problem that stops a sync; nothing else may stop it."""
    plans = [plan.problems for plan in plan_views(**options)]
    with pytest.raises(PlanBlockedError) as caught:
        sync_views(**options)
    ((problem,),) = plans
    assert caught.value.problems == (problem,)
    return problem


@pytest.mark.parametrize("materialised", [False, True])
def test_a_registered_view_that_has_to_be_rebuilt(materialised, registered):
    kind = "MATERIALIZED VIEW" if materialised else "VIEW"
    with registered.isolated():
        declare("V", SQL, materialised=materialised)
        sync_views()
    add(kind, "views.v")
    declare("V", OTHER, materialised=materialised)
    problem = blocked()
    assert problem.startswith("views.v has to be rebuilt (")
    assert "it belongs to the extension plpgsql, so PostgreSQL refuses to drop it." in problem
    assert problem.endswith(f'ALTER EXTENSION "plpgsql" DROP {kind} "views"."v".')
    run(problem.partition("first: ")[2].removesuffix("."))
    sync_views()
    assert run("SELECT code FROM views.v") == [("x",)]


def test_a_registered_view_that_can_be_replaced_stays_in_its_extension(registered):
    with registered.isolated():
        declare("V", SQL)
        sync_views()
    add("VIEW", "views.v")
    declare("V", WIDER)
    sync_views()
    assert run("SELECT more FROM views.v") == [(2,)]
    run("ALTER EXTENSION plpgsql DROP VIEW views.v")


def test_an_orphan(registered):
    with registered.isolated():
        declare("V", SQL)
        sync_views()
    add("VIEW", "views.v")
    declare("Other", SQL)
    assert blocked().startswith("views.v has to be dropped (no class declares it any more), and it belongs")


def test_an_external_dependent_that_no_longer_fits(registered):
    with registered.isolated():
        declare("V", SQL, materialised=True)
        sync_views()
    run("CREATE VIEW public.theirs AS SELECT id FROM views.v")
    add("VIEW", "public.theirs")
    declare("V", OTHER, materialised=True)
    assert blocked(drop_dependents=True).startswith("public.theirs has to be dropped (it reads views.v")


def test_an_external_dependent_that_is_replaced_stays_in_its_extension(registered):
    with registered.isolated():
        declare("V", SQL, materialised=True)
        sync_views()
    run("CREATE VIEW public.theirs AS SELECT id FROM views.v")
    add("VIEW", "public.theirs")
    declare("V", WIDER, materialised=True)
    sync_views()
    assert run("SELECT id FROM public.theirs") == [(1,)]
    run("ALTER EXTENSION plpgsql DROP VIEW public.theirs")


def test_an_external_dependent_that_is_materialised(registered):
    with registered.isolated():
        declare("V", SQL)
        sync_views()
    run("CREATE MATERIALIZED VIEW public.theirs AS SELECT id FROM views.v")
    add("MATERIALIZED VIEW", "public.theirs")
    declare("V", "SELECT 2 AS more, 1 AS id")
    assert blocked().startswith("public.theirs has to be rebuilt (it reads views.v")


def test_a_function_that_depends_on_an_orphan(registered):
    with registered.isolated():
        declare("V", SQL)
        sync_views()
    run("CREATE FUNCTION public.of(views.v) RETURNS int LANGUAGE sql AS 'SELECT 1'")
    declare("Other", SQL)
    assert "and function public.of(views.v) depends on it" in blocked()
