"""Rows of views are read without a trace and within limits, also with odd names of columns."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from orm_views_core.database.rows import Cell, Condition, Operator
from orm_views_core.engines.postgresql.reading import reading
from orm_views_core.engines.postgresql.rows import count_rows, estimate_rows, read_rows
from orm_views_core.exceptions import RowsUnavailableError

from .views import NOWHERE, SLOW, V, texts

pytestmark = pytest.mark.django_db


def contains(column, text):
    return Condition(column, Operator.CONTAINS, (text,))


@pytest.mark.parametrize("code", ["55000", "42P01"])
def test_what_a_function_says_is_not_taken_for_what_the_catalogs_say(create, execute, code):
    """Its error has the SQLSTATE of a view without rows, or without a view, and names the view."""
    execute(
        "CREATE FUNCTION views.tell() RETURNS int LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE 'views.v is on holiday' USING ERRCODE = '{code}'; END $$"
    )
    create("SELECT views.tell() AS id")
    with pytest.raises(RowsUnavailableError, match=r"The rows of views\.v cannot be read: views\.v is on"):
        read_rows("default", V, limit=1)


def test_rows_come_in_the_order_of_the_columns_with_their_values(create):
    create(
        "SELECT 1 AS b, NULL AS a, 'é' AS \"C d\", 1.50::numeric(5, 2) AS e, date '2026-06-30' AS f,"
        " ARRAY[1, NULL] AS g, true AS h"
    )
    page = read_rows("default", V, limit=5)
    assert [column.name for column in page.columns] == ["b", "a", "C d", "e", "f", "g", "h"]
    values = ["1", None, "é", "1.50", "2026-06-30", "{1,NULL}", "t"]
    assert page.rows == (tuple(Cell(text, len(text or "")) for text in values),)
    assert page.has_more is False


def test_a_page_knows_whether_further_rows_follow_without_counting(create):
    create("SELECT * FROM generate_series(1, 5) AS n")
    with CaptureQueriesContext(connections["default"]) as queries:
        first = read_rows("default", V, limit=2, order_by=["n"])
    assert not any("count(" in query["sql"].lower() for query in queries)
    assert ([row[0].text for row in first.rows], first.has_more) == (["1", "2"], True)
    last = read_rows("default", V, limit=2, offset=4, order_by=["n"])
    assert ([row[0].text for row in last.rows], last.has_more) == (["5"], False)
    exactly = read_rows("default", V, limit=5)
    assert (len(exactly.rows), exactly.has_more) == (5, False)
    beyond = read_rows("default", V, limit=5, offset=50)
    assert (beyond.rows, beyond.has_more) == ((), False)


ODD_COLUMNS = [
    "a%b",
    "%s",
    "%(x)s",
    "100%",
    'quo"te',
    "two words",
    "Capitals",
    "größe",
    "select",
    "a.b",
    "a;b",
    "{x}",
    "ü" * 31,
    "-minus",
]


@pytest.mark.parametrize("column", ODD_COLUMNS)
def test_a_column_of_any_name_is_read_ordered_and_filtered(column, create):
    quoted = '"' + column.replace('"', '""') + '"'
    create(f"SELECT * FROM (VALUES ('one', 1), ('two', 2), (NULL, 3)) AS t ({quoted}, n)")
    one, two, null = ["one", "1"], ["two", "2"], [None, "3"]
    assert texts(order_by=["n"]) == [one, two, null]
    assert texts(order_by=[f"-{column}", "n"]) == [null, two, one]
    assert texts(conditions=[contains(column, "TW")]) == [two]
    assert texts(conditions=[contains(column, "o"), contains("n", "1")], order_by=[column]) == [one]
    assert texts(conditions=[Condition(column, Operator.EQUALS, ("two",))]) == [two]
    assert texts(conditions=[Condition(column, Operator.IS_NULL)]) == [null]
    assert read_rows("default", V, limit=1, find_quick=True).quick == frozenset()


@pytest.mark.parametrize(
    "asked",
    [
        {"order_by": ["nothing"]},
        {"order_by": ["-nothing"]},
        {"order_by": ["--a"]},
        {"conditions": [contains("nothing", "")]},
    ],
)
def test_an_unknown_column_is_an_error_that_names_those_there_are(asked, create):
    create("SELECT 1 AS b, 2 AS a")
    with pytest.raises(
        RowsUnavailableError, match=r"views\.v has no column '-?nothing'|no column '-a'"
    ) as caught:
        texts(**asked)
    assert str(caught.value).endswith("it has a, b.")


def test_sql_in_a_column_name_is_no_sql(create, execute):
    create("SELECT 1 AS a")
    for asked in ({"order_by": ['a"; DROP VIEW views.v; --']}, {"conditions": [contains("a') OR ('1", "x")]}):
        with pytest.raises(RowsUnavailableError):
            texts(**asked)
    assert texts(conditions=[contains("a", "') OR ('1' = '1")]) == []
    assert texts() == [["1"]]


@pytest.mark.parametrize(
    "body",
    [
        "INSERT INTO views.written VALUES (1)",
        "CREATE TABLE views.made ()",
        "PERFORM set_config('transaction_read_only', 'off', true); INSERT INTO views.written VALUES (1)",
        "PERFORM nextval('views.numbers')",
        "PERFORM lo_create(0)",
    ],
)
def test_a_view_whose_function_writes_cannot_be_read(body, create, execute):
    if "lo_create" in body and connections["default"].pg_version < 160000:
        pytest.skip("a read-only transaction may write large objects up to PostgreSQL 15")
    execute("CREATE TABLE views.written (a int); CREATE SEQUENCE views.numbers")
    execute(
        f"CREATE FUNCTION views.writing() RETURNS int LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN 1; END $$"
    )
    create("SELECT views.writing() AS a FROM generate_series(1, 2) AS g")
    for read in (
        lambda: texts(),
        lambda: texts(conditions=[contains("a", "1")]),
        lambda: texts(order_by=["a"]),
    ):
        with pytest.raises(RowsUnavailableError, match=r"read-only|read-write"):
            read()
    assert execute("SELECT count(*) FROM views.written") == [(0,)]
    assert execute("SELECT is_called FROM views.numbers") == [(False,)]
    assert execute("SELECT to_regclass('views.made') IS NULL") == [(True,)]


def test_rows_that_take_too_long_are_an_error_that_names_the_setting(create):
    create(SLOW)
    with (
        override_settings(ORM_VIEWS={"PREVIEW_TIMEOUT": 0.05}),
        pytest.raises(RowsUnavailableError, match=r"within 0\.05 s \(ORM_VIEWS\['PREVIEW_TIMEOUT'\]\)"),
    ):
        texts()


@pytest.mark.parametrize("seconds", [0.001, 0.0014, 0.05])
def test_the_shortest_time_out_is_a_time_out(seconds, create):
    create(SLOW)
    with override_settings(ORM_VIEWS={"PREVIEW_TIMEOUT": seconds}), pytest.raises(RowsUnavailableError):
        texts()


def test_a_view_that_is_not_there_or_not_populated_says_what_to_do(create, execute):
    with pytest.raises(RowsUnavailableError, match=r"views\.nowhere is not in the database\. Sync it first"):
        texts(NOWHERE)
    create("SELECT 1 AS id", kind="MATERIALIZED VIEW")
    execute(f"REFRESH MATERIALIZED VIEW {V.quoted} WITH NO DATA")
    with pytest.raises(RowsUnavailableError, match=r"views\.v has no rows yet"):
        texts()


def test_an_error_in_the_data_is_said(create):
    create("SELECT 1 / (g - 2) AS a FROM generate_series(1, 3) AS g")
    with pytest.raises(RowsUnavailableError, match="cannot be read: division by zero"):
        texts()


def test_nothing_of_a_reading_stays_behind(create, execute):
    create("SELECT 1 AS a")
    texts()
    count_rows("default", V)
    estimate_rows("default", [V])
    settings = "SELECT current_setting('transaction_read_only'), current_setting('statement_timeout')"
    assert execute(settings) == [("off", "0")]
    execute("CREATE TABLE views.can_still_write ()")


def test_nothing_of_a_reading_that_failed_stays_behind(create, execute):
    create(SLOW)
    with override_settings(ORM_VIEWS={"PREVIEW_TIMEOUT": 0.05}), pytest.raises(RowsUnavailableError):
        texts()
    assert execute("SELECT current_setting('transaction_read_only')") == [("off",)]
    execute("CREATE TABLE views.can_still_write ()")


def test_a_reading_limits_locks_and_statements(execute):
    with override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.2}), reading(connections["default"], 1.5) as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
        assert cursor.fetchone() == ("1500ms", "200ms")
    with reading(connections["default"], 0.1) as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("100ms",)


def test_a_view_without_columns_has_rows(create):
    create("SELECT FROM generate_series(1, 3)")
    page = read_rows("default", V, limit=2, find_quick=True)
    assert (page.columns, page.rows, page.has_more) == ((), ((), ()), True)
    assert count_rows("default", V).rows == 3


def test_a_view_may_have_as_many_columns_as_postgresql_allows(create):
    create("SELECT " + ", ".join(f"{n} AS c{n}" for n in range(1600)))
    assert texts() == [[str(n) for n in range(1600)]]


def test_dates_are_iso_and_intervals_as_the_session_writes_them(create, execute):
    """One driver sets ISO for each session, the other leaves what a role or database has."""
    create("SELECT date '2026-06-30' AS day, timestamptz '2026-06-30 12:00+02' AS at, interval '1 d' AS span")
    execute("SET DateStyle = 'German, DMY'; SET IntervalStyle = 'iso_8601'; SET TimeZone = 'Asia/Kolkata'")
    shown = ["2026-06-30", "2026-06-30 15:30:00+05:30", "P1D"]
    conditions = [
        Condition(column, Operator.EQUALS, (text,))
        for column, text in zip(["day", "at", "span"], shown, strict=True)
    ]
    assert texts(conditions=conditions) == [shown]
    assert execute("SHOW DateStyle") == [("German, DMY",)]
