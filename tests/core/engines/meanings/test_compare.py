"""Two versions of a view are compared column by column: what means the same, and what does not."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, transaction

from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.engines.postgresql.meanings.compare import Difference, compare
from orm_views_core.engines.postgresql.rules.catalog import read_stored
from orm_views_core.names import ViewName
from tests.lineage.corpus import create, subjects

pytestmark = pytest.mark.django_db

SCHEMAS = {"stage": "real"}


def compared():
    with catalog_cursor(connection) as cursor:
        return compare(read_stored(cursor, None), SCHEMAS)


@pytest.fixture
def difference(execute):
    """A function that returns how the second version of a view differs from the first."""
    execute("CREATE SCHEMA real; CREATE SCHEMA stage")
    execute("CREATE VIEW real.base AS SELECT id, city, email FROM lending_customer")

    def difference(before, after):
        execute(f"CREATE VIEW real.v AS {before}")
        execute(f"CREATE VIEW stage.v AS {after}")
        return compared()[ViewName("real", "v")]

    return difference


LOANS = "SELECT id, status, principal FROM lending_loan"
BANDS = "SELECT id, CASE WHEN principal < 10 THEN 'low' ELSE 'high' END AS band FROM lending_loan"
JOINED = "SELECT a.id, b.city FROM lending_customer a JOIN lending_customer b ON b.id = a.id + 1"
COUNTED = "SELECT status, count(*) AS n, max(opened_on) AS last FROM lending_loan GROUP BY status"
RANKED = "SELECT id, rank() OVER (PARTITION BY status ORDER BY principal) AS r FROM lending_loan"
NAMED = "WITH x AS (SELECT id, city FROM lending_customer) SELECT id, upper(city) AS city FROM x"
TREE = """
WITH RECURSIVE tree (id, path) AS (
    SELECT id, 'a' FROM lending_product UNION ALL SELECT id + 1, path || 'b' FROM tree WHERE id < 3
) SELECT id, path FROM tree
"""
UNITED = "SELECT id, city FROM lending_customer UNION ALL SELECT id, code FROM lending_product"
SOUGHT = """
SELECT id, EXISTS (SELECT FROM lending_loan l WHERE l.customer_id = c.id) AS lent FROM lending_customer c
"""
SIDEWAYS = """
SELECT c.id, l.n
FROM lending_customer c, LATERAL (SELECT count(*) AS n FROM lending_loan WHERE customer_id = c.id) l
"""
ROLLED = "SELECT status, channel, grouping(status) AS g FROM lending_loan GROUP BY ROLLUP (status, channel)"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (LOANS, "SELECT l.id,\n  l.status, (l.principal) FROM public.lending_loan AS l -- said"),
        (LOANS, LOANS.replace("SELECT id, status", "SELECT status, id")),
        (JOINED, JOINED.replace("a.", "x.").replace(" a ", " x ").replace("b.", "y.").replace(" b ", " y ")),
        (NAMED, NAMED.replace("WITH x", "WITH other").replace("FROM x", "FROM other")),
        (
            NAMED,
            NAMED.replace("x AS (SELECT id, city", "x (id, town) AS (SELECT id, city").replace(
                "upper(city)", "upper(town)"
            ),
        ),
        (COUNTED, COUNTED.replace("GROUP BY status", "GROUP BY 1")),
        (
            RANKED,
            RANKED.replace("OVER (PARTITION BY status ORDER BY principal)", "OVER w")
            + " WINDOW w AS (PARTITION BY status ORDER BY principal)",
        ),
        (
            TREE,
            TREE.replace("tree", "wood")
            .replace("path", "road")
            .replace("SELECT id, road FROM wood\n", "SELECT id, road AS path FROM wood\n"),
        ),
        (
            "SELECT city::text AS city FROM lending_customer",
            "SELECT CAST(city AS text) AS city FROM lending_customer",
        ),
        (
            "SELECT a.id, b.code FROM lending_customer a, lending_product b",
            "SELECT a.id, b.code FROM lending_product b, lending_customer a",
        ),
        ("SELECT email FROM real.base", "SELECT b.email FROM real.base AS b"),
    ],
)
def test_what_means_the_same(before, after, difference):
    assert difference(before, after) == Difference()


@pytest.mark.parametrize(
    ("before", "after", "columns", "rows"),
    [
        (LOANS, LOANS.replace("status,", "channel AS status,"), "status", False),
        (LOANS, LOANS.replace("principal", "principal / 2 AS principal"), "principal", False),
        (LOANS, LOANS + " WHERE principal > 5", "", True),
        # Nobody says that a subquery has all rows.
        (LOANS, "SELECT id, status, principal FROM (SELECT * FROM lending_loan) AS s", "", True),
        (LOANS, LOANS + " ORDER BY id", "", True),
        (LOANS + " ORDER BY id", LOANS + " ORDER BY id DESC", "", True),
        (LOANS + " LIMIT 5", LOANS + " LIMIT 6", "", True),
        (LOANS, LOANS.replace("SELECT", "SELECT DISTINCT"), "", True),
        (LOANS, LOANS.replace("status", "upper(status) AS status") + " WHERE id > 1", "status", True),
        (LOANS, LOANS + " TABLESAMPLE system (5)", "", True),
        (BANDS, BANDS.replace("10", "20"), "band", False),
        (BANDS, BANDS.replace("'low'", "'lower'"), "band", False),
        (BANDS, BANDS.replace("<", "<="), "band", False),
        (JOINED, JOINED.replace("b.city", "a.city"), "city", False),
        (JOINED, JOINED.replace("JOIN", "LEFT JOIN"), "", True),
        (JOINED, JOINED.replace("+ 1", "+ 2"), "", True),
        (COUNTED, COUNTED.replace("count(*)", "count(DISTINCT customer_id)"), "n", False),
        (COUNTED, COUNTED.replace("max", "min"), "last", False),
        (COUNTED, COUNTED.replace(" GROUP", " WHERE id > 5 GROUP"), "n last", True),
        (COUNTED, COUNTED + " HAVING count(*) > 1", "", True),
        (COUNTED, COUNTED + ", channel", "n last", True),
        (COUNTED, COUNTED.replace("count(*)", "count(*) FILTER (WHERE id > 1)"), "n", False),
        (RANKED, RANKED.replace("ORDER BY principal", "ORDER BY principal DESC"), "r", False),
        (RANKED, RANKED.replace("PARTITION BY status", "PARTITION BY channel"), "r", False),
        (RANKED, RANKED + " WHERE id > 5", "r", True),
        (NAMED, NAMED.replace("city FROM lending", "email AS city FROM lending"), "city", False),
        (NAMED, NAMED.replace("customer)", "customer WHERE id > 1)"), "", True),
        (TREE, TREE.replace("path ||", "path || 'x' ||"), "id path", True),
        (TREE, TREE.replace("id < 3", "id < 4"), "id path", True),
        (UNITED, UNITED.replace("code", "name"), "city", False),
        (UNITED, UNITED.replace("UNION ALL", "UNION"), "id city", True),
        (UNITED, UNITED.replace("UNION ALL", "EXCEPT ALL"), "id city", True),
        (UNITED, UNITED + " WHERE on_sale", "", True),
        (
            UNITED.replace("UNION ALL", "UNION"),
            UNITED.replace("UNION ALL", "UNION").replace("code", "name"),
            "city",
            True,
        ),
        (
            SOUGHT,
            SOUGHT.replace("l.customer_id = c.id", "l.customer_id = c.id AND l.status = 'late'"),
            "lent",
            False,
        ),
        (SIDEWAYS, SIDEWAYS.replace("customer_id = c.id", "customer_id < c.id"), "n", True),
        (ROLLED, ROLLED.replace("ROLLUP", "CUBE"), "g", True),
        (ROLLED, ROLLED.replace("(status, channel)", "(channel, status)"), "g", True),
        ("SELECT * FROM (VALUES (1, 2)) AS v (a, b)", "SELECT * FROM (VALUES (1, 3)) AS v (a, b)", "b", True),
        ("SELECT n FROM generate_series(1, 5) n", "SELECT n FROM generate_series(1, 6) n", "n", True),
        (
            "SELECT to_json(c) AS j FROM lending_customer c",
            "SELECT to_json(c) AS j FROM real.base c",
            "j",
            True,
        ),
        ("SELECT city FROM lending_customer", "SELECT city::text FROM lending_customer", "city", False),
        (
            "SELECT city FROM lending_customer",
            'SELECT city COLLATE "C" AS city FROM lending_customer',
            "city",
            False,
        ),
        ("SELECT city FROM real.base", "SELECT city FROM lending_customer", "city", True),
    ],
)
def test_what_means_something_else(before, after, columns, rows, difference):
    assert difference(before, after) == Difference(tuple(columns.split()), rows)


def test_only_columns_of_both_versions_are_compared(difference):
    before = "SELECT id, city AS gone FROM lending_customer"
    assert difference(before, "SELECT id, city AS fresh FROM lending_customer") == Difference()


def test_what_reads_another_staged_view_means_the_same(execute):
    execute("CREATE SCHEMA real; CREATE SCHEMA stage")
    execute("CREATE VIEW real.a AS SELECT id, city FROM lending_customer")
    execute("CREATE VIEW real.b AS SELECT id, upper(city) AS city, a AS whole FROM real.a")
    execute("CREATE VIEW stage.a AS SELECT id, email AS city FROM lending_customer")
    execute("CREATE VIEW stage.b AS SELECT id, upper(city) AS city, a AS whole FROM stage.a")
    execute("CREATE VIEW stage.fresh AS SELECT 1 AS one")
    assert compared() == {ViewName("real", "a"): Difference(("city",)), ViewName("real", "b"): Difference()}


def test_a_whole_row_of_a_view_with_another_column_means_something_else(execute):
    execute("CREATE SCHEMA real; CREATE SCHEMA stage")
    execute("CREATE VIEW real.a AS SELECT id, city FROM lending_customer")
    execute("CREATE VIEW real.b AS SELECT to_json(a) AS j, a.id FROM real.a")
    execute("CREATE VIEW stage.a AS SELECT id, city, email FROM lending_customer")
    execute("CREATE VIEW stage.b AS SELECT to_json(a) AS j, a.id FROM stage.a")
    assert compared() == {ViewName("real", "a"): Difference(), ViewName("real", "b"): Difference(("j",))}


def test_a_select_that_cannot_be_read_may_mean_anything(difference):
    deep = "SELECT id, city FROM lending_customer"
    for n in range(250):
        deep = f"SELECT id, city FROM ({deep}) AS s{n}"
    assert difference(
        deep, deep.replace("SELECT id, city FROM lending", "SELECT 1 + id AS id, city FROM lending")
    ) == Difference(("id", "city"), rows=True, is_exact=False)


def test_what_postgresql_writes_of_a_view_means_the_same_as_the_view():
    """The views that are tried for lineage, created anew from PostgreSQL's own text of them."""
    with transaction.atomic(), connection.cursor() as cursor:
        corpus = subjects(connection.pg_version // 10_000, libxml=False)
        create(connection, corpus)
        cursor.execute("CREATE SCHEMA stage")
        names = [view.name for subject in corpus for view in subject.views if view.name.schema == "truth"]
        tried = 0
        for name in names:
            cursor.execute("SELECT pg_get_viewdef(%s::regclass)", [name.quoted])
            (text,) = cursor.fetchone()
            try:
                with transaction.atomic():
                    cursor.execute(f"CREATE VIEW stage.{name.quoted.partition('.')[2]} AS {text}")
                tried += 1
            except ProgrammingError:  # what PostgreSQL writes of some it does not read itself
                continue
        with catalog_cursor(connection) as catalog:
            found = compare(read_stored(catalog, None), {"stage": "truth"})
        transaction.set_rollback(True)
    assert len(found) == tried > 100
    # PostgreSQL writes some conversions elsewhere than they were, and some defaults that were not written.
    differing = {name.name: each for name, each in found.items() if each}
    assert len(differing) <= len(found) // 50, differing
