"""The relations of a database are read in a fixed number of queries."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_core.database.relations import Column, Grant
from orm_views_core.database.sync_state import join_comment
from orm_views_core.engines.postgresql.catalog.introspection import (
    parse_options,
    read_catalog,
    read_columns,
    with_definitions,
)
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.names import ViewKind, ViewName
from tests.core.values import define, state_of

pytestmark = pytest.mark.django_db


def read(*schemas, **asked):
    return read_catalog(connections["default"], schemas or ["views"], **asked)


def view(text, **asked):
    return read(**asked).relations[ViewName("views", text)]


def text_of(text):
    catalog = read()
    found = with_definitions(connections["default"], catalog, [ViewName("views", text)])
    return found.relations[ViewName("views", text)].definition


@pytest.fixture(autouse=True)
def schema(execute):
    execute('CREATE SCHEMA views; CREATE SCHEMA "Other Schema"')


def test_a_plain_view_is_read_with_all_that_it_has(execute, make_role):
    role = make_role('An "odd" role')
    execute('CREATE VIEW views."Odd Name" WITH (security_barrier) AS SELECT id, city FROM lending_customer')
    state = state_of(define("x"))
    comment = join_comment("It's read.", state).replace("'", "''")
    execute(f"COMMENT ON VIEW views.\"Odd Name\" IS '{comment}'")
    execute("COMMENT ON COLUMN views.\"Odd Name\".city IS 'Town.'")
    execute('GRANT SELECT, UPDATE ON views."Odd Name" TO "An ""odd"" role" WITH GRANT OPTION')
    execute('GRANT SELECT ON views."Odd Name" TO PUBLIC')
    found = view("Odd Name")
    assert (found.kind, found.relation) == (ViewKind.VIEW, "view")
    # Up to version 15 PostgreSQL writes the table in front of each column.
    text = " ".join(text_of("Odd Name").split()).replace(" lending_customer.", " ")
    assert text == "SELECT id, city FROM public.lending_customer;"
    assert (found.text, found.state) == ("It's read.", state)
    assert found.options == (("security_barrier", "true"),)
    assert found.column_comments == {"city": "Town."}
    assert found.grants == {Grant(role, "SELECT", True), Grant(role, "UPDATE", True), Grant("", "SELECT")}
    assert found.readers == {role, ""}
    assert found.reads == {ViewName("public", "lending_customer")}
    assert [(found.owner,)] == execute("SELECT current_user")
    assert found.populated
    assert (found.rows, found.size) == (None, None)


def test_a_materialised_view_is_read_with_its_indexes_rows_and_size(execute):
    execute(
        "CREATE MATERIALIZED VIEW views.m AS SELECT g AS id, g % 3 AS three FROM generate_series(1, 10) g"
    )
    execute('CREATE UNIQUE INDEX "A key" ON views.m (id)')
    execute("CREATE INDEX part ON views.m USING hash (three) WHERE id > 5")
    execute("ANALYZE views.m")
    found = view("m")
    assert found.kind is ViewKind.MATERIALISED_VIEW
    assert [(i.name, i.unique, i.tail) for i in found.indexes] == [
        ("A key", True, "btree (id)"),
        ("part", False, "hash (three) WHERE (id > 5)"),
    ]
    assert found.rows == 10
    assert found.size > 0
    assert found.can_refresh_concurrently


@pytest.mark.parametrize(
    ("index", "allows"),
    [
        ("CREATE UNIQUE INDEX i ON views.m (id)", True),
        ("CREATE UNIQUE INDEX i ON views.m (id, three DESC)", True),
        ("CREATE UNIQUE INDEX i ON views.m (id) INCLUDE (three)", True),
        ("CREATE INDEX i ON views.m (id)", False),
        ("CREATE UNIQUE INDEX i ON views.m (id) WHERE id > 0", False),
        ("CREATE UNIQUE INDEX i ON views.m ((id + 1))", False),
        ("CREATE UNIQUE INDEX i ON views.m (id, (three + 1))", False),
    ],
)
def test_which_index_allows_to_refresh_concurrently_is_what_postgresql_says(index, allows, execute):
    execute(
        "CREATE MATERIALIZED VIEW views.m AS SELECT g AS id, g % 3 AS three FROM generate_series(1, 10) g"
    )
    execute(index)
    assert view("m").can_refresh_concurrently is allows
    if allows:
        execute("REFRESH MATERIALIZED VIEW CONCURRENTLY views.m")
    else:
        with pytest.raises(Exception, match=r"cannot refresh materialized view .* concurrently"):
            execute("REFRESH MATERIALIZED VIEW CONCURRENTLY views.m")


def test_a_materialised_view_without_data_is_not_populated(execute):
    execute("CREATE MATERIALIZED VIEW views.m AS SELECT 1 AS id WITH NO DATA")
    execute("CREATE UNIQUE INDEX ON views.m (id)")
    found = view("m")
    assert not found.populated
    assert not found.can_refresh_concurrently
    assert found.rows is None


def test_what_else_is_in_the_schema_is_told_apart(execute):
    execute(
        "CREATE TABLE views.t (a int) PARTITION BY LIST (a);"
        "CREATE TABLE views.p PARTITION OF views.t DEFAULT; CREATE SEQUENCE views.s;"
        "CREATE TYPE views.c AS (a int); CREATE VIEW views.v AS SELECT 1 AS a"
    )
    kinds = {name.name: (found.kind, found.relation) for name, found in read().relations.items()}
    assert kinds == {
        "t": (None, "partitioned table"),
        "p": (None, "table"),
        "s": (None, "sequence"),
        "c": (None, "composite type"),
        "v": (ViewKind.VIEW, "view"),
    }


def test_the_comment_of_a_table_is_no_tag(execute):
    comment = state_of(define("x")).dump()
    execute(f"CREATE TABLE views.t (); COMMENT ON TABLE views.t IS '{comment}'")
    assert (view("t").text, view("t").state) == (comment, None)


def test_only_our_schemas_are_read_and_what_has_our_tag_elsewhere(execute):
    comment = state_of(define("x")).dump()
    execute(
        'CREATE VIEW views.ours AS SELECT 1 AS a; CREATE VIEW "Other Schema".theirs AS SELECT 1 AS a;'
        f"CREATE VIEW public.moved AS SELECT 1 AS a; COMMENT ON VIEW public.moved IS '{comment}';"
        f"CREATE TABLE public.not_a_view (); COMMENT ON TABLE public.not_a_view IS '{comment}'"
    )
    assert {str(name) for name in read().relations} == {"views.ours", "public.moved"}
    both = {str(name) for name in read("views", "Other Schema").relations}
    assert both == {"views.ours", "public.moved", "Other Schema.theirs"}


def test_what_reads_what_is_known_across_schemas_and_kinds(execute):
    execute(
        "CREATE VIEW views.a AS SELECT 1 AS id;"
        "CREATE MATERIALIZED VIEW views.b AS SELECT id FROM views.a;"
        'CREATE VIEW "Other Schema".c AS SELECT b.id FROM views.b, views.a, lending_loan;'
        "CREATE VIEW public.d AS SELECT (SELECT max(id) FROM views.a) AS id"
    )
    found = {str(name): relation for name, relation in read("views", "Other Schema").relations.items()}

    def said(names):
        return {str(name) for name in names}

    assert said(found["views.a"].read_by) == {"views.b", "Other Schema.c", "public.d"}
    assert said(found["views.b"].reads) == {"views.a"}
    assert said(found["Other Schema.c"].reads) == {"views.a", "views.b", "public.lending_loan"}


def test_whoever_uses_the_row_type_of_a_view_reads_it(execute):
    execute(
        "CREATE VIEW views.a AS SELECT 1 AS id;"
        "CREATE VIEW public.whole AS SELECT a AS whole FROM views.a;"
        "CREATE VIEW public.typed AS SELECT NULL::views.a AS empty;"
        "CREATE VIEW public.listed AS SELECT ARRAY[]::views.a[] AS none;"
        "CREATE TABLE public.kept (row views.a)"
    )
    assert {name.name for name in view("a").read_by} == {"whole", "typed", "listed", "kept"}


def test_definitions_have_their_schemas_whatever_the_search_path(execute):
    execute("CREATE VIEW views.a AS SELECT 1 AS id; CREATE VIEW views.b AS SELECT id FROM views.a")
    plain, fingerprint = text_of("b"), view("b").fingerprint
    assert "views.a" in plain
    for path in ("views", "public, views", "''"):
        execute(f"SET LOCAL search_path = {path}")
        assert text_of("b") == plain
        assert view("b").fingerprint == fingerprint


def test_the_search_path_is_put_back_and_told(execute):
    execute('SET LOCAL search_path = "Other Schema", public, nowhere')
    assert read().search_path == ("Other Schema", "public")
    assert execute("SHOW search_path") == [('"Other Schema", public, nowhere',)]


def test_a_path_that_ends_in_the_temporary_schema_still_does(execute):
    """Otherwise it would be searched first where the path is written again."""
    execute("SET LOCAL search_path = public, pg_temp")
    assert read().search_path == ("public", "pg_temp")


def test_our_schemas_count_in_the_search_path_before_they_exist(execute):
    (user,) = execute("SELECT current_user")[0]
    execute('SET LOCAL search_path = "$user", "To Come", nowhere, VIEWS, views')
    assert read("To Come", user).search_path == (user, "To Come", "views")


def test_schemas_and_who_may_use_them_are_told(execute, make_role):
    role = make_role("reader of it")
    execute('GRANT USAGE ON SCHEMA views TO "reader of it", PUBLIC')
    execute('GRANT CREATE ON SCHEMA "Other Schema" TO PUBLIC')
    catalog = read("views", "Other Schema", "nowhere")
    assert catalog.schemas == {"views", "Other Schema"}
    assert {role, ""} <= catalog.schema_usage["views"]
    assert "" not in catalog.schema_usage["Other Schema"]


def test_roles_that_exist_are_told(make_role):
    role = make_role('An "odd" role')
    assert read(roles=[role, "nobody at all"]).roles == {role}
    assert read().roles == frozenset()


def test_only_some_views_can_be_read(execute):
    execute('CREATE VIEW views.a AS SELECT 1 AS id; CREATE VIEW "Other Schema".a AS SELECT 1 AS id')
    execute("CREATE VIEW views.b AS SELECT id FROM views.a")
    wanted = [ViewName("Other Schema", "a"), ViewName("views", "b"), ViewName("views", "nothing")]
    assert read(only=wanted).relations.keys() == set(wanted[:2])
    assert read(only=[]).relations == {}


def test_the_number_of_queries_does_not_depend_on_that_of_the_views(execute):
    counts = []
    for number in (1, 50):
        for i in range(number):
            execute(f"CREATE MATERIALIZED VIEW views.v{number}_{i} AS SELECT 1 AS id")
        with CaptureQueriesContext(connections["default"]) as queries:
            assert len(read().relations) >= number
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_fingerprint_changes_with_what_postgresql_stores(execute):
    state = state_of(define("x"), indexes=("ours",), options=("security_barrier",)).dump()
    prints = []
    for statement in (
        f"CREATE VIEW views.v AS SELECT 1 AS id; COMMENT ON VIEW views.v IS '{state}'",
        "CREATE OR REPLACE VIEW views.v AS SELECT 2 AS id",
        "ALTER VIEW views.v SET (security_barrier)",
        "ALTER VIEW views.v RENAME COLUMN id TO number",
        (
            "DROP VIEW views.v; CREATE MATERIALIZED VIEW views.v AS SELECT 2 AS number;"
            f"COMMENT ON MATERIALIZED VIEW views.v IS '{state}'"
        ),
        "CREATE INDEX ours ON views.v (number)",
        "DROP INDEX views.ours; CREATE UNIQUE INDEX ours ON views.v (number)",
        "DROP INDEX views.ours; CREATE UNIQUE INDEX ours ON views.v (number) WHERE number > 0",
    ):
        execute(statement)
        prints.append(view("v").fingerprint)
    assert None not in prints
    assert len(set(prints)) == len(prints)


def test_the_fingerprint_does_not_change_with_what_is_not_the_views_own(execute):
    state = state_of(define("x"), indexes=("ours",)).dump()
    execute("CREATE MATERIALIZED VIEW views.v AS SELECT 1 AS id; CREATE UNIQUE INDEX ours ON views.v (id)")
    execute(f"COMMENT ON MATERIALIZED VIEW views.v IS '{state}'")
    before = view("v").fingerprint
    execute(
        f"CREATE INDEX by_hand ON views.v (id); COMMENT ON MATERIALIZED VIEW views.v IS 'Words.\n\n{state}'"
    )
    execute("GRANT SELECT ON views.v TO PUBLIC; ALTER MATERIALIZED VIEW views.v SET (fillfactor = 70)")
    execute("CREATE VIEW public.reader AS SELECT id FROM views.v; REFRESH MATERIALIZED VIEW views.v")
    found = view("v")
    assert found.fingerprint == before
    assert {index.name for index in found.indexes} == {"ours", "by_hand"}


def test_columns_are_told_in_their_order_with_types_and_collations(execute):
    execute(
        'CREATE VIEW views.v AS SELECT 1.5::numeric(10, 2) AS z, \'x\'::varchar(3) COLLATE "C" AS "a b",'
        " '{}'::int[] AS numbers, 'x' AS plain, now() AS at"
    )
    oid = view("v").oid
    with catalog_cursor(connections["default"]) as cursor:
        columns = read_columns(cursor, [oid])
    assert columns == {
        oid: [
            Column("z", "numeric(10,2)"),
            Column("a b", "character varying(3)", "C"),
            Column("numbers", "integer[]"),
            Column("plain", "text"),
            Column("at", "timestamp with time zone"),
        ]
    }


@pytest.mark.parametrize(
    ("reloptions", "pairs"),
    [
        (None, ()),
        ([], ()),
        (["b=2", "a=1"], (("a", "1"), ("b", "2"))),
        (["security_barrier=true"], (("security_barrier", "true"),)),
        (["a=b=c"], (("a", "b=c"),)),
    ],
)
def test_options_are_sorted_pairs(reloptions, pairs):
    assert parse_options(reloptions) == pairs


def test_options_set_by_hand_are_not_part_of_the_fingerprint(execute):
    execute("CREATE VIEW views.v WITH (security_barrier) AS SELECT id FROM lending_customer")
    states = [state_of(define("x"), options=options).dump() for options in ((), ("security_barrier",))]
    prints = []
    for state in states:
        execute(f"COMMENT ON VIEW views.v IS '{state}'")
        prints.append(view("v").fingerprint)
    assert prints[0] != prints[1]
    execute("ALTER VIEW views.v SET (check_option = local)")
    assert view("v").fingerprint == prints[1]


def test_texts_are_read_only_where_they_are_asked_for(execute):
    execute("CREATE VIEW views.a AS SELECT 1 AS id; CREATE VIEW views.b AS SELECT id FROM views.a")
    catalog = read()
    assert {found.definition for found in catalog.relations.values()} == {None}
    asked = [ViewName("views", "b"), ViewName("views", "nothing")]
    found = with_definitions(connections["default"], catalog, asked).relations
    assert {name.name for name, relation in found.items() if relation.definition} == {"b"}
    assert found.keys() == catalog.relations.keys()
    assert with_definitions(connections["default"], catalog, []) is catalog


RENAMED = {
    "a column that it reads": "ALTER TABLE public.t RENAME COLUMN a TO b",
    "a table that it reads": "ALTER TABLE public.t RENAME TO u",
    "a column of its own": "ALTER VIEW views.v RENAME COLUMN a TO b",
    "its SELECT": "CREATE OR REPLACE VIEW views.v AS SELECT a + 0 AS a FROM public.t",
    "a column more": "CREATE OR REPLACE VIEW views.v AS SELECT a, 1 AS b FROM public.t",
}


@pytest.mark.parametrize("statement", RENAMED.values(), ids=RENAMED)
def test_the_rule_changes_whenever_the_text_does(statement, execute):
    execute("CREATE TABLE public.t (a int); CREATE VIEW views.v AS SELECT a FROM public.t")
    rule, text = view("v").rule, text_of("v")
    assert rule is not None
    execute(statement)
    assert text_of("v") != text
    assert view("v").rule != rule


def test_the_rule_is_the_same_after_what_leaves_the_view_as_it_is(execute):
    execute(
        "CREATE TABLE public.t (a int, c int); CREATE VIEW views.v AS SELECT a FROM public.t;"
        "CREATE VIEW views.w AS SELECT a FROM views.v"
    )
    rules = {name: view(name).rule for name in "vw"}
    execute(
        "ALTER TABLE public.t ADD COLUMN d int; ALTER TABLE public.t RENAME COLUMN c TO e;"
        "CREATE RULE r AS ON INSERT TO views.v DO INSTEAD NOTHING; CREATE INDEX ON public.t (a);"
        "CREATE OR REPLACE VIEW views.v AS SELECT a, d FROM public.t"
    )
    assert view("w").rule == rules["w"]
    assert view("v").rule != rules["v"]
