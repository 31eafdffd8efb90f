"""What a view is made of, and what hangs on a table, a view, a column: directly and through other views."""

from __future__ import annotations

import pytest
from django.db import connection

from orm_views_core.database.lineage import ColumnLineage, Lineage, RelationColumn, ViewLineage
from orm_views_core.lineage import Way, downstream, read_lineage, upstream, ways
from orm_views_core.lineage.questions import in_order
from orm_views_core.names import ViewName

pytestmark = pytest.mark.django_db

CUSTOMER = ViewName("public", "lending_customer")


@pytest.fixture
def make(execute):
    """A function that creates views in the schema `q`, and returns the lineage of the database."""

    def make(**views):
        execute("CREATE SCHEMA q")
        for name, sql in views.items():
            execute(f"CREATE VIEW q.{name} AS {sql}")
        return read_lineage(connection)

    return make


def said(views):
    """What hangs, as “view.column way source” and “view uses source”; a view without any is its name."""
    found = set()
    for view in views:
        name = view.view.name
        of_view = {
            f"{name}.{column.column} {way.value} {source.relation.name}.{source.column}"
            for column in view.columns
            for way, sources in ways(column)
            for source in sources
        }
        of_view |= {f"{name} uses {source.relation.name}.{source.column}" for source in view.uses}
        of_view |= {f"{name}.{column.column} may show anything" for column in view.columns if column.through}
        found |= of_view or {name}
    return found


def q(name):
    return ViewName("q", name)


CHAIN = {
    "a": "SELECT id, email, city, lower(last_name) AS last FROM lending_customer WHERE city <> 'x'",
    "b": "SELECT id, email AS mail, city || '!' AS loud, last FROM q.a",
    "c": "SELECT mail, upper(loud) AS louder, (SELECT count(*) FROM q.a) AS n FROM q.b WHERE last > 'm'",
    "d": "SELECT 1 AS one FROM q.c",
}


def test_what_hangs_on_a_column_of_a_table(make):
    lineage = make(**CHAIN)
    assert said(downstream(lineage, CUSTOMER, "email")) == {
        "a.email shows lending_customer.email",
        "b.mail shows lending_customer.email",
        "c.mail shows lending_customer.email",
    }
    assert said(downstream(lineage, CUSTOMER, "last_name")) == {
        "a.last computed from lending_customer.last_name",
        "b.last computed from lending_customer.last_name",
        "c uses lending_customer.last_name",
        "d uses lending_customer.last_name",
    }


def test_what_hangs_on_a_column_of_a_view(make):
    lineage = make(**CHAIN)
    assert said(downstream(lineage, q("a"), "city")) == {
        "b.loud computed from a.city",
        "c.louder computed from a.city",
    }
    assert said(downstream(lineage, q("a"), "last")) == {
        "b.last shows a.last",
        "c uses a.last",
        "d uses a.last",
    }
    assert said(downstream(lineage, q("b"), "mail")) == {"c.mail shows b.mail"}
    assert said(downstream(lineage, q("d"))) == set()


def test_what_hangs_on_a_whole_view(make):
    lineage = make(**CHAIN)
    assert said(downstream(lineage, q("b"))) == {
        "c.mail shows b.mail",
        "c.louder computed from b.loud",
        "c uses b.last",
        "d uses b.last",
    }
    assert said(downstream(lineage, q("c"))) == {"d"}  # it reads how many rows there are


def test_what_hangs_on_a_whole_table_also_reads_only_its_rows(make):
    lineage = make(a="SELECT count(*) AS n FROM lending_product", b="SELECT n FROM q.a")
    assert said(downstream(lineage, ViewName("public", "lending_product"))) == {"a", "b"}
    assert downstream(lineage, ViewName("public", "lending_product"), "id") == ()


def test_a_partition_counts_as_its_table(make, execute):
    execute("CREATE TABLE public.parts (id int, at date) PARTITION BY RANGE (at)")
    execute("CREATE TABLE public.parts_1 PARTITION OF public.parts DEFAULT")
    lineage = make(a="SELECT id FROM parts_1", n="SELECT count(*) AS n FROM parts_1")
    assert said(downstream(lineage, ViewName("public", "parts"))) == {"a.id shows parts.id", "n"}
    assert lineage.reads[q("n")] == {ViewName("public", "parts")}


