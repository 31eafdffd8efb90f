"""Which views a text reads, found without PostgreSQL and then held against what PostgreSQL says."""

from __future__ import annotations

import pytest

from orm_views_core.names import ViewName
from orm_views_core.sql import references
from orm_views_core.sql.references import find_references, move_references, qualified_references

LOANS, STATUS = ViewName("views", "loans"), ViewName("views", "status")
VIEWS = {
    LOANS,
    STATUS,
    ViewName("views", "Odd Name"),
    ViewName("views", 'quo"ted'),
    ViewName("views", "a.b"),
    ViewName("views", "größe"),
    ViewName("Other Schema", "loans"),
    ViewName("views", "id"),
}

# Texts, and what they read of VIEWS. Each is run on a real PostgreSQL below.
QUALIFIED = {
    "plain": ("SELECT id FROM views.loans", {"views.loans"}),
    "capitals": ("SELECT id FROM Views.LOANS", {"views.loans"}),
    "quoted": ('SELECT id FROM "views"."loans"', {"views.loans"}),
    "half quoted": ('SELECT id FROM views."loans"', {"views.loans"}),
    "unicode escapes": (r'SELECT id FROM U&"v\0069ews"."loans"', {"views.loans"}),
    "blanks and comments between": (
        'SELECT id FROM views /* "x". */ . -- it\'s\n\t"loans"',
        {"views.loans"},
    ),
    "odd names": (
        'SELECT 1 AS id FROM views."Odd Name", views."quo""ted", views."a.b", views.größe',
        {"views.Odd Name", 'views.quo"ted', "views.a.b", "views.größe"},
    ),
    "a schema that needs quotes": ('SELECT id FROM "Other Schema".loans', {"Other Schema.loans"}),
    "in a string": ("SELECT 'views.loans' AS id", set()),
    "in a comment": ("SELECT 1 AS id -- from views.loans", set()),
    "in a nested comment": ("SELECT 1 AS id /* /* */ from views.loans */", set()),
    "behind a backslash": (
        r"SELECT 'a\' AS id FROM views.loans WHERE status <> ' views.status '",
        {"views.loans"},
    ),
    "in dollar quotes": ("SELECT $$ FROM views.loans $$ AS id FROM views.status", {"views.status"}),
    "in a CTE": (
        "WITH a AS (SELECT * FROM views.loans), b AS (SELECT * FROM views.status) SELECT a.id FROM a, b",
        {"views.loans", "views.status"},
    ),
    "in a recursive CTE": (
        """WITH RECURSIVE t(id) AS (
            SELECT id FROM views.loans UNION ALL SELECT t.id + 1 FROM t WHERE t.id < 3
        ) SELECT id FROM t""",
        {"views.loans"},
    ),
    "in subqueries": (
        """SELECT (SELECT max(id) FROM views.status) AS id FROM lending_loan
        WHERE EXISTS (SELECT FROM views.loans) AND id IN (SELECT id FROM views.id)""",
        {"views.loans", "views.status", "views.id"},
    ),
    "in a function's argument": (
        "SELECT array_length(ARRAY(SELECT id FROM views.loans), 1) AS id",
        {"views.loans"},
    ),
    "behind ONLY and LATERAL": (
        "SELECT a.id FROM ONLY views.loans AS a, LATERAL (SELECT a.id FROM ONLY (views.status)) AS b",
        {"views.loans", "views.status"},
    ),
    "as a table command": ("TABLE views.loans", {"views.loans"}),
    "in brackets": (
        "SELECT a.id FROM (views.loans AS a JOIN views.status AS b ON true)",
        {"views.loans", "views.status"},
    ),
    "columns with their schema": (
        "SELECT views.loans.id FROM views.loans WHERE views.loans.id > 0",
        {"views.loans"},
    ),
    "a whole row": ("SELECT l.id, l AS whole FROM views.loans AS l", {"views.loans"}),
    "all columns with their schema": ("SELECT views.loans.* FROM views.loans", {"views.loans"}),
    "an alias called like the schema": (
        "SELECT views.id, (views.status) FROM views.loans AS views",
        {"views.loans"},
    ),
    "an alias called like the schema, read in a function": (
        "SELECT coalesce(views.status, views.id::text) AS id FROM lending_loan AS views",
        set(),
    ),
    "an alias called like the schema, further relations": (
        "SELECT 1 AS id FROM views.status, lending_loan AS views JOIN views.loans AS l ON l.id = views.id",
        {"views.loans", "views.status"},
    ),
    "a database in front": ("SELECT id FROM {database}.views.loans", {"views.loans"}),
}


@pytest.fixture
def relations(execute):
    """VIEWS as real views; ``views`` and ``Other Schema`` are schemas of the test's transaction."""
    execute('CREATE SCHEMA views; CREATE SCHEMA "Other Schema"; CREATE SCHEMA moved; CREATE SCHEMA witness')
    for schema in ("views", "Other Schema", "moved"):
        for view in sorted(
            v for v in VIEWS if v.schema == schema or (schema, v.schema) == ("moved", "views")
        ):
            there = ViewName(schema, view.name)
            execute(f"CREATE VIEW {there.quoted} AS SELECT 1 AS id, 'new'::text AS status")


