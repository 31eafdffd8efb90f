"""The search path of our own statements: what PostgreSQL finds along it, and that it ends with the block."""

import pytest
from django.db import connections

from orm_views_core.engines.postgresql.catalog.search_path import (
    catalog_cursor,
    catalog_path,
    read_search_path,
)

pytestmark = pytest.mark.django_db


def test_the_path_ends_with_the_block(execute):
    before = execute("SHOW search_path")
    with connections["default"].cursor() as cursor, catalog_path(cursor):
        assert execute("SHOW search_path") == [("pg_catalog, pg_temp",)]
    assert execute("SHOW search_path") == before


def test_blocks_may_be_nested(execute):
    before = execute("SHOW search_path")
    with catalog_cursor(connections["default"]) as cursor:
        with catalog_path(cursor):
            pass
        assert execute("SHOW search_path") == [("pg_catalog, pg_temp",)]
    assert execute("SHOW search_path") == before


def test_the_path_ends_with_the_savepoint_that_is_rolled_back(execute):
    before = execute("SHOW search_path")
    with connections["default"].cursor() as cursor:
        execute("SAVEPOINT a")
        catalog_path(cursor).__enter__()
        execute("ROLLBACK TO a")
    assert execute("SHOW search_path") == before


@pytest.mark.django_db(transaction=True)
def test_without_a_transaction_it_begins_one(execute):
    with catalog_cursor(connections["default"]) as cursor:
        cursor.execute("SHOW search_path")
        assert cursor.fetchone() == ("pg_catalog, pg_temp",)
    assert not connections["default"].in_atomic_block
    assert execute("SHOW search_path") == [('"$user", public',)]


def test_the_catalogs_are_read_without_jit_and_the_setting_is_put_back(execute):
    """With thousands of views the queries would be compiled, which takes longer than running them."""
    execute("SET LOCAL jit = on")
    with catalog_cursor(connections["default"]):
        assert execute("SHOW jit") == [("off",)]
    assert execute("SHOW jit") == [("on",)]


@pytest.mark.parametrize("schema", ["pg_temp", "before"])
def test_relations_and_types_named_like_those_of_the_catalogs_are_not_found(execute, schema):
    execute("CREATE SCHEMA before")
    execute(f"CREATE TABLE {schema}.pg_class (oid text); CREATE TYPE {schema}.regclass AS ENUM ('x')")
    execute(f"SET LOCAL search_path = {schema}, pg_catalog")
    asked = "SELECT count(*) > 10, pg_typeof('pg_type'::regclass)::oid::int FROM pg_class"
    with catalog_cursor(connections["default"]) as cursor:
        cursor.execute(asked)
        assert cursor.fetchone() == (True, 2205)


# What the hashes of sync states and the comparison of definitions are made of.
WRITTEN = """
SELECT c.oid, c.oid::pg_catalog.regclass::pg_catalog.text,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END,
       ARRAY(SELECT pg_catalog.pg_get_indexdef(i.indexrelid) FROM pg_catalog.pg_index i
             WHERE i.indrelid OPERATOR(pg_catalog.=) c.oid ORDER BY i.indexrelid),
       ARRAY(SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a
             WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid ORDER BY a.attnum)
FROM pg_catalog.pg_class c ORDER BY c.oid
"""


def test_postgres_writes_names_as_along_an_empty_path(execute):
    """Earlier releases set that one, and hashed what PostgreSQL wrote."""
    execute(
        "CREATE SCHEMA views; CREATE SCHEMA lair; CREATE TYPE lair.text AS ENUM ('x');"
        "CREATE TABLE lair.pg_class (n int);"
        "CREATE FUNCTION lair.f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';"
        "CREATE FUNCTION lair.cat(int, text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $2';"
        "CREATE OPERATOR lair.|| (LEFTARG = int, RIGHTARG = text, FUNCTION = lair.cat);"
        "CREATE TEMP TABLE passing (t text, u lair.text);"
        "CREATE MATERIALIZED VIEW views.m AS SELECT n, lair.f(n) AS f, n OPERATOR(lair.||) 'x'::text AS own,"
        " n || 'x' AS usual, 'x'::lair.text AS t FROM lair.pg_class;"
        "CREATE INDEX ON views.m ((lair.f(n)), (n::pg_catalog.text), t);"
        "CREATE VIEW views.v AS SELECT * FROM views.m JOIN pg_class ON relname = t::text"
    )
    with catalog_cursor(connections["default"]) as cursor:
        cursor.execute(WRITTEN)
        along_ours = cursor.fetchall()
    execute("SET LOCAL search_path = ''")
    assert execute(WRITTEN) == along_ours
    assert len(along_ours) > 400


def test_the_path_of_the_project_is_told(execute):
    execute("SET LOCAL search_path = nowhere, public")
    assert read_search_path(connections["default"]) == ("nowhere, public", ["public"])
