"""Messages that quote PostgreSQL, and the same without the quotes."""

from __future__ import annotations

import pickle

import pytest
from django.db import DatabaseError, connections, transaction

from orm_views_core.engines.postgresql.errors.diagnostics import quoting
from orm_views_core.engines.postgresql.errors.functions import naming_functions
from orm_views_core.exceptions import (
    InvalidViewsError,
    OrmViewsError,
    PlanBlockedError,
    RefreshError,
    UnknownViewError,
    ViewSQLError,
)
from orm_views_core.quoting import Quoting, Report, because, embedded, joined, summary_of, unquoted
from orm_views_core.sentences import says

REPORT = Report("23505", "unique violation")
QUOTE = Quoting("It fails: Key (a)=(ann) is duplicated.", "It fails.", REPORT)


def test_a_message_is_a_text_that_has_a_summary():
    assert QUOTE == "It fails: Key (a)=(ann) is duplicated."
    assert summary_of(QUOTE) == "It fails.\nPostgreSQL reports SQLSTATE 23505 (unique violation)."
    assert summary_of("our own words") == "our own words"
    assert unquoted("ours").summary == "ours"
    assert because("It fails", ValueError("ann")).summary == "It fails: ValueError."


def test_messages_keep_their_summaries_inside_of_others():
    message = embedded(says("views.a: %(why)s Stop.", why=QUOTE))
    assert message.summary.startswith("views.a: It fails.\nPostgreSQL")
    assert joined([QUOTE, "ours"]).summary == f"{QUOTE.summary}\nours"
    assert QUOTE.replaced("fails", "stops").summary.startswith("It stops.")


def test_an_error_has_a_summary():
    assert str(ViewSQLError(QUOTE)) == QUOTE
    assert ViewSQLError(QUOTE).summary == QUOTE.summary
    assert UnknownViewError("There is no view.").summary == "There is no view."
    assert RefreshError("ours", [1]).results == (1,)
    assert InvalidViewsError([ViewSQLError(QUOTE), ViewSQLError("ours")]).summary == f"{QUOTE.summary}\nours"
    assert PlanBlockedError([QUOTE]).summary == QUOTE.summary
    assert OrmViewsError().summary == ""


def test_an_error_that_does_not_say_what_it_quotes_is_only_named():
    error = OrmViewsError("ann")
    error.__cause__ = ValueError("ann")
    assert error.summary == "OrmViewsError."


def test_an_error_can_be_sent_to_another_process():
    error = pickle.loads(pickle.dumps(ViewSQLError(QUOTE)))
    assert (str(error), error.summary) == (QUOTE, QUOTE.summary)


@pytest.fixture
def fail(execute):
    """A function that returns the error of a query, and rolls the query back."""

    def fail(sql):
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            execute(sql)
        error = caught.value
        return ViewSQLError(quoting(str(error), "It fails.", error))

    return fail


def raising(name):
    return (
        f"CREATE FUNCTION {name}(n int) RETURNS int LANGUAGE plpgsql AS $$BEGIN RAISE division_by_zero; END$$"
    )


@pytest.mark.django_db
def test_the_function_is_named(execute, fail):
    execute(raising('"odd ""name"') + ";" + raising("inner_one"))
    execute("CREATE FUNCTION outer_one() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN inner_one(1); END$$")
    errors = [fail('SELECT "odd ""name"(1)'), fail("SELECT outer_one()"), fail("SELECT 1 / 0")]
    naming_functions(connections["default"], errors)
    assert [error.summary.removeprefix("It fails.\nPostgreSQL reports ") for error in errors] == [
        'SQLSTATE 22012 (division by zero) in function odd "name.',
        "SQLSTATE 22012 (division by zero) in function inner_one.",
        "SQLSTATE 22012 (division by zero).",
    ]


@pytest.mark.django_db
def test_functions_are_looked_for_with_one_query(execute, fail, django_assert_num_queries):
    execute(raising("inner_one"))
    errors = [fail("SELECT inner_one(1)") for _ in range(5)]
    with django_assert_num_queries(5):  # with those of the savepoint and of the search path
        naming_functions(connections["default"], errors)
    with django_assert_num_queries(0):
        naming_functions(connections["default"], [fail_without_context()])


def fail_without_context():
    return ViewSQLError(QUOTE)


@pytest.mark.django_db
def test_an_aborted_transaction_only_costs_the_name(execute, fail):
    execute(raising("inner_one"))
    error = fail("SELECT inner_one(1)")
    with transaction.atomic():
        with pytest.raises(DatabaseError):
            execute("SELECT 1 / 0")
        naming_functions(connections["default"], [error])
        transaction.set_rollback(True)
    assert error.summary == "It fails.\nPostgreSQL reports SQLSTATE 22012 (division by zero)."


@pytest.mark.django_db
def test_a_name_in_quoted_data_is_not_taken_for_a_function(execute, fail):
    error = fail("""DO $$ BEGIN EXECUTE 'SELECT 1 / 0 AS "ann(1)", lower(''x'')'; END $$""")
    naming_functions(connections["default"], [error])
    assert "ann" in error.message.context
    assert "function" not in error.summary