def really_read(execute, sql):
    execute(f"CREATE VIEW witness.reader AS {sql}\n")
    rows = execute(
        "SELECT DISTINCT n.nspname, c.relname FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid"
        " JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE r.ev_class = 'witness.reader'::regclass AND d.refclassid = 'pg_class'::regclass"
        " AND c.oid <> r.ev_class AND n.nspname <> 'public'"
    )
    execute("DROP VIEW witness.reader")
    return {ViewName(*row) for row in rows}


@pytest.fixture(params=QUALIFIED.values(), ids=QUALIFIED)
def text(request, db, settings):
    sql, read = request.param
    database = settings.DATABASES["default"]["NAME"]
    return sql.replace("{database}", f'"{database}"'), read


def test_what_is_found_is_what_postgresql_finds(text, relations, execute):
    sql, read = text
    found = find_references(sql, VIEWS)
    assert {str(view) for view in found} == read
    assert found == really_read(execute, sql)


def test_moved_references_are_found_in_the_other_schema(text, relations, execute):
    sql, read = text
    moved = move_references(sql, {view: "moved" for view in VIEWS if view.schema == "views"})
    assert {str(view).replace("moved.", "views.") for view in really_read(execute, moved)} == read
    assert all(view.schema != "views" for view in really_read(execute, moved))


def test_only_what_is_to_be_moved_is_moved_and_lines_stay_where_they_are():
    sql = "SELECT *\nFROM views.loans, -- views.loans\n  views . status, other.loans, 'views.loans'"
    assert move_references(sql, {LOANS: 'st"age'}) == (
        'SELECT *\nFROM "st""age".loans, -- views.loans\n  views . status, other.loans, \'views.loans\''
    )
    assert move_references(sql, {}) == sql


def test_the_offsets_of_a_reference_are_those_of_its_schema():
    sql = 'SELECT 1 FROM "views" . loans'
    (reference,) = qualified_references(sql, ["views"])
    assert (sql[reference.start : reference.end], reference.target) == ('"views"', LOANS)


def test_a_function_in_the_schema_is_not_the_view_of_that_name(execute, relations):
    execute("CREATE FUNCTION views.loans(int) RETURNS int LANGUAGE sql AS 'SELECT 1'")
    sql = "SELECT views.loans(1) AS id"
    assert find_references(sql, VIEWS) == really_read(execute, sql) == set()
    assert move_references(sql, {LOANS: "moved"}) == sql


def test_a_name_folded_by_postgresql_is_not_a_name_in_capitals():
    capitals = ViewName("views", "Loans")
    assert find_references("SELECT 1 FROM views.Loans", [capitals]) == set()
    assert find_references('SELECT 1 FROM views."Loans"', [capitals, LOANS]) == {capitals}


# Without a schema a name is looked up in the search path, views among tables, columns and aliases.
UNQUALIFIED = {
    "plain": ("SELECT id FROM loans", {"loans"}),
    "capitals": ("SELECT id FROM LOANS", {"loans"}),
    "quoted": ('SELECT id FROM "loans"', {"loans"}),
    "odd names": (
        'SELECT 1 AS id FROM "Odd Name", "quo""ted", "a.b", größe',
        {"Odd Name", 'quo"ted', "a.b", "größe"},
    ),
    "joined": ("SELECT a.id FROM loans AS a LEFT JOIN status AS b USING (id), id", {"loans", "status", "id"}),
    "behind a condition": (
        "SELECT a.id FROM loans a JOIN lending_loan l ON l.id = a.id, status",
        {"loans", "status"},
    ),
    "in brackets": ("SELECT a.id FROM ((loans AS a CROSS JOIN status))", {"loans", "status"}),
    "in a subquery": ("SELECT id FROM (SELECT id FROM loans ORDER BY id) AS status", {"loans"}),
    "a column": ("SELECT id, status FROM lending_loan", set()),
    "a column behind a bracket": (
        "SELECT lower(status) AS a, coalesce(status, 'x') AS b, abs(id) AS c FROM lending_loan",
        set(),
    ),
    "columns of lists": (
        "SELECT 1 AS a FROM lending_loan WHERE (status, id) IN (SELECT 'x', 1) GROUP BY id, status",
        set(),
    ),
    "the field of extract": (
        "SELECT extract(year FROM status) AS a FROM (SELECT now() AS status) AS loans",
        set(),
    ),
    "distinct from": ("SELECT 'x' IS DISTINCT FROM status AS a FROM lending_loan", set()),
    "an alias": ("SELECT status.id FROM lending_loan AS status, lending_product AS loans", set()),
    "columns of an alias": ("SELECT status FROM lending_loan AS l (a, b, c, d, e, f, status, g, h)", set()),
    "columns of a join": (
        "SELECT 1 AS a FROM lending_loan AS a JOIN lending_loan AS b USING (id, status)",
        set(),
    ),
    "with its schema": ("SELECT id FROM views.loans", {"loans"}),
    "in another schema": ('SELECT id FROM "Other Schema".loans', set()),
    "in a string": ("SELECT 1 AS a WHERE 'x' = ' FROM loans '", set()),
    "as a table command": ("TABLE loans", {"loans"}),
    "a function": ("SELECT 1 AS a FROM generate_series(1, 2) AS loans, unnest(ARRAY[1, 2]) AS id", set()),
    "in a window": ("SELECT sum(id) OVER (PARTITION BY id, status) AS a FROM loans", {"loans"}),
    "in both parts of a union": (
        "SELECT id, status FROM loans UNION ALL (SELECT id, status FROM status)",
        {"loans", "status"},
    ),
}