def test_each_source_is_named_in_the_strongest_way_only(make):
    lineage = make(
        a="SELECT id, city FROM lending_customer",
        b="SELECT CASE WHEN city = 'x' THEN city END AS city, city || id AS pair FROM q.a",
        c="SELECT coalesce(city, pair) AS city FROM q.b",
    )
    assert said(downstream(lineage, q("a"))) == {
        "b.city shows a.city",
        "b.pair computed from a.city",
        "b.pair computed from a.id",
        "c.city shows a.city",
        "c.city computed from a.id",
    }


def test_both_ways_to_follow_find_the_same(make):
    """From the readers of a view of all rows of a table, and from the lineage that names the table."""
    lineage = make(
        base="TABLE lending_customer",
        a="SELECT email, lower(city) AS city FROM q.base",
        b="SELECT string_agg(email, city) AS s, rank() OVER (ORDER BY city) AS n FROM q.a GROUP BY city",
        c="SELECT to_jsonb(b) AS j FROM q.b AS b UNION SELECT to_jsonb(a) FROM q.a AS a",
        d="SELECT (SELECT email FROM q.base WHERE id = 1) AS one, x.* FROM q.b AS x ORDER BY s LIMIT 3",
    )
    for column in ("email", "city", "id", "last_name"):
        of_table = {
            each.replace("lending_customer", "base") for each in said(downstream(lineage, CUSTOMER, column))
        }
        of_table -= {f"base.{column} shows base.{column}"}
        assert said(downstream(lineage, q("base"), column)) == of_table, column


def test_a_column_that_reads_through_a_function_may_show_anything(make, execute):
    execute("CREATE FUNCTION public.fmt(text) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1'")
    lineage = make(
        a="SELECT fmt(city) AS city, email FROM lending_customer",
        b="SELECT city, email FROM q.a",
        c="SELECT email FROM q.b",
    )
    assert said(downstream(lineage, ViewName("public", "lending_loan"), "status")) == {
        "a.city may show anything",
        "b.city may show anything",
    }
    assert said(downstream(lineage, q("a"), "email")) == {
        "b.email shows a.email",
        "c.email shows a.email",
        "b.city may show anything",
    }


def test_what_a_view_is_made_of(make):
    lineage = make(**CHAIN)
    assert upstream(lineage, q("c")) == lineage.views[q("c")]
    found = upstream(lineage, q("c"), "louder")
    assert found is not None
    assert [column.column for column in found.columns] == ["louder"]
    assert found.columns[0].computed_from == {RelationColumn(CUSTOMER, "city")}
    assert found.uses == lineage.views[q("c")].uses
    assert upstream(lineage, CUSTOMER) is None


def test_views_that_read_one_another_end(make, execute):
    execute("CREATE SCHEMA r; CREATE VIEW r.a AS SELECT 1 AS id; CREATE VIEW r.b AS SELECT id FROM r.a")
    execute("CREATE OR REPLACE VIEW r.a AS SELECT id FROM r.b")
    lineage = make(c="SELECT id FROM r.a")
    assert set(in_order(lineage)) == {q("c"), ViewName("r", "a"), ViewName("r", "b")}
    assert "c.id shows a.id" in said(downstream(lineage, ViewName("r", "a")))


def test_what_may_show_stays_so_on_the_way():
    """A SELECT that could not be read to the end: nothing that PostgreSQL has today makes one."""
    t, a, b = ViewName("s", "t"), ViewName("s", "a"), ViewName("s", "b")
    source, between = RelationColumn(t, "x"), RelationColumn(a, "y")
    why = "its SELECT could not be read to the end: it has a FUTURE node"
    unread = ColumnLineage("y", may_show=frozenset([source]), because=why)
    reader = ColumnLineage("z", may_show=frozenset([source]), because=why)
    lineage = Lineage(
        {a: ViewLineage(a, (unread,), is_exact=False), b: ViewLineage(b, (reader,))},
        {
            a: ViewLineage(a, (unread,), is_exact=False),
            b: ViewLineage(b, (ColumnLineage("z", shows=frozenset([between])),)),
        },
        {a: [t], b: [a]},
    )
    assert said(downstream(lineage, t, "x")) == {"a.y may show t.x", "b.z may show t.x"}
    assert {column.because for view in downstream(lineage, t) for column in view.columns} == {why}
    assert said(downstream(lineage, a, "y")) == {"b.z shows a.y"}
    assert [way for way, _ in ways(unread)] == [Way.MAY_SHOW]
