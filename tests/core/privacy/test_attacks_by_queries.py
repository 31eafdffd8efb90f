"""Ways past the guard that were tried: queries of odd forms, and odd names."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, models, transaction

from orm_views_core.privacy import personal
from orm_views_core.views import PostgresViewFromQueryset
from tests.core.keeping import declare, run
from tests.demo.lending.models import Customer, Loan

from .saying import columns, problem, problems

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("email_is_personal", "all_is_granted")]


C = "lending_customer c"
QUERIES = {
    "column aliases": f"SELECT b AS x FROM {C} (a, b, d)",
    "table command": "SELECT t.email AS x FROM (TABLE lending_customer) t",
    "only": "SELECT email AS x FROM ONLY lending_customer",
    "lateral": f"SELECT l.v AS x FROM {C}, LATERAL (VALUES (c.email)) AS l (v)",
    "values with a subquery": "SELECT v AS x FROM (VALUES ((SELECT min(email) FROM lending_customer))) t (v)",
    "with": "WITH w AS MATERIALIZED (SELECT email FROM lending_customer) SELECT email AS x FROM w",
    "recursive": (
        "WITH RECURSIVE w (a, b) AS (SELECT 1, ''::text UNION ALL SELECT a + 1, (SELECT min(email) FROM "
        "lending_customer) FROM w WHERE a < 3) SELECT b AS x FROM w"
    ),
    "recursive, one column to the next": (
        "WITH RECURSIVE w (a, b, d) AS (SELECT ''::text, ''::text, min(email) FROM lending_customer "
        "UNION ALL SELECT b, d, '' FROM w WHERE d <> '') SELECT a AS x FROM w"
    ),
    "join using": f"SELECT email AS x FROM {C} JOIN lending_customer d USING (email)",
    "full join using": (
        "SELECT email AS x FROM (SELECT ''::varchar AS email) v FULL JOIN lending_customer USING (email)"
    ),
    "natural join of itself": f"SELECT email AS x FROM {C} NATURAL JOIN lending_customer d",
    "intersect": "SELECT email AS x FROM lending_customer INTERSECT ALL SELECT city FROM lending_customer",
    "nested set operations": (
        "(SELECT city AS x FROM lending_customer EXCEPT SELECT 'a') UNION "
        "(SELECT 'b' INTERSECT (SELECT email FROM lending_customer UNION ALL SELECT 'c'))"
    ),
    "distinct": "SELECT DISTINCT email AS x FROM lending_customer",
    "grouping sets": "SELECT max(email) AS x FROM lending_customer GROUP BY GROUPING SETS ((email), ())",
    "group by number": "SELECT email AS x FROM lending_customer GROUP BY 1",
    "percentile": f"SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY c.email) AS x FROM {C}",
    "mode": f"SELECT mode() WITHIN GROUP (ORDER BY c.email) AS x FROM {C}",
    "order within an aggregate": f"SELECT string_agg(c.city, ',' ORDER BY c.email) AS x FROM {C}",
    "lag": f"SELECT lag(c.email) OVER w AS x FROM {C} WINDOW w AS (ORDER BY id)",
    "frame": f"SELECT sum(1) OVER (ROWS (SELECT length(min(email)) FROM {C}) PRECEDING) AS x",
    "array": f"SELECT ARRAY[c.email] AS x FROM {C}",
    "array of a subquery": f"SELECT ARRAY(SELECT c.email FROM {C}) AS x",
    "subscript": f"SELECT (ARRAY['', c.email])[2] AS x FROM {C}",
    "unnest": f"SELECT u AS x FROM {C}, pg_catalog.unnest(ARRAY[c.email]) u",
    "rows from": f"SELECT x FROM {C}, ROWS FROM (generate_series(1, 2), string_to_table(email, '')) r (g, x)",
    "select list with a set": f"SELECT pg_catalog.unnest(ARRAY[c.email, c.city]) AS x FROM {C}",
    "regexp_split_to_table": f"SELECT x FROM {C}, regexp_split_to_table(c.email, '') WITH ORDINALITY t (x)",
    "row": f"SELECT (ROW(1, c.email))::text AS x FROM {C}",
    "field of a row": "SELECT (lending_customer).email AS x FROM lending_customer",
    "field of a row of a subquery": f"SELECT (s.r).email AS x FROM (SELECT c AS r FROM {C}) s",
    "whole row of a subquery": f"SELECT s::text AS x FROM (SELECT c.email FROM {C}) s",
    "hstore like": f"SELECT j.value AS x FROM {C}, jsonb_each_text(to_jsonb(c)) j",
    "json path": f"SELECT to_jsonb(c) #>> '{{email}}' AS x FROM {C}",
    "json aggregate": f"SELECT json_object_agg(c.id, c.email) AS x FROM {C}",
    "json of a subquery": f"SELECT (SELECT json_agg(t) FROM (SELECT * FROM {C}) t) AS x",
    "json to a record": f"SELECT (jsonb_populate_record(NULL::lending_product, to_jsonb(c))).code x FROM {C}",
    "concat variadic": f"SELECT concat(VARIADIC ARRAY[c.email]) AS x FROM {C}",
    "format": f"SELECT format('%s', c.email) AS x FROM {C}",
    "operator": f"SELECT c.email ~ '^a' AS x FROM {C}",
    "is distinct from": f"SELECT c.email IS DISTINCT FROM 'a' AS x FROM {C}",
    "row comparison": f"SELECT (c.id, c.email) < (5, 'b') AS x FROM {C}",
    "in": f"SELECT 'a@b.c' IN (SELECT c.email FROM {C}) AS x",
    "all": f"SELECT 'a@b.c' > ALL (SELECT c.email FROM {C}) AS x",
    "correlated twice": (
        f"SELECT (SELECT (SELECT c.email FROM lending_product LIMIT 1) FROM lending_loan) AS x FROM {C}"
    ),
    "cast to name": f"SELECT c.email::name AS x FROM {C}",
    "cast to bytea": f"SELECT convert_to(c.email, 'UTF8') AS x FROM {C}",
    "tablesample": f"SELECT c.email AS x FROM {C} TABLESAMPLE bernoulli (50)",
    "for update": f"SELECT c.email AS x FROM {C} FOR UPDATE",
    "limit with ties": f"SELECT c.email AS x FROM {C} ORDER BY id FETCH FIRST 1 ROW WITH TIES",
    "nothing from nothing": f"SELECT x FROM (SELECT) n, (SELECT c.email AS x FROM {C}) s",
}  # fmt: skip
XML = {
    "xmlforest": f"SELECT xmlforest(c.email) AS x FROM {C}",
    "xmlelement": f"SELECT xmlelement(name a, xmlattributes(c.email AS b)) AS x FROM {C}",
    "xmltable": (
        f"SELECT t.x FROM {C}, XMLTABLE('/a' PASSING xmlelement(name a, c.email) COLUMNS x text PATH '.') t"
    ),
}
NEWER = {
    "json_table": (
        17,
        f"SELECT t.x FROM {C}, JSON_TABLE(to_jsonb(c), '$' COLUMNS (x text PATH '$.email')) t",
    ),
    "json_value": (17, f"SELECT JSON_VALUE(to_jsonb(c), '$.email') AS x FROM {C}"),
    "json_object": (16, f"SELECT JSON_OBJECT('a': c.email) AS x FROM {C}"),
    "json_arrayagg": (16, f"SELECT JSON_ARRAYAGG(c.email) AS x FROM {C}"),
    "any_value": (16, f"SELECT any_value(c.email) AS x FROM {C}"),
}


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_of_an_odd_form(query):
    declare("V", QUERIES[query])
    assert columns(problems()) == ["views.v.x"]


@pytest.mark.parametrize("query", XML)
def test_a_query_with_xml(query):
    try:
        with transaction.atomic():
            run("SELECT xmlforest(1 AS a)")
    except DatabaseError:
        pytest.skip("this PostgreSQL has no XML")
    declare("V", XML[query])
    assert columns(problems()) == ["views.v.x"]


@pytest.mark.parametrize("query", NEWER)
def test_a_query_of_a_newer_form(query):
    version, sql = NEWER[query]
    if connection.pg_version < version * 10000:
        pytest.skip(f"PostgreSQL {version} and newer")
    declare("V", sql)
    assert columns(problems()) == ["views.v.x"]


@pytest.mark.parametrize(
    "query", ["column aliases", "field of a row of a subquery", "json path", "recursive"]
)
def test_such_a_query_through_hidden_views(query):
    declare("H1", QUERIES[query], hidden=True)
    declare("H2", "SELECT h FROM views.h1 h", hidden=True, materialised=True)
    declare("V", "SELECT (h).x FROM views.h2")
    assert columns(problems()) == ["views.v.x"]


NAMES = [
    "} {VAR :varno 1 :varattno 1",
    ":funcid 1 <>",
    "{QUERY :commandType 1",
    '"',
    "\\",
    "( b 1 2)",
    "<>",
    "E-Mail ünïcode 😀",
    "a.b",
    "%s %(a)s %",
    "'",
]


@pytest.mark.parametrize("name", NAMES)
def test_columns_with_names_that_look_like_something_else(name):
    quoted = '"' + name.replace('"', '""') + '"'
    run(f"CREATE TABLE public.person ({quoted} text, email text)")
    fields = {"named": personal(models.TextField(db_column=name)), "email": models.TextField()}
    meta = type("Meta", (), {"db_table": "person", "app_label": "lending"})
    type("Person", (models.Model,), {"__module__": Customer.__module__, "Meta": meta, **fields})
    declare("V", f"SELECT email AS plain, {quoted} AS {quoted} FROM public.person {quoted}")
    said = problem()
    assert f"column {name!r} of views.v shows lending.Person.named as it is." in said


def test_names_that_postgresql_cuts_off():
    long = "x" * 70
    run(f"CREATE TABLE public.{'t' * 63} ({'x' * 63} text)")
    meta = type("Meta", (), {"db_table": "t" * 70, "app_label": "lending"})
    named = personal(models.TextField(db_column=long))
    type("Person", (models.Model,), {"__module__": Customer.__module__, "Meta": meta, "named": named})
    declare("V", f"SELECT {long[:63]} AS x FROM public.{'t' * 63}")
    assert columns(problems()) == ["views.v.x"]


def test_constants_and_comments_that_look_like_something_else():
    declare("V", "SELECT '} {VAR :varno 1' AS a, id FROM lending_customer /* {VAR */ -- :relid 1")
    declare("W", "SELECT '}) <> {' || email AS x FROM lending_customer")
    assert columns(problems()) == ["views.w.x"]


def test_a_queryset_with_annotations():
    class V(PostgresViewFromQueryset):
        name = "v"

        @classmethod
        def get_queryset(cls):
            return Customer.objects.annotate(
                x=models.functions.Lower("email"), y=models.F("email"), z=models.functions.Length("city")
            ).values("id", "x", "y", "z")

    assert columns(problems()) == ["views.v.x", "views.v.y"]


def test_a_queryset_across_relations():
    class V(PostgresViewFromQueryset):
        name = "v"

        @classmethod
        def get_queryset(cls):
            return Loan.objects.values("id", "customer__email")

    assert columns(problems()) == ["views.v.email"]
