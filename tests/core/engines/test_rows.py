"""Counts and rows of views are read-only and have a time-out, also with odd names of columns."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connections
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from orm_views_core.engines.postgresql.reading import reading
from orm_views_core.engines.postgresql.rows import RowCount, count_rows, estimate_rows, read_rows
from orm_views_core.exceptions import RowsUnavailableError
from orm_views_core.names import ViewName
from orm_views_core.views import PostgresViewFromSQL

pytestmark = pytest.mark.django_db

V = ViewName("views", "v")
NOWHERE = ViewName("views", "nowhere")
SLOW = "SELECT pg_sleep(30) IS NULL AS slow"


def declare(name):
    """Only the rows of views that a class declares are read; what its SQL is does not matter."""
    attributes = {"name": name.name, "sql": "SELECT", "__module__": __name__}
    type(f"View {name}", (PostgresViewFromSQL,), attributes)


@pytest.fixture(autouse=True)
def schema(execute):
    execute("CREATE SCHEMA views")
    declare(NOWHERE)


@pytest.fixture
def create(execute):
    def create(sql, name=V, kind="VIEW"):
        execute(f"CREATE {kind} {name.quoted} AS {sql}")
        declare(name)
        return name

    return create


def rows(name=V, **asked):
    return [list(row) for row in read_rows("default", name, **{"limit": 100, **asked}).rows]


def test_a_count_is_exact_when_it_comes_in_time(create):
    create("SELECT * FROM generate_series(1, 1234)")
    assert count_rows("default", V) == RowCount(1234, exact=True)


def test_an_empty_view_has_exactly_no_rows(create):
    create("SELECT id FROM lending_loan")
    assert count_rows("default", V) == RowCount(0, exact=True)


def test_a_count_that_takes_too_long_is_the_planners_estimate(create):
    create("SELECT g FROM generate_series(1, 1000) AS g WHERE pg_sleep(1) IS NOT NULL")
    with override_settings(ORM_VIEWS={"COUNT_TIMEOUT": 0.05}):
        count = count_rows("default", V)
    assert not count.exact
    assert count.rows == estimate_rows("default", [V])[V] > 0


def test_a_count_of_a_view_that_cannot_be_read_says_why(create, execute):
    create("SELECT 1 AS id", kind="MATERIALIZED VIEW")
    execute(f"REFRESH MATERIALIZED VIEW {V.quoted} WITH NO DATA")
    with pytest.raises(RowsUnavailableError, match=r"views\.v has no rows yet.*Refresh it first"):
        count_rows("default", V)
    with pytest.raises(RowsUnavailableError, match=r"views\.nowhere is not in the database. Sync it first."):
        count_rows("default", NOWHERE)


def test_a_view_that_reads_one_without_rows_says_which(create, execute):
    low = create("SELECT 1 AS id", ViewName("views", "low"), kind="MATERIALIZED VIEW")
    execute(f"REFRESH MATERIALIZED VIEW {low.quoted} WITH NO DATA")
    create("SELECT * FROM views.low", ViewName("views", "between"))
    create("SELECT * FROM views.between")
    wanted = r"views\.v cannot be read yet: views\.low has no rows\. Refresh that first\."
    for read in (count_rows, lambda *view: read_rows(*view, limit=1)):
        with pytest.raises(RowsUnavailableError, match=wanted):
            read("default", V)


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


def test_estimates_of_many_views_take_as_many_queries_as_of_one(create):
    names = [
        create(f"SELECT * FROM generate_series(1, {n})", ViewName("views", f'Odd "{n}" %s')) for n in (3, 70)
    ]
    counts = []
    for asked in (names[:1], names):
        with CaptureQueriesContext(connections["default"]) as queries:
            estimates = estimate_rows("default", asked)
        counts.append(len(queries))
        assert estimates == {name: n for name, n in zip(names, (3, 70), strict=True) if name in asked}
    assert counts[0] == counts[1]


def test_what_cannot_be_planned_is_left_out_of_the_estimates(create, execute):
    create("SELECT 1 AS id", kind="MATERIALIZED VIEW")
    execute(f"REFRESH MATERIALIZED VIEW {V.quoted} WITH NO DATA")
    other = create("SELECT 1 AS id", ViewName("views", "other"))
    assert other in estimate_rows("default", [NOWHERE, other])
    assert NOWHERE not in estimate_rows("default", [NOWHERE, other])
    assert estimate_rows("default", []) == {}


def test_estimates_that_take_too_long_are_left_out(execute, create):
    execute(
        "CREATE FUNCTION views.slow_to_plan() RETURNS int LANGUAGE plpgsql IMMUTABLE AS"
        " $$ BEGIN PERFORM pg_sleep(30); RETURN 1; END $$"
    )
    create("SELECT g FROM generate_series(1, 5) AS g WHERE g = views.slow_to_plan()")
    with override_settings(ORM_VIEWS={"PREVIEW_TIMEOUT": 0.05, "COUNT_TIMEOUT": 0.05}):
        assert estimate_rows("default", [V]) == {}
        assert count_rows("default", V) == RowCount(None, exact=False)


def test_rows_come_in_the_order_of_the_columns_with_their_values(create):
    create(
        "SELECT 1 AS b, NULL AS a, 'é' AS \"C d\", 1.50::numeric(5, 2) AS e, date '2026-06-30' AS f,"
        " ARRAY[1, NULL] AS g, true AS h"
    )
    page = read_rows("default", V, limit=5)
    assert [column.name for column in page.columns] == ["b", "a", "C d", "e", "f", "g", "h"]
    assert page.rows == ((1, None, "é", Decimal("1.50"), dt.date(2026, 6, 30), [1, None], True),)
    assert page.has_more is False


def test_a_page_knows_whether_further_rows_follow_without_counting(create):
    create("SELECT * FROM generate_series(1, 5) AS n")
    with CaptureQueriesContext(connections["default"]) as queries:
        first = read_rows("default", V, limit=2, order_by=["n"])
    assert not any("count(" in query["sql"].lower() for query in queries)
    assert (first.rows, first.has_more) == (((1,), (2,)), True)
    last = read_rows("default", V, limit=2, offset=4, order_by=["n"])
    assert (last.rows, last.has_more) == (((5,),), False)
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
]


@pytest.mark.parametrize("column", ODD_COLUMNS)
def test_a_column_of_any_name_is_read_ordered_and_filtered(column, create):
    quoted = '"' + column.replace('"', '""') + '"'
    create(f"SELECT * FROM (VALUES ('one', 1), ('two', 2), (NULL, 3)) AS t ({quoted}, n)")
    assert rows(order_by=["n"]) == [["one", 1], ["two", 2], [None, 3]]
    assert rows(order_by=[f"-{column}", "n"]) == [[None, 3], ["two", 2], ["one", 1]]
    assert rows(contains={column: "TW"}) == [["two", 2]]
    assert rows(contains={column: "o", "n": "1"}, order_by=[column]) == [["one", 1]]


@pytest.mark.parametrize("name", ['Odd "name"', "a%b", "%s", "two words", "$orm_views$", "größe"])
def test_a_view_of_any_name_is_read_counted_and_estimated(name, create):
    odd = create("SELECT 'x' AS text", ViewName("views", name))
    assert rows(odd) == rows(odd, contains={"text": "x"}) == [["x"]]
    assert count_rows("default", odd) == RowCount(1, exact=True)
    assert estimate_rows("default", [odd]) == {odd: 1}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("100%", ["100%"]),
        ("_", ["a_b"]),
        ("%", ["100%"]),
        ("'", ["it's"]),
        ("\\", ["back\\slash"]),
        ("ST", ["straße"]),
        ("é", ["é"]),
        ("", ["100%", "a_b", "back\\slash", "it's", "straße", "é"]),
        ("nothing", []),
    ],
)
def test_a_filter_is_plain_text_in_any_case(text, found, create):
    create(
        r"SELECT * FROM (VALUES ('100%'), ('a_b'), ('it''s'), ('back\slash'), ('straße'), ('é'), (NULL)) t(v)"
    )
    assert sorted(row[0] for row in rows(contains={"v": text})) == found


def test_any_type_can_be_filtered_by_its_text(create):
    create(
        "SELECT 42 AS number, date '2026-06-30' AS day, '{\"a\": [1]}'::jsonb AS json,"
        " ARRAY['x', 'y'] AS list, true AS yes, interval '1 day' AS span"
    )
    for column, text in {
        "number": "4",
        "day": "2026-06",
        "json": '"A"',
        "list": "{x",
        "yes": "TRUE",
        "span": "day",
    }.items():
        assert len(rows(contains={column: text})) == 1, column
        assert rows(contains={column: "no such"}) == [], column


@pytest.mark.parametrize(
    "asked",
    [
        {"order_by": ["nothing"]},
        {"order_by": ["-nothing"]},
        {"order_by": ["--a"]},
        {"contains": {"nothing": ""}},
    ],
)
def test_an_unknown_column_is_an_error_that_names_those_there_are(asked, create):
    create("SELECT 1 AS b, 2 AS a")
    with pytest.raises(
        RowsUnavailableError, match=r"views\.v has no column '-?nothing'|no column '-a'"
    ) as caught:
        rows(**asked)
    assert str(caught.value).endswith("it has a, b.")


def test_sql_in_a_column_name_is_no_sql(create, execute):
    create("SELECT 1 AS a")
    for asked in ({"order_by": ['a"; DROP VIEW views.v; --']}, {"contains": {"a') OR ('1": "x"}}):
        with pytest.raises(RowsUnavailableError):
            rows(**asked)
    assert rows(contains={"a": "') OR ('1' = '1"}) == []
    assert rows() == [[1]]


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
    for read in (lambda: rows(), lambda: rows(contains={"a": "1"}), lambda: rows(order_by=["a"])):
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
        rows()


@pytest.mark.parametrize("seconds", [0.001, 0.0014, 0.05])
def test_the_shortest_time_out_is_a_time_out(seconds, create):
    create(SLOW)
    with override_settings(ORM_VIEWS={"PREVIEW_TIMEOUT": seconds}), pytest.raises(RowsUnavailableError):
        rows()


def test_a_view_that_is_not_there_or_not_populated_says_what_to_do(create, execute):
    with pytest.raises(RowsUnavailableError, match=r"views\.nowhere is not in the database\. Sync it first"):
        rows(NOWHERE)
    create("SELECT 1 AS id", kind="MATERIALIZED VIEW")
    execute(f"REFRESH MATERIALIZED VIEW {V.quoted} WITH NO DATA")
    with pytest.raises(RowsUnavailableError, match=r"views\.v has no rows yet"):
        rows()


def test_an_error_in_the_data_is_said(create):
    create("SELECT 1 / (g - 2) AS a FROM generate_series(1, 3) AS g")
    with pytest.raises(RowsUnavailableError, match="cannot be read: division by zero"):
        rows()


def test_a_value_that_python_cannot_hold_is_said(create):
    create("SELECT '0044-03-15 BC'::date AS day")
    with pytest.raises(RowsUnavailableError, match=r"views\.v"):
        rows()


def test_nothing_of_a_reading_stays_behind(create, execute):
    create("SELECT 1 AS a")
    rows()
    count_rows("default", V)
    estimate_rows("default", [V])
    settings = "SELECT current_setting('transaction_read_only'), current_setting('statement_timeout')"
    assert execute(settings) == [("off", "0")]
    execute("CREATE TABLE views.can_still_write ()")


def test_nothing_of_a_reading_that_failed_stays_behind(create, execute):
    create(SLOW)
    with override_settings(ORM_VIEWS={"PREVIEW_TIMEOUT": 0.05}), pytest.raises(RowsUnavailableError):
        rows()
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
    assert read_rows("default", V, limit=2).has_more
    assert count_rows("default", V).rows == 3
