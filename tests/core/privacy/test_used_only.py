"""Personal columns that only decide which rows a view has are allowed, and listed. So is what is counted."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from tests.core.keeping import declare, run

from .saying import columns, plan, problem, problems, warnings, where

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("email_is_personal", "all_is_granted")]


@pytest.fixture
def safe(settings, analyst):
    """A function that sets the safe functions."""

    def set_safe(*names: str) -> None:
        settings.ORM_VIEWS = {"GRANT_SELECT_TO": [analyst], "PERSONAL_SAFE_FUNCTIONS": list(names)}

    return set_safe


USED = {
    "where": "SELECT id FROM lending_customer WHERE email LIKE '%.ch'",
    "join": "SELECT l.id FROM lending_loan l JOIN lending_customer c ON c.id = l.id AND c.email > ''",
    "using": "SELECT 1 AS a FROM lending_customer JOIN (VALUES ('x'::varchar)) v (email) USING (email)",
    "group by": "SELECT count(*) AS n FROM lending_customer GROUP BY email",
    "having": "SELECT city FROM lending_customer GROUP BY city HAVING max(email) > 'm'",
    "order by": "SELECT id FROM lending_customer ORDER BY email",
    "distinct on": "SELECT DISTINCT ON (email) id FROM lending_customer ORDER BY email",
    "limit": "SELECT id FROM lending_loan LIMIT (SELECT count(email) FROM lending_customer)",
    "except": "SELECT city FROM lending_customer EXCEPT SELECT email FROM lending_customer",
    "exists": "SELECT id FROM lending_loan WHERE EXISTS (SELECT FROM lending_customer c WHERE c.email > '')",
    "count": "SELECT count(email) AS n FROM lending_customer",
    "count distinct": "SELECT city, count(DISTINCT email) AS n FROM lending_customer GROUP BY city",
    "count over": "SELECT city, count(email) OVER () AS n FROM lending_customer",
    "grouping": "SELECT GROUPING(email) AS g FROM lending_customer GROUP BY ROLLUP (email)",
    "through a view": "SELECT id FROM views.filtered",
}


@pytest.mark.parametrize("how", USED)
def test_what_is_only_used_is_allowed_and_listed(how):
    declare("Filtered", "SELECT id FROM lending_customer WHERE email > ''", hidden=True)
    view = declare("V", USED[how])
    assert problems() == warnings() == []
    assert (
        f"{where(view)}: views.v chooses, orders or counts its rows by lending.Customer.email."
        in plan().notes
    )


def test_several_fields_in_one_note(mark):
    mark("last_name", "city")
    view = declare("V", "SELECT id FROM lending_customer WHERE email > '' AND city > '' ORDER BY last_name")
    (note,) = plan().notes
    assert note == (
        f"{where(view)}: views.v chooses, orders or counts its rows by lending.Customer.city, "
        "lending.Customer.email and lending.Customer.last_name."
    )


def test_a_long_plan_lists_them_and_a_short_one_does_not():
    view = declare("V", USED["where"])
    long, short = StringIO(), StringIO()
    call_command("sync_views", "--plan", verbosity=2, stdout=long, no_color=True)
    call_command("sync_views", "--plan", stdout=short, no_color=True)
    note = f"  Note: {where(view)}: views.v chooses, orders or counts its rows by lending.Customer.email.\n"
    assert note in long.getvalue()
    assert "Note: " not in short.getvalue()


COMPUTED = [
    "md5(email)",
    "max(email)",
    "string_agg(email, ',')",
    "array_agg(email)",
    "count(*) FILTER (WHERE email > '')",
    "length(email)",
    "email IS NULL",
    "email = 'a@b.c'",
    "count(*) OVER (PARTITION BY email)",
    "row_number() OVER (ORDER BY email)",
    "EXISTS (SELECT FROM lending_customer c WHERE c.email = 'a@b.c')",
    "5 IN (SELECT length(c.email) FROM lending_customer c)",
]


@pytest.mark.parametrize("expression", COMPUTED)
def test_what_depends_on_its_value_is_computed(expression):
    declare("V", f"SELECT {expression} AS x FROM lending_customer GROUP BY email, id")
    assert columns(problems()) == ["views.v.x"]
    assert " is computed from lending.Customer.email." in problem()


# Safe functions


def test_count_alone_is_safe_and_can_be_unsafe(safe):
    declare("V", "SELECT count(email) AS n FROM lending_customer")
    assert problems() == []
    safe()
    assert columns(problems()) == ["views.v.n"]


def test_other_functions_can_be_safe(safe):
    declare("V", "SELECT count(email) AS n, bool_and(email > '') AS b FROM lending_customer")
    safe("pg_catalog.bool_and")
    assert columns(problems()) == ["views.v.n"]
    safe("pg_catalog.bool_and", "pg_catalog.count")
    assert problems() == []


def test_a_function_of_users_can_be_safe(safe):
    run("CREATE FUNCTION public.is_set(text) RETURNS bool STABLE LANGUAGE sql AS $$SELECT $1 > ''$$")
    declare("V", "SELECT public.is_set(email) AS is_set FROM lending_customer")
    assert columns(problems()) == ["views.v.is_set"]
    safe("public.is_set")
    assert problems() == []


def test_a_users_own_count_is_not_safe():
    run(
        """
        CREATE FUNCTION public.last_text(text, text) RETURNS text IMMUTABLE LANGUAGE sql AS $$SELECT $2$$;
        CREATE AGGREGATE public.count(varchar) (SFUNC = public.last_text, STYPE = text)
        """
    )
    declare("V", "SELECT count(email) AS n FROM lending_customer")
    assert run("SELECT count('a'::varchar)") == [("a",)]  # it fits better than PostgreSQL's own
    assert columns(problems()) == ["views.v.n"]


def test_a_users_own_count_is_not_safe_in_a_schema_before_postgresqls(settings):
    run(
        """
        CREATE FUNCTION public.count(pg_catalog.text) RETURNS pg_catalog.text IMMUTABLE LANGUAGE sql
        AS $$SELECT $1$$;
        SET LOCAL search_path = public, pg_catalog
        """
    )
    declare("V", "SELECT count(email::pg_catalog.text) AS n FROM lending_customer")
    assert columns(problems()) == ["views.v.n"]


def test_the_arguments_of_a_safe_function_are_read_all_the_same():
    """What is inside is only used, however it gets there."""
    declare("V", "SELECT count(CASE WHEN email > 'm' THEN id END) AS n FROM lending_customer")
    assert problems() == []
    assert len(plan().notes) == 1


def test_a_safe_function_that_is_not_there_is_none(safe):
    safe("pg_catalog.count", "nowhere.fold")
    declare("V", "SELECT count(email) AS n FROM lending_customer")
    assert problems() == []


def test_a_safe_function_within_another_expression(mark):
    mark("city")
    declare("V", "SELECT count(email) || min(city) AS x FROM lending_customer")
    assert "is computed from lending.Customer.city. " in problem()
