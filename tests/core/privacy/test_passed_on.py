"""A column that ten views pass on is said once, where it begins."""

from __future__ import annotations

import pytest
from django.core import checks
from django.db import connection

from orm_views_core.privacy.api import judge_views
from tests.core.keeping import declare, run

from .saying import columns, problem, problems, where

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("email_is_personal", "all_is_granted")]


def test_what_is_passed_on_is_said_once_with_the_places():
    first = declare("V", "SELECT id, email FROM lending_customer")
    second = declare("W", "SELECT email AS mail FROM views.v")
    assert problem() == (
        f"{where(first)}: column 'email' of views.v shows lending.Customer.email as it is. It may be read by "
        f"'analyst_of_test'. It is passed on to views.w.mail in {where(second)}. Leave the column out, hide "
        "the view with HiddenViewMixin, reduce it to what is not personal and write not_personal = "
        '("email",), or write exposes = ("email",) to show it on purpose. If you hide or expose it, do the '
        "same there."
    )


def test_ten_views_on_top_are_one_message():
    first = declare("V", "SELECT id, email FROM lending_customer")
    others = [declare("W0", "SELECT email FROM views.v")]
    others += [declare(f"W{n}", f"SELECT upper(email) AS email FROM views.w{n - 1}") for n in range(1, 10)]
    said = problem()
    assert said.startswith(where(first))
    for number, view in enumerate(others):
        assert f"views.w{number}.email in {where(view)}" in said


def test_two_beginnings_are_two_messages_and_what_has_both_is_in_both():
    first = declare("V1", "SELECT id, email FROM lending_customer")
    second = declare("V2", "SELECT id, lower(email) AS low FROM lending_customer")
    both = declare("W", "SELECT v1.email || v2.low AS both FROM views.v1, views.v2")
    said = problems()
    assert columns(said) == ["views.v1.email", "views.v2.low"]
    assert [each.startswith(where(view)) for each, view in zip(said, (first, second), strict=True)] == [
        True
    ] * 2
    assert all(f"It is passed on to views.w.both in {where(both)}." in each for each in said)


def test_what_also_reads_the_table_itself_is_said_too():
    declare("V", "SELECT id, email FROM lending_customer")
    declare("W", "SELECT v.email || c.email AS both FROM views.v JOIN lending_customer c ON c.id = v.id")
    assert columns(problems()) == ["views.v.email", "views.w.both"]


def test_what_adds_another_personal_column_is_said_too(mark):
    mark("last_name")
    declare("V", "SELECT id, email FROM lending_customer")
    declare("W", "SELECT v.email || c.last_name AS x FROM views.v JOIN lending_customer c ON c.id = v.id")
    assert columns(problems()) == ["views.v.email", "views.w.x"]


def test_what_others_may_read_is_said_too():
    declare("V", "SELECT id, email FROM lending_customer")
    declare("W", "SELECT email FROM views.v", grant_select_to=["public"])
    assert columns(problems()) == ["views.v.email", "views.w.email"]


def test_what_is_passed_on_by_a_hidden_view_is_said_for_each():
    """There is nothing wrong with the hidden view."""
    declare("H", "SELECT id, email FROM lending_customer", hidden=True)
    declare("V", "SELECT email FROM views.h")
    declare("W", "SELECT email FROM views.h")
    assert columns(problems()) == ["views.v.email", "views.w.email"]


def test_what_is_exposed_on_purpose_begins_again_above():
    declare("V", "SELECT id, email FROM lending_customer", exposes=("email",))
    declare("W", "SELECT email FROM views.v")
    declare("X", "SELECT email FROM views.w")
    assert columns(problems()) == ["views.w.email"]
    assert "It is passed on to views.x.email in " in problem()


def test_a_function_that_may_read_any_table_is_said_once():
    run("CREATE FUNCTION public.contact() RETURNS text STABLE LANGUAGE sql AS $$SELECT 'a'$$")
    declare("V", "SELECT public.contact() AS c")
    declare("W", "SELECT c FROM views.v")
    declare("X", "SELECT c || public.contact() AS d FROM views.w")
    assert columns(problems()) == ["views.v.c", "views.x.d"]


def test_a_wrong_declaration_is_where_it_begins():
    declare("V", "SELECT id, email FROM lending_customer", not_personal=("email",))
    view = declare("W", "SELECT email FROM views.v")
    assert "its not_personal has 'email'" in problem()
    assert f"It is passed on to views.w.email in {where(view)}." in problem()


def test_several_columns_of_a_view_are_several_messages(mark):
    mark("last_name")
    declare("V", "SELECT id, email, last_name FROM lending_customer")
    declare("W", "SELECT email, last_name FROM views.v")
    said = problems()
    assert columns(said) == ["views.v.email", "views.v.last_name"]
    assert ["views.w.email" in each for each in said] == [True, False]
    assert ["views.w.last_name" in each for each in said] == [False, True]


@pytest.fixture
def made(analyst):
    """Such views in the database, as an earlier release has left them."""
    views = declare("V", "SELECT id, email FROM lending_customer"), declare("W", "SELECT email FROM views.v")
    run(
        f"""
        CREATE VIEW views.v AS SELECT id, email FROM lending_customer;
        CREATE VIEW views.w AS SELECT email FROM views.v;
        GRANT SELECT ON views.v, views.w TO {analyst}
        """
    )
    return views


def test_the_check_says_it_once_too(made):
    (found,) = [each for each in checks.run_checks(databases=["default"]) if each.id == "orm_views_core.W020"]
    assert f"It is passed on to views.w.email in {where(made[1])}." in found.msg


def test_findings_are_about_each_column(made):
    """The page of a view says what is wrong with this view."""
    findings = judge_views(connection)
    assert [str(each.column) for each in findings.problems] == ["views.v.email", "views.w.email"]
    assert [str(each.column) for each in findings.about([("views", "w")]).problems] == ["views.w.email"]
    assert "passed on" not in "".join(map(str, findings.problems))