@pytest.mark.parametrize(("sql", "read"), UNQUALIFIED.values(), ids=UNQUALIFIED)
def test_a_name_without_schema_is_found_where_a_relation_stands(sql, read, relations, execute):
    execute("SET LOCAL search_path = public, views")
    found = find_references(sql, VIEWS, search_path=["public", "views"])
    assert {view.name for view in found if view.schema == "views"} == read
    assert found == really_read(execute, sql)


@pytest.mark.parametrize(
    "sql",
    [
        *(sql for sql, _ in [*QUALIFIED.values(), *UNQUALIFIED.values()]),
        'SELECT \'5" wide\' AS size FROM "Odd Name"',
        'SELECT $a$ " $a$ AS size FROM"Odd Name"',
        'SELECT 1 FROM"loans"',
        "SELECT 1 FROM/**/loans--",
        "SELECT 1 FROM GRÖßE, (status)",
        'SELECT 1 FROM "quo""ted"',
        r'SELECT 1 FROM U&"l\006Fans"',
        r'SELECT 1 FROM u&"a\002Eb"',
        'SELECT 1 FROM "loan", "Loans", loans_, _status, "odd name", "quo"',
        "SELECT 'loans', 1 AS status",
    ],
)
def test_a_text_that_is_spared_the_lexer_reads_no_view(sql, monkeypatch):
    path = ["public", "views", "Other Schema"]
    spared = find_references(sql, VIEWS, search_path=path)
    monkeypatch.setattr(references, "_mentions", lambda *_: True)
    assert find_references(sql, VIEWS, search_path=path) == spared


def test_a_quotation_mark_in_a_string_hides_no_name():
    sql = 'SELECT \'5" wide\' AS size FROM "Odd Name"'
    assert find_references(sql, VIEWS, search_path=["views"]) == {ViewName("views", "Odd Name")}


def test_a_name_without_schema_is_nothing_of_ours_outside_of_the_search_path():
    assert find_references("SELECT id FROM loans", VIEWS, search_path=["public"]) == set()


def test_a_name_without_schema_is_that_of_the_first_schema_in_the_search_path():
    both = {ViewName("a", "loans"), ViewName("b", "loans")}
    for path in (["a", "b"], ["b", "a"]):
        assert find_references("TABLE loans", both, search_path=path) == {ViewName(path[0], "loans")}


def test_the_name_of_a_common_table_expression_is_no_view():
    sql = (
        "WITH loans AS (SELECT 1 AS id), x (a) AS MATERIALIZED (SELECT id FROM loans) SELECT a FROM x, loans"
    )
    assert find_references(sql, VIEWS, search_path=["views"]) == set()


def test_a_common_table_expression_may_read_the_view_of_its_own_name():
    sql = "WITH loans AS (SELECT id FROM loans) SELECT id FROM loans"
    assert find_references(sql, VIEWS, search_path=["views"]) == {LOANS}
    sql = "WITH RECURSIVE loans AS (SELECT 1 AS id UNION SELECT id FROM loans) SELECT id FROM loans"
    assert find_references(sql, VIEWS, search_path=["views"]) == set()


def test_the_row_type_of_a_view_is_a_reference():
    assert find_references("SELECT NULL::views.loans AS id", VIEWS) == {LOANS}
    assert move_references("SELECT CAST(NULL AS views.loans)", {LOANS: "moved"}) == (
        'SELECT CAST(NULL AS "moved".loans)'
    )


def test_a_table_called_like_the_schema_keeps_its_columns():
    sql = "SELECT views.id, coalesce(views.status, 'x') FROM public.views WHERE views.loans > 0"
    assert find_references(sql, VIEWS) == set()


def test_a_broken_text_is_no_error_here():
    for sql in (
        "",
        ")",
        "FROM",
        "SELECT FROM",
        "SELECT 1 FROM views.",
        "views.loans)))",
        "JOIN ,(",
        "WITH ,",
    ):
        find_references(sql, VIEWS, search_path=["views"])
        assert move_references(sql, {STATUS: "moved"}) == sql
