"""Hidden views may carry anything. Views of others are warned of, unless the plan makes them show it."""

from __future__ import annotations

import pytest
from django.db import connection

from orm_views_core.privacy.api import judge_views
from orm_views_core.sync import sync_views
from tests.core.keeping import declare, run

from .saying import EMAIL, columns, plan, problem, problems, warning, warnings, where

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("email_is_personal")]


def test_a_hidden_view_may_carry_anything(analyst, settings):
    settings.ORM_VIEWS = {"GRANT_SELECT_TO": [analyst]}
    declare("H", "SELECT c, c.*, upper(email) AS u FROM lending_customer c", hidden=True)
    declare("M", EMAIL, hidden=True, materialised=True)
    assert problems() == warnings() == []
    sync_views()
    assert problems() == warnings() == []


@pytest.mark.parametrize("materialised", [False, True])
def test_a_hidden_view_that_somebody_may_read_by_hand(analyst, materialised):
    view = declare("H", EMAIL, hidden=True, materialised=materialised)
    sync_views()
    run(f"GRANT SELECT ON views.h TO {analyst}")
    assert problem().startswith(
        f"{where(view)}: column 'email' of views.h shows lending.Customer.email as it is. It may be read by "
        "'analyst_of_test'."
    )


def test_what_a_view_does_not_take_of_a_hidden_one_stays_hidden(analyst):
    declare("H", EMAIL, hidden=True)
    declare("V", "SELECT id FROM views.h", grant_select_to=[analyst])
    assert problems() == []


def test_hidden_views_pass_it_on_however_many_there_are(analyst):
    declare("H0", EMAIL, hidden=True)
    for number in range(1, 8):
        declare(f"H{number}", f"SELECT id, email FROM views.h{number - 1}", hidden=True)
    declare("V", "SELECT email AS e FROM views.h7", grant_select_to=[analyst])
    assert ", by way of views.h7.email. " in problem()


def test_all_ways_are_named(analyst):
    declare("H1", EMAIL, hidden=True)
    declare("H2", EMAIL, hidden=True)
    declare("V", "SELECT email FROM views.h1 UNION SELECT email FROM views.h2", grant_select_to=[analyst])
    assert " as it is, by way of views.h1.email and views.h2.email. " in problem()


def test_a_hidden_view_that_changes_below_one_that_does_not(analyst, registered):
    view = declare("H", "SELECT id, city::varchar(254) AS label FROM lending_customer", hidden=True)
    declare("V", "SELECT label FROM views.h", grant_select_to=[analyst])
    sync_views()
    registered.unregister(view)
    declare("H", "SELECT id, email AS label FROM lending_customer", hidden=True)
    assert columns(problems()) == ["views.v.label"]


def test_a_hidden_view_that_was_changed_by_hand(analyst):
    declare("H", "SELECT id, city::text AS label FROM lending_customer", hidden=True)
    declare("V", "SELECT label FROM views.h", grant_select_to=[analyst])
    sync_views()
    run("CREATE OR REPLACE VIEW views.h AS SELECT id, email::text AS label FROM lending_customer")
    assert problems() == []  # this sync puts it back
    assert [str(each.column) for each in judge_views(connection).problems] == ["views.v.label"]
    sync_views()
    assert judge_views(connection).problems == ()


# Views of others


@pytest.mark.parametrize("schema", ["public", "views"])
@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_a_view_of_others_is_a_warning(analyst, schema, kind):
    declare("V", "SELECT 1 AS a")
    sync_views()
    run(f"CREATE {kind} {schema}.o AS SELECT email FROM lending_customer")
    assert warnings() == []
    run(f"GRANT SELECT ON {schema}.o TO {analyst}")
    assert warning() == (
        f"Column 'email' of {schema}.o shows lending.Customer.email as it is. It may be read by "
        f"'analyst_of_test'. No class declares this view. Ask the owner of {schema}.o to leave the column "
        "out, or to revoke the privilege."
    )
    sync_views()


def test_a_view_of_others_above_a_hidden_one_is_a_warning(analyst):
    declare("H", EMAIL, hidden=True)
    sync_views()
    run(f"CREATE VIEW public.o AS SELECT email FROM views.h; GRANT SELECT ON public.o TO {analyst}")
    assert " as it is, by way of views.h.email. It may be read by 'analyst_of_test'. No class " in warning()
    sync_views(force=True)
    assert len(warnings()) == 1


def test_a_plan_that_changes_something_else_of_it_is_not_refused(analyst, registered):
    view = declare("H", EMAIL, hidden=True)
    sync_views()
    run(f"CREATE VIEW public.o AS SELECT email FROM views.h; GRANT SELECT ON public.o TO {analyst}")
    registered.unregister(view)
    declare("H", "SELECT id, email, city FROM lending_customer", hidden=True)
    assert len(warnings()) == 1
    sync_views()


