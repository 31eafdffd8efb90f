"""Indexes, statistics and storage set by hand are kept by every change of a view."""

from __future__ import annotations

import pytest
from django.db import connection

from tests.core.keeping import (
    MATERIALISED,
    REBUILD_MATERIALISED,
    each,
    run,
    survives,
)

pytestmark = pytest.mark.django_db

INDEXES = """
SELECT pg_get_indexdef(i.indexrelid), obj_description(i.indexrelid, 'pg_class'), c.reloptions,
       i.indisclustered, i.indisunique, (SELECT spcname FROM pg_tablespace WHERE oid = c.reltablespace),
       ARRAY(SELECT a.attnum || ': ' || a.attstattarget FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attstattarget >= 0 ORDER BY 1)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = 'views.v'::regclass ORDER BY 1
"""
TARGETS = """
SELECT attname, attstattarget FROM pg_attribute
WHERE attrelid = 'views.v'::regclass AND attstattarget >= 0 AND attnum > 0 ORDER BY 1
"""
COLUMNS = """
SELECT attname, attstorage, attcompression, attoptions FROM pg_attribute
WHERE attrelid = 'views.v'::regclass AND attname IN ('id', 'city', 'amount') ORDER BY 1
"""
STATISTICS = """
SELECT stxnamespace::regnamespace::text, stxname, stxowner::regrole::text, stxkind::text[],
       to_jsonb(s) ->> 'stxstattarget', regexp_replace(pg_get_statisticsobjdef(s.oid), '.* ON ', ''),
       obj_description(s.oid, 'pg_statistic_ext')
FROM pg_statistic_ext s WHERE stxrelid = 'views.v'::regclass ORDER BY 1, 2
"""


@each(MATERIALISED)
@pytest.mark.parametrize(
    ("name", "sql"),
    [
        ("by_city", "CREATE INDEX by_city ON views.v (city)"),
        ("one_id", "CREATE UNIQUE INDEX one_id ON views.v (id)"),
        ("partial", "CREATE INDEX partial ON views.v (city) WHERE id > 3 AND city <> ' ON views.v USING '"),
        ("upper", "CREATE INDEX upper ON views.v (upper(city), (amount + 1))"),
        ("covering", "CREATE UNIQUE INDEX covering ON views.v (id DESC NULLS LAST) INCLUDE (city)"),
        ("patterns", 'CREATE INDEX patterns ON views.v (city text_pattern_ops, city COLLATE "C")'),
        ("hashed", "CREATE INDEX hashed ON views.v USING hash (city)"),
        ("ranges", "CREATE INDEX ranges ON views.v USING brin (id) WITH (pages_per_range = 16)"),
        ("a USING b", 'CREATE INDEX "a USING b" ON views.v (city) WITH (fillfactor = 60)'),
        (" ON views.v USING x", 'CREATE INDEX " ON views.v USING x" ON views.v (city)'),
    ],
    ids=lambda value: value if not value.startswith("CREATE") else "",
)
def test_indexes(change, name, sql):
    step = survives(change, sql, INDEXES)
    assert f"index {name}" in step.kept


@each(MATERIALISED)
def test_indexes_are_kept_beside_those_of_the_class(change):
    survives(change, "CREATE INDEX by_city ON views.v (city)", INDEXES, pk_field="id")
    assert len(run(INDEXES)) == 2


@each([REBUILD_MATERIALISED])
def test_an_index_whose_column_is_gone_is_dropped_and_reported_as_lost(change):
    change.begin()
    run("CREATE INDEX by_other ON views.v (other); CREATE INDEX by_city ON views.v (city)")
    run("CREATE INDEX partial ON views.v (city) WHERE other > 1")
    run("COMMENT ON INDEX views.by_other IS 'x'; ALTER MATERIALIZED VIEW views.v CLUSTER ON by_other")
    change.change()
    planned = change.plan()
    step = change.finish()
    assert (step.kept, step.lost) == (planned.kept, planned.lost)
    assert step.kept == ("index by_city",)
    assert step.lost == (
        'index by_other: column "other" does not exist',
        'index partial: column "other" does not exist',
    )
    assert [index.split()[2] for index, *_ in run(INDEXES)] == ["by_city"]


@each(MATERIALISED)
def test_comments_on_indexes(change):
    add = "CREATE INDEX \"By City\" ON views.v (city); COMMENT ON INDEX views.\"By City\" IS 'it''s 100%'"
    survives(change, add, INDEXES)


