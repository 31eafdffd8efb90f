"""Rows for files: the same ones as on pages, of one snapshot, and with no memory of what was read before."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_core.database.rows import Condition, Operator
from orm_views_core.engines.postgresql.rows import (
    TimeLimit,
    cancel_export,
    exporting,
    find_exports,
    read_columns,
    read_rows,
)
from orm_views_core.exceptions import BadConditionError, MaskedColumnError, RowsUnavailableError

from .test_encodings import database_in
from .views import NOWHERE, SLOW, V

pytestmark = pytest.mark.django_db
LIMIT = TimeLimit(20, "a setting")


def opened(name=V, most=1000, number=5, limit=LIMIT, **asked):
    return exporting("default", name, most=most, number=number, limit=limit, **asked)


def csv(**asked):
    """The lines of CSV."""
    lines = []
    with opened(**asked) as export:
        export.write_csv(lines.append)
    return lines


def read(**asked):
    """The texts of all rows."""
    with opened(**asked) as export:
        return [row for batch in export.read() for row in batch]


def test_the_rows_are_those_of_the_pages_in_their_order(create):
    create("SELECT n % 3 AS a, n AS b, 'x' || n AS c FROM generate_series(1, 200) AS n")
    asked = {"order_by": ["-a"], "conditions": [Condition("b", Operator.AT_LEAST, ("50",))]}
    page = read_rows("default", V, limit=1000, **asked)
    shown = [tuple(cell.text for cell in row) for row in page.rows]
    assert len(shown) == 151
    assert read(**asked) == shown
    assert csv(**asked) == [",".join(row).encode() + b"\n" for row in shown]


def test_it_is_known_whether_there_are_more(create):
    create("SELECT n FROM generate_series(1, 500) AS n")
    for most, has_more in ((499, True), (500, False), (501, False)):
        with opened(most=most) as export:
            lines = []
            export.write_csv(lines.append)
            assert (export.rows, len(lines), export.has_more) == (min(most, 500), min(most, 500), has_more)
        with opened(most=most) as export:
            rows = sum(map(len, export.read()))
            assert (export.rows, rows, export.has_more) == (min(most, 500), min(most, 500), has_more)


def test_masked_values_stay_in_the_database(create):
    create("SELECT n AS id, 'secret ' || n AS \"a % b\" FROM generate_series(1, 3) AS n")
    with CaptureQueriesContext(connections["default"]) as queries:
        assert read(mask=lambda: {"a % b"}, order_by=["id"]) == [("1",), ("2",), ("3",)]
        assert csv(mask=lambda: {"a % b"}, order_by=["id"]) == [b"1\n", b"2\n", b"3\n"]
    sent = [
        query["sql"] for query in queries if '"views"."v"' in query["sql"] and "PREPARE" not in query["sql"]
    ]
    assert sent
    assert not any("a % b" in sql for sql in sent)
    with opened(mask=lambda: {"a % b"}) as export:
        assert export.masked == ("a % b",)
        assert [column.name for column in export.columns] == ["id"]


@pytest.mark.parametrize(
    "asked",
    [{"order_by": ["id"]}, {"conditions": [Condition("id", Operator.EQUALS, ("1",))]}],
)
def test_rows_are_neither_sorted_nor_filtered_by_masked_values(create, asked):
    create("SELECT 1 AS id, 2 AS other")
    with pytest.raises(MaskedColumnError):
        csv(mask=lambda: ["id"], **asked)
    with pytest.raises(MaskedColumnError):
        read_columns("default", V, mask=lambda: ["id"], **asked)


def test_what_cannot_be_read_says_why(create):
    create("SELECT 1 AS id, 2 AS other")
    with pytest.raises(RowsUnavailableError, match="is not in the database"):
        csv(name=NOWHERE)
    with pytest.raises(RowsUnavailableError, match="all of its columns are masked"):
        csv(mask=lambda: ["id", "other"])
    with pytest.raises(BadConditionError, match="'x' is not a value of the type integer"):
        csv(conditions=[Condition("id", Operator.EQUALS, ("x",))])
    with pytest.raises(RowsUnavailableError, match="has no column 'no'"):
        csv(order_by=["no"])


@pytest.mark.parametrize("way", [csv, read])
def test_a_limit_of_time_is_named(create, way):
    create(SLOW)
    with pytest.raises(RowsUnavailableError, match=r"did not come within 0\.2 s \(a setting\)"):
        way(limit=TimeLimit(0.2, "a setting"))


@pytest.mark.parametrize("way", [csv, read])
def test_the_whole_limit_is_named_when_most_of_it_is_spent(create, way):
    create(SLOW)
    with pytest.raises(RowsUnavailableError, match=r"did not come within 20 s \(a setting\)"):
        way(spent=19.8)


@pytest.mark.parametrize("way", [csv, read])
def test_an_error_half_way_is_that_of_the_rows(create, way):
    create("SELECT 1 / (5000 - n) AS x FROM generate_series(1, 9000) AS n")
    with pytest.raises(RowsUnavailableError, match="division by zero"):
        way(most=100_000)


@pytest.mark.parametrize("way", [csv, read])
def test_a_writer_that_fails_leaves_the_connection_usable(create, execute, way):
    create("SELECT n FROM generate_series(1, 100000) AS n")

    def told(rows):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        way(told=told, most=100_000)
    assert execute("SELECT 1") == [(1,)]
    assert execute("SHOW transaction_read_only") == [("off",)]


def test_nothing_can_be_written_by_a_view(create, execute):
    execute("CREATE TABLE written (n integer)")
    execute(
        "CREATE FUNCTION write() RETURNS integer LANGUAGE sql VOLATILE AS "
        "'INSERT INTO written VALUES (1) RETURNING n'"
    )
    create("SELECT write() AS n")
    with pytest.raises(RowsUnavailableError, match="read-only"):
        csv()


def test_batches_are_small_however_long_the_rows_are(create):
    create("SELECT n, repeat('x', 300000) AS long FROM generate_series(1, 60) AS n")
    with opened() as export:
        sizes = [len(batch) for batch in export.read()]
    assert sum(sizes) == 60
    assert sizes[0] == 1
    assert max(sizes) <= 8
    create("SELECT n FROM generate_series(1, 20000) AS n", name=type(V)("views", "short"))
    with opened(name=type(V)("views", "short"), most=100_000) as export:
        assert max(len(batch) for batch in export.read()) == 500


def test_another_session_finds_an_export_and_cancels_it(create):
    create("SELECT 1 AS n")
    assert find_exports("default") == set()
    with opened(number=77) as export, connections["default"].cursor() as cursor:
        assert find_exports("default") == {77}
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() == (export.pid,)
        assert not cancel_export("default", 78)
        with pytest.raises(RowsUnavailableError):
            _cancel_itself()
    assert find_exports("default") == set()


@pytest.fixture
def without_copy():
    """As with gevent, where psycopg2 has no COPY. psycopg 3 has it always."""
    extensions = pytest.importorskip("psycopg2.extensions")
    extras = pytest.importorskip("psycopg2.extras")
    extensions.set_wait_callback(extras.wait_select)
    yield
    extensions.set_wait_callback(None)


def test_csv_is_the_same_without_copy(create, request):
    create(
        """
        SELECT n, NULLIF(n % 3, 0) AS a, '=' || n AS b,
               CASE n WHEN 5 THEN '' WHEN 6 THEN NULL ELSE 'x,"y' END AS c,
               n % 2 = 0 AS d, E'a\nb' AS e, ARRAY[n, NULL] AS f, -n * 1.50 AS g, '\xff00'::bytea AS h
        FROM generate_series(1, 2000) AS n
        """
    )
    create("SELECT '\\.'::text AS dot", name=type(V)("views", "dots"))
    wanted, dots = b"".join(csv(order_by=["n"], most=1500)), csv(name=type(V)("views", "dots"))
    request.getfixturevalue("without_copy")
    assert b"".join(csv(order_by=["n"], most=1500)) == wanted
    assert csv(name=type(V)("views", "dots")) == dots
    with opened(most=1500) as export:
        export.write_csv(lambda data: None)
        assert (export.rows, export.has_more) == (1500, True)


def _cancel_itself():
    with opened(number=78), connections["default"].cursor() as cursor:
        cancel_export("default", 78)
        cursor.execute("SELECT pg_sleep(10)")


@pytest.mark.django_db(transaction=True)
class TestEncodings:
    """Databases of their own, with another encoding than Unicode, or none."""

    @pytest.fixture(autouse=True)
    def schema(self):
        pass

    def test_a_database_in_latin_1(self):
        with database_in("LATIN1", "SELECT 'é'::text AS a, '=é'::text AS b"):
            assert csv() == ["é,'=é\n".encode()]
            assert read() == [("é", "=é")]

    def test_a_database_in_another_encoding_that_has_full_width_characters(self):
        with database_in("EUC_JP", "SELECT '\uff1d1'::text AS a, '=1'::text AS b, '\u65e5'::text AS c"):
            assert csv() == ["'\uff1d1,'=1,\u65e5\n".encode()]

    def test_a_database_without_an_encoding(self):
        with database_in("SQL_ASCII", "SELECT '\uff1d1'::text AS a, '=1'::text AS b, '\u65e5'::text AS c"):
            assert csv() == ["'\uff1d1,'=1,\u65e5\n".encode()]
        with database_in("SQL_ASCII", r"SELECT E'\xff'::text AS broken"):
            for way in (csv, read):
                with pytest.raises(RowsUnavailableError, match="encoding SQL_ASCII"):
                    way()
