"""What a plan is about: some views, one of several databases, tenants, tables of any kind."""

from __future__ import annotations

import pytest
from django.db import connection, connections, models

from orm_views_core.exceptions import PlanBlockedError
from orm_views_core.privacy import marks, personal
from orm_views_core.privacy.api import find_personal_columns, judge_views
from orm_views_core.sync import plan_views, sync_views
from tests.core.keeping import declare, run
from tests.demo.lending.models import Customer

from .saying import EMAIL, columns, plan, problem, problems, warning, warnings

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("email_is_personal")]


def model_of(table: str, **fields: models.Field) -> type:
    meta = type("Meta", (), {"db_table": table, "app_label": "lending"})
    return type(
        "Person", (models.Model,), {"__module__": "tests.demo.lending.models", "Meta": meta, **fields}
    )


# Some views


def test_a_sync_of_some_views_is_not_refused_for_others(analyst):
    declare("V", "SELECT 1 AS a", grant_select_to=[analyst])
    declare("W", EMAIL, grant_select_to=[analyst])
    assert problems(views=["views.v"]) == []
    assert columns(problems(views=["views.w"])) == ["views.w.email"]
    assert columns(problems()) == ["views.w.email"]
    sync_views(views=["views.v"])


def test_views_that_are_there_and_are_not_asked_for_do_not_refuse_it(analyst):
    declare("W", EMAIL)
    declare("V", "SELECT 1 AS a", grant_select_to=[analyst])
    sync_views()
    run(f"GRANT SELECT ON views.w TO {analyst}")
    assert problems(views=["views.v"]) == []
    assert columns(problems()) == ["views.w.email"]


def test_what_reads_a_view_that_is_asked_for_is_judged_too(analyst, registered):
    view = declare("H", "SELECT id, city::varchar(254) AS x FROM lending_customer", hidden=True)
    declare("V", "SELECT x FROM views.h", grant_select_to=[analyst])
    sync_views()
    registered.unregister(view)
    declare("H", "SELECT id, email AS x FROM lending_customer", hidden=True)
    assert columns(problems(views=["views.h"])) == ["views.v.x"]


def test_what_reads_it_gets_no_grant_that_the_plan_was_not_judged_by(analyst, registered):
    hidden = declare("H", "SELECT id, email, 1 AS a FROM lending_customer", hidden=True)
    view = declare("V", "SELECT id, email FROM views.h", hidden=True)
    sync_views()
    for each in (hidden, view):
        registered.unregister(each)
    declare("H", "SELECT email, id FROM lending_customer", hidden=True)
    declare("V", "SELECT id, email FROM views.h", grant_select_to=[analyst])
    made = plan(views=["views.h"])
    if not made.problems:
        sync_views(views=["views.h"])
    assert run("SELECT has_table_privilege('analyst_of_test', 'views.v', 'SELECT')") == [(False,)]


def test_missing_views_that_are_synced_along_are_judged(analyst):
    declare("H", EMAIL, grant_select_to=[analyst])
    declare("V", "SELECT id FROM views.h", grant_select_to=[analyst])
    assert columns(problems(views=["views.v"])) == ["views.h.email"]


def test_the_way_is_named_although_the_view_below_is_not_asked_for(analyst):
    declare("H", EMAIL, hidden=True)
    sync_views()
    declare("V", "SELECT email FROM views.h", grant_select_to=[analyst])
    assert ", by way of views.h.email. " in problem(views=["views.v"])


# Several databases


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_each_database_is_judged_by_itself():
    role = "public"
    declare("V", EMAIL, grant_select_to=[role])
    declare("W", EMAIL, grant_select_to=[role], database="warehouse", exposes=("email",))
    declare("H", EMAIL, hidden=True, database="warehouse")
    first, second = plan_views(["default", "warehouse"])
    assert (columns(list(first.problems)), second.problems, second.warnings) == (["views.v.email"], (), ())
    sync_views(databases=["warehouse"])
    run(f"GRANT SELECT ON views.h TO {role}", "warehouse")
    assert [str(e.column) for e in judge_views(connections["warehouse"]).problems] == ["views.h.email"]
    assert judge_views(connections["default"]).problems == ()


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_a_refused_database_leaves_those_after_it_alone():
    declare("V", EMAIL, grant_select_to=["public"])
    declare("W", "SELECT 1 AS a", database="warehouse")
    with pytest.raises(PlanBlockedError):
        sync_views(databases=["default", "warehouse"])
    assert run("SELECT to_regclass('views.w')", "warehouse") == [(None,)]