BEFORE_AND_AFTER = {
    "nothing, shown": ("''::varchar(254)", "email"),
    "nothing, computed": ("''::varchar(254)", "left(email, 254)::varchar(254)"),
    "computed, shown": ("left(email, 254)::varchar(254)", "email"),
    "one, two": ("email::varchar", "COALESCE(email, last_name)"),
    "one, another": ("email", "last_name::varchar(254)"),
}


@pytest.mark.parametrize("change", BEFORE_AND_AFTER)
def test_a_plan_that_makes_a_view_of_others_show_more_is_refused(analyst, registered, mark, change):
    mark("last_name")
    before, after = BEFORE_AND_AFTER[change]
    view = declare("H", f"SELECT id, {before} AS x FROM lending_customer", hidden=True)
    sync_views()
    run(f"CREATE VIEW public.o AS SELECT x FROM views.h; GRANT SELECT ON public.o TO {analyst}")
    registered.unregister(view)
    declare("H", f"SELECT id, {after} AS x FROM lending_customer", hidden=True)
    assert columns(problems()) == ["public.o.x"]
    assert "It may be read by 'analyst_of_test'. This plan makes it do so. No class declares" in problem()


@pytest.mark.parametrize("change", ["nothing, shown", "computed, shown", "one, two"])
def test_a_plan_that_makes_it_show_less_is_not(analyst, registered, mark, change):
    mark("last_name")
    after, before = BEFORE_AND_AFTER[change]
    view = declare("H", f"SELECT id, {before} AS x FROM lending_customer", hidden=True)
    sync_views()
    run(f"CREATE VIEW public.o AS SELECT x FROM views.h; GRANT SELECT ON public.o TO {analyst}")
    registered.unregister(view)
    declare("H", f"SELECT id, {after} AS x FROM lending_customer", hidden=True)
    assert problems() == []


def test_a_plan_that_makes_a_view_of_others_call_a_function_is_refused(analyst, registered):
    run("CREATE FUNCTION public.contact() RETURNS varchar STABLE LANGUAGE sql AS $$SELECT 'a'$$")
    view = declare("H", "SELECT id, ''::varchar AS x FROM lending_customer", hidden=True)
    sync_views()
    run(f"CREATE VIEW public.o AS SELECT x FROM views.h; GRANT SELECT ON public.o TO {analyst}")
    registered.unregister(view)
    declare("H", "SELECT id, public.contact() AS x FROM lending_customer", hidden=True)
    assert columns(problems()) == ["public.o.x"]


def test_a_view_of_others_that_only_its_owner_may_read_is_nobodys_business(analyst, registered):
    view = declare("H", "SELECT id, ''::varchar(254) AS x FROM lending_customer", hidden=True)
    sync_views()
    run("CREATE VIEW public.o AS SELECT x, email FROM views.h JOIN lending_customer USING (id)")
    registered.unregister(view)
    declare("H", "SELECT id, email AS x FROM lending_customer", hidden=True)
    assert problems() == warnings() == []


def test_a_temporary_view_is_nobodys_business(analyst):
    declare("V", "SELECT 1 AS a")
    run(f"CREATE TEMPORARY VIEW o AS SELECT email FROM lending_customer; GRANT SELECT ON o TO {analyst}")
    assert problems() == warnings() == []


def test_a_chain_of_views_of_others(analyst):
    declare("H", EMAIL, hidden=True)
    sync_views()
    run(
        f"""
        CREATE VIEW public.o AS SELECT email FROM views.h;
        CREATE VIEW public.p AS SELECT upper(email) AS e FROM public.o;
        GRANT SELECT ON public.p TO {analyst}
        """
    )
    assert warning().startswith(
        "Column 'e' of public.p is computed from lending.Customer.email, by way of public.o.email. "
    )


def test_an_orphan_that_stays_is_a_view_of_others(analyst, registered):
    view = declare("Old", EMAIL, exposes=("email",), grant_select_to=[analyst])
    declare("V", "SELECT 1 AS a")
    sync_views()
    assert warnings() == []
    registered.unregister(view)
    assert warnings() == []  # this sync drops it
    assert columns(warnings(views=["views.v"])) == ["views.old.email"]


def test_a_view_of_others_that_is_a_dependent_and_dropped(analyst, registered):
    view = declare("H", "SELECT id, city::varchar(254) AS x, 1 AS gone FROM lending_customer", hidden=True)
    sync_views()
    run(f"CREATE VIEW public.o AS SELECT x, gone FROM views.h; GRANT SELECT ON public.o TO {analyst}")
    registered.unregister(view)
    declare("H", "SELECT id, email AS x FROM lending_customer", hidden=True)
    made = plan(drop_dependents=True)
    assert made.problems == made.warnings == ()