@each(MATERIALISED)
def test_a_comment_on_an_index_of_the_class(change):
    change.begin(pk_field="id")
    ((index,),) = run("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'views.v'::regclass")
    run(f"COMMENT ON INDEX {index} IS 'by hand'; ALTER MATERIALIZED VIEW views.v CLUSTER ON {index[6:]}")
    before = run(INDEXES)
    change.finish(pk_field="id")
    assert run(INDEXES) == before


@each(MATERIALISED)
def test_statistics_of_indexed_expressions(change):
    add = "CREATE INDEX x ON views.v (id, upper(city), lower(city)); "
    survives(change, add + "ALTER INDEX views.x ALTER COLUMN 3 SET STATISTICS 900", INDEXES)


@each(MATERIALISED)
def test_statistics_targets_of_columns(change):
    add = "ALTER MATERIALIZED VIEW views.v ALTER city SET STATISTICS 777, ALTER id SET STATISTICS 0"
    survives(change, add, TARGETS)


@each(MATERIALISED)
def test_options_of_columns(change):
    add = (
        "ALTER MATERIALIZED VIEW views.v ALTER city SET (n_distinct = -0.25, n_distinct_inherited = 7), "
        "ALTER id SET (n_distinct = 50)"
    )
    survives(change, add, COLUMNS)


@each(MATERIALISED)
def test_storage_and_compression_of_columns(change):
    add = (
        "ALTER MATERIALIZED VIEW views.v ALTER city SET STORAGE external, ALTER amount SET STORAGE plain; "
        "ALTER MATERIALIZED VIEW views.v ALTER city SET COMPRESSION pglz"
    )
    survives(change, add, COLUMNS)


@each(MATERIALISED)
def test_extended_statistics(change, make_role):
    make_role("bob")
    add = [
        "CREATE SCHEMA elsewhere",
        "CREATE STATISTICS public.two ON id, city FROM views.v",
        "CREATE STATISTICS elsewhere.two (ndistinct, mcv) ON city, amount FROM views.v",
        'CREATE STATISTICS views."An expression FROM views.v" ON (lower(city)) FROM views.v',
        "ALTER STATISTICS public.two SET STATISTICS 800; COMMENT ON STATISTICS public.two IS 'it''s'",
        "GRANT CREATE ON SCHEMA elsewhere TO bob; ALTER STATISTICS elsewhere.two OWNER TO bob",
    ]
    step = survives(change, add, STATISTICS)
    assert len(run(STATISTICS)) == 3
    assert "extended statistics two" in step.kept
    filled = "SELECT count(*) FROM pg_statistic_ext_data d JOIN pg_statistic_ext s ON s.oid = d.stxoid "
    assert run(filled + "WHERE s.stxrelid = 'views.v'::regclass AND stxdndistinct IS NOT NULL") == [(2,)]


@each([REBUILD_MATERIALISED])
def test_extended_statistics_of_a_column_that_is_gone_are_reported_as_lost(change):
    change.begin()
    run("CREATE STATISTICS public.gone ON other, city FROM views.v")
    run("CREATE STATISTICS public.kept ON id, city FROM views.v")
    step = change.finish()
    (lost,) = step.lost
    assert "extended statistics gone" in lost
    assert [name for _, name, *_ in run(STATISTICS)] == ["kept"]


@each(MATERIALISED)
def test_the_index_that_it_is_clustered_on(change):
    add = "CREATE INDEX by_city ON views.v (city); ALTER MATERIALIZED VIEW views.v CLUSTER ON by_city"
    survives(change, add, INDEXES)
    assert [clustered for _, _, _, clustered, *_ in run(INDEXES)] == [True]


@each(MATERIALISED)
def test_the_tablespace(change, tablespace):
    query = """
    SELECT c.relname, spcname FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace
    WHERE 'views.v'::regclass IN (c.oid,
                                  (SELECT indrelid FROM pg_index WHERE indexrelid = c.oid)) ORDER BY 1
    """
    add = (
        f"ALTER MATERIALIZED VIEW views.v SET TABLESPACE {tablespace}; "
        f"CREATE INDEX by_city ON views.v (city) TABLESPACE {tablespace}; CREATE INDEX by_id ON views.v (id)"
    )
    step = survives(change, add, query)
    assert [name for name, _ in run(query)] == ["by_city", "v"]
    assert "tablespace the fast one" in step.kept
    assert connection.in_atomic_block