# Tables


@pytest.fixture
def two_tenants(analyst):
    run(
        """
        CREATE SCHEMA one; CREATE TABLE one.person (id int, email text);
        CREATE SCHEMA two; CREATE TABLE two.person (id int, email text);
        SET LOCAL search_path = one, public
        """
    )
    return model_of("person", email=personal(models.EmailField()))


def test_a_table_along_the_search_path_is_the_one_that_the_model_means(two_tenants, analyst):
    declare("V", "SELECT email FROM one.person", grant_select_to=[analyst])
    declare("W", "SELECT email FROM two.person", grant_select_to=[analyst])
    assert columns(problems()) == ["views.v.email"]
    run("SET LOCAL search_path = two, public")
    assert columns(problems()) == ["views.w.email"]


def test_a_schema_that_is_named_is_the_one_that_the_model_means(analyst):
    run(
        """
        CREATE SCHEMA app; CREATE TABLE app."the People" (id int, "E-Mail" text);
        CREATE TABLE public."the People" (id int, "E-Mail" text)
        """
    )
    model_of('"app"."the People"', email=personal(models.EmailField(db_column="E-Mail")))
    declare("V", 'SELECT "E-Mail" FROM app."the People"', grant_select_to=[analyst])
    declare("W", 'SELECT "E-Mail" FROM public."the People"', grant_select_to=[analyst])
    assert columns(problems()) == ["views.v.E-Mail"]


def test_tenants_with_views_in_schemas_of_their_own(two_tenants, analyst, settings):
    def schema(connection):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 'views_of_' || current_schema()")
            return cursor.fetchone()[0]

    settings.ORM_VIEWS = {"SCHEMA": schema}
    for tenant in ("one", "two"):
        run(f"CREATE SCHEMA views_of_{tenant}; GRANT USAGE ON SCHEMA views_of_{tenant} TO {analyst}")
    declare(
        "V",
        "SELECT p.email, c.email AS of_all FROM person p, lending_customer c",
        grant_select_to=[analyst],
        exposes=("email", "of_all"),
    )
    assert problems() == warnings() == []
    sync_views()
    run("SET LOCAL search_path = two, public")
    assert problems() == []
    assert warnings() == [], "the view of the other tenant is declared by the same class"
    assert judge_views(connection).problems == judge_views(connection).warnings == ()


def test_a_plan_that_makes_the_view_of_another_tenant_show_it_is_refused(analyst, settings, registered):
    settings.ORM_VIEWS = {"SCHEMA": lambda connection: run("SELECT 'v_' || current_schema()")[0][0]}
    run(
        f"""
        CREATE SCHEMA one; CREATE SCHEMA two; CREATE SCHEMA v_one; CREATE SCHEMA v_two;
        GRANT USAGE ON SCHEMA v_one, v_two TO {analyst}; SET LOCAL search_path = one, public
        """
    )
    shared = declare("H", "SELECT ''::varchar(254) AS x", hidden=True, schema="shared")
    view = declare("V", "SELECT x FROM shared.h", grant_select_to=[analyst])
    sync_views()
    registered.unregister(shared)
    registered.unregister(view)
    declare("H", "SELECT email AS x FROM lending_customer", hidden=True, schema="shared")
    declare("V", "SELECT ''::text AS x", grant_select_to=[analyst])
    run("SET LOCAL search_path = two, public")
    assert columns(problems()) == ["v_one.v.x"]


def test_a_partition_and_its_table(analyst):
    run(
        """
        CREATE TABLE public.person (id int, email text) PARTITION BY LIST (id);
        CREATE TABLE public.person_1 PARTITION OF public.person FOR VALUES IN (1);
        CREATE TABLE public.person_rest PARTITION OF public.person DEFAULT PARTITION BY LIST (id);
        CREATE TABLE public.person_2 PARTITION OF public.person_rest FOR VALUES IN (2)
        """
    )
    model_of("person", email=personal(models.EmailField()))
    for number, table in enumerate(("person", "person_1", "person_rest", "person_2")):
        declare(f"V{number}", f"SELECT email FROM public.{table}", grant_select_to=[analyst])
    assert columns(problems()) == [f"views.v{number}.email" for number in range(4)]


def test_a_table_that_inherits_a_marked_column(analyst):
    run(
        """
        CREATE TABLE public.person (id int, email text);
        CREATE TABLE public.person_old () INHERITS (public.person)
        """
    )
    model_of("person", email=personal(models.EmailField()))
    declare("V", "SELECT email FROM public.person_old", grant_select_to=[analyst])
    assert columns(problems()) == ["views.v.email"]


def test_a_foreign_table(analyst):
    run(
        """
        CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
        CREATE FOREIGN TABLE public.person (id int, email text) SERVER nowhere
        """
    )
    model_of("person", email=personal(models.EmailField()))
    declare("V", "SELECT email FROM public.person", grant_select_to=[analyst])
    assert columns(problems()) == ["views.v.email"]


def test_a_generated_column_is_computed_from_those_in_its_expression(analyst):
    run(
        """
        CREATE TABLE public.person (
            id int, email text, low text GENERATED ALWAYS AS (lower(email)) STORED,
            twice int GENERATED ALWAYS AS (id * 2) STORED
        )
        """
    )
    model_of("person", email=personal(models.EmailField()))
    declare("V", "SELECT id, low, twice FROM public.person", grant_select_to=[analyst])
    assert columns(problems()) == ["views.v.low"]
    assert " is computed from lending.Person.email. " in problem()


def test_a_key_to_a_personal_field(analyst):
    run("CREATE TABLE public.person (id int, email text); CREATE TABLE public.visit (id int, person_id text)")
    person = model_of("person", email=personal(models.EmailField(unique=True)))
    meta = type("Meta", (), {"db_table": "visit", "app_label": "lending"})
    key = models.ForeignKey(person, models.CASCADE, to_field="email", related_name="+")
    type("Visit", (models.Model,), {"__module__": person.__module__, "Meta": meta, "person": key})
    declare("V", "SELECT id, person_id FROM public.visit", grant_select_to=[analyst])
    assert " column 'person_id' of views.v shows lending.Visit.person as it is. " in problem()


def test_a_table_that_is_not_there_yet(analyst):
    model_of("person", email=personal(models.EmailField()))
    declare("V", "SELECT city FROM lending_customer", grant_select_to=[analyst])
    assert problems() == warnings() == []
    run("CREATE TABLE public.person (id int, email text)")
    declare("W", "SELECT email FROM public.person", grant_select_to=[analyst])
    assert columns(problems()) == ["views.w.email"]


def test_a_table_without_the_marked_column_is_a_warning(analyst):
    """As after a change of the model, before the migrations: the values may have another name there."""
    run("CREATE TABLE public.person (id int, mail text)")
    model_of("person", email=personal(models.EmailField()))
    declare("V", "SELECT mail FROM public.person", grant_select_to=[analyst])
    said = (
        "lending.Person.email is marked as personal, and public.person has no column 'email'. Run the "
        "migrations before the sync: what has its values until then is not guarded."
    )
    assert warning() == said
    assert [str(each) for each in judge_views(connection).warnings] == [said]
    sync_views()
    run("ALTER TABLE public.person RENAME COLUMN mail TO email")
    assert [str(each.column) for each in judge_views(connection).problems] == ["views.v.mail"]


def test_it_is_one_although_nothing_else_is_personal(analyst, monkeypatch):
    monkeypatch.delattr(Customer._meta.get_field("email"), marks.ATTRIBUTE)
    run("CREATE TABLE public.person (id int, mail text)")
    model_of("person", email=personal(models.EmailField()))
    assert "public.person has no column 'email'." in warning()
    assert len(judge_views(connection).warnings) == 1


# Materialised views


def test_a_materialised_view(analyst):
    declare("M", EMAIL, materialised=True, pk_field="id", grant_select_to=[analyst])
    assert columns(problems()) == ["views.m.email"]


def test_a_view_that_becomes_a_materialised_one(analyst, registered):
    view = declare("V", "SELECT id, city::varchar(254) AS x FROM lending_customer", grant_select_to=[analyst])
    sync_views()
    registered.unregister(view)
    declare("V", "SELECT id, email AS x FROM lending_customer", materialised=True, grant_select_to=[analyst])
    assert columns(problems()) == ["views.v.x"]


def test_what_pages_ask_for(analyst):
    declare("V", "SELECT id, email, left(email, 1) AS i FROM lending_customer", not_personal=("i",))
    declare("W", "SELECT * FROM views.v", hidden=True)
    sync_views()
    found = find_personal_columns(connection)
    assert {str(name): [*each] for name, each in found.items()} == {
        "views.v": ["email"],
        "views.w": ["email"],
    }
