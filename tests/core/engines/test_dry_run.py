"""Trying definitions: what comes back is what PostgreSQL would store, and nothing stays behind."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connections, transaction

from orm_views_core.database.dry_run import DryRun
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog, with_definitions
from orm_views_core.engines.postgresql.dry_run import try_views
from orm_views_core.exceptions import InvalidViewsError, ViewSQLError
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import find_scope
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = pytest.mark.django_db

STAGING = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'orm_views_staging%'"


def declare(class_name, sql, materialised=False, **attributes):
    bases = (PostgresMaterialisedViewMixin,) if materialised else ()
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def try_all():
    """Rehearse every registered view, as if none of them existed or all had changed."""
    connection = connections["default"]
    definitions = compile_definitions(connection)
    definitions.raise_errors()
    with transaction.atomic():
        catalog = read_catalog(connection, definitions.schemas)
        scope = find_scope(definitions.views, catalog, force=True)
        installed = {name: catalog.relations[name] for name in scope.try_views if name in catalog.relations}
        tried = [definitions.views[name] for name in scope.try_views]
        return try_views(connection, tried, scope.dependencies, installed, catalog.search_path)


def view(dry_run, text):
    schema, _, name = text.rpartition(".")
    return dry_run.views[ViewName(schema or "views", name)]


def flat(text):
    return " ".join(text.split())


def test_nothing_to_try_is_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert try_views(connections["default"], [], {}, {}, []) == DryRun()


# Chains of views whose text PostgreSQL writes in its own way; each is tried, created and compared.
CHAINS = {
    "plain": [("A", "SELECT id, city FROM lending_customer"), ("B", "SELECT * FROM views.a WHERE id > 5")],
    "whole rows": [
        ("A", "SELECT id, city FROM lending_customer"),
        ("B", "SELECT a AS whole, (a).city FROM views.a"),
        ("C", "SELECT (whole).id AS id, NULL::views.a AS empty, ARRAY[whole] AS list FROM views.b"),
        ("D", "SELECT row_to_json(c) AS json, (list[1]).city FROM views.c"),
    ],
    "common table expressions": [
        ("A", "SELECT id, city FROM lending_customer"),
        (
            "B",
            """WITH RECURSIVE a AS (SELECT id FROM views.a),
                n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3)
            SELECT a.id, n.i, x.city FROM a, n, views.a AS x""",
        ),
    ],
    "the same name in two schemas": [
        ("LendingLoan", "SELECT id, status FROM public.lending_loan", {"name": "lending_loan"}),
        (
            "B",
            """SELECT a.id, b.status, lending_loan.id AS other
            FROM views.lending_loan AS a JOIN public.lending_loan AS b USING (id), public.lending_loan""",
        ),
        ("C", "SELECT views.lending_loan.id, l.id AS i FROM views.lending_loan, public.lending_loan AS l"),
    ],
    "an alias called like the schema": [
        ("A", "SELECT id, city FROM lending_customer"),
        ("B", "SELECT views.id, lower(views.city) AS city FROM views.a AS views"),
    ],
    "odd names": [
        (
            "A",
            'SELECT id AS "Odd Id", city FROM lending_customer',
            {"name": 'Odd "name"', "schema": "Odd Schema"},
        ),
        ("B", 'SELECT "Odd Id", x AS whole FROM "Odd Schema"."Odd ""name""" AS x', {"schema": "b.c"}),
        ("C", 'SELECT (whole)."Odd Id" FROM "b.c".b', {"schema": "select"}),
        ("D", 'SELECT * FROM "select".c', {"schema": "größe"}),
    ],
    "text that looks like a reference": [
        ("A", "SELECT id, 'views.a'::text AS said FROM lending_customer -- FROM views.a"),
        ("B", "SELECT said || ' views.a. ' AS said FROM views.a WHERE said <> $$views.a$$"),
    ],
    "set operations and windows": [
        ("A", "SELECT id, city FROM lending_customer"),
        (
            "B",
            """(SELECT id, rank() OVER (PARTITION BY city ORDER BY id) FROM views.a
                EXCEPT SELECT id, 1 FROM views.a) UNION ALL TABLE views.c LIMIT 7""",
        ),
        ("C", "SELECT id::int AS id, count(*) AS number FROM views.a GROUP BY GROUPING SETS ((id), ())"),
    ],
    "types with modifiers": [
        ("A", "SELECT 1.5::numeric(6, 2) AS n, 'x'::varchar(5) COLLATE \"C\" AS t, '{}'::int[] AS l"),
        ("B", "SELECT n, t, l, n::text || t AS both FROM views.a"),
    ],
}


@pytest.fixture(params=CHAINS.values(), ids=CHAINS)
def chain(request):
    for class_name, sql, *attributes in request.param:
        declare(class_name, sql, **(attributes[0] if attributes else {}))


@pytest.mark.parametrize("materialised", [False, True], ids=["plain", "materialised"])
@pytest.mark.parametrize("case", CHAINS)
def test_the_dry_runs_text_is_what_is_stored_afterwards(case, materialised, execute):
    for class_name, sql, *attributes in CHAINS[case]:
        declare(class_name, sql, materialised, **(attributes[0] if attributes else {}))
    first = try_all()
    first.raise_errors()
    sync_views()
    again = try_all()
    connection = connections["default"]
    catalog = read_catalog(connection, [name.schema for name in first.views])
    catalog = with_definitions(connection, catalog, first.views)
    for name, tried in first.views.items():
        installed = catalog.relations[name]
        assert tried.definition == installed.definition
        assert tried.reads == installed.reads
        assert tried.columns == again.installed_columns[name]
        assert again.views[name] == tried
    assert execute(STAGING) == []


def test_a_forced_sync_of_every_chain_runs_and_leaves_nothing_to_do(chain):
    sync_views()
    sync_views(force=True)
    assert all(plan.is_empty for plan in plan_views())


@pytest.mark.parametrize("path", ["public, views", "views, public", '"Odd Schema", views, public'])
def test_names_without_schema_are_looked_up_as_they_will_be(path, execute):
    execute(f"SET LOCAL search_path = {path}")
    declare("A", "SELECT id, city FROM lending_customer")
    declare("B", "SELECT id, city FROM a")
    declare("C", 'SELECT b.id FROM "b" JOIN a USING (id)', materialised=True)
    first = try_all()
    first.raise_errors()
    assert view(first, "c").reads == {ViewName("views", "a"), ViewName("views", "b")}
    sync_views()
    assert try_all().views == first.views
    assert all(plan.is_empty for plan in plan_views())


def test_a_change_is_tried_against_the_changed_views_that_it_reads(registered):
    declare("A", "SELECT id FROM lending_customer")
    declare("B", "SELECT * FROM views.a")
    sync_views()
    with registered.isolated():
        declare("A", "SELECT id, city FROM lending_customer")
        declare("B", "SELECT * FROM views.a")
        dry_run = try_all()
    assert [column.name for column in view(dry_run, "b").columns] == ["id", "city"]
    installed = dry_run.installed_columns[ViewName("views", "b")]
    assert [column.name for column in installed] == ["id"]


def test_options_and_indexes_come_back_as_postgresql_stores_them():
    declare("A", "SELECT id, city FROM lending_customer", security_barrier=True)
    declare("M", "SELECT id, city FROM views.a", materialised=True, pk_field=("id", "city"))
    dry_run = try_all()
    assert view(dry_run, "a").options == (("security_barrier", "true"),)
    (index,) = view(dry_run, "m").indexes
    assert (index.name, index.unique, index.tail) == ("m_id_city_key", True, "btree (id, city)")


def test_a_materialised_view_is_tried_without_computing_it(execute):
    declare("M", "SELECT 1 / (id - id) AS never FROM generate_series(1, 3) AS id", materialised=True)
    declare("N", "SELECT never FROM views.m", materialised=True)
    try_all().raise_errors()


def test_an_unpopulated_materialised_view_can_be_read_by_one_that_is_tried(execute):
    declare("M", "SELECT 1 AS id", materialised=True, with_data=False)
    sync_views()
    declare("B", "SELECT id FROM views.m")
    try_all().raise_errors()


def test_an_error_names_the_view_the_file_and_the_line():
    declare("Wrong", "SELECT id,\n  agee\nFROM lending_customer")
    with pytest.raises(ViewSQLError) as caught:
        try_all().raise_errors()
    said = str(caught.value)
    assert said.startswith("tests.Wrong (tests/core/engines/test_dry_run.py, line ")
    assert 'column "agee" does not exist' in said
    shown, mark = said.splitlines()[1:3]
    assert shown == "Line 2 of the sql:   agee"
    assert mark.index("^") == shown.index("agee")


def test_an_error_in_a_line_with_a_moved_reference_shows_the_line_as_it_is_written():
    declare("A", "SELECT 1 AS id")
    declare("Wrong", "SELECT 1 AS one,\n  (SELECT nothing FROM views.a) AS two")
    with pytest.raises(
        ViewSQLError, match=r"Line 2 of the sql: \(SELECT nothing FROM views\.a\) AS two"
    ) as caught:
        try_all().raise_errors()
    assert "staging" not in str(caught.value)


def test_what_reads_a_broken_view_says_which_one_and_the_rest_is_tried():
    declare("A", "SELECT 1 AS id")
    declare("B", "SELECT nothing FROM views.a")
    declare("C", "SELECT * FROM views.b")
    declare("D", "SELECT * FROM views.c")
    declare("E", "SELECT id FROM views.a")
    dry_run = try_all()
    assert {name.name for name in dry_run.views} == {"a", "e"}
    assert {name.name for name in dry_run.errors} == {"b", "c", "d"}
    messages = {name.name: str(error) for name, error in dry_run.errors.items()}
    assert "it reads views.b, which fails" in messages["c"]
    assert "it reads views.c, which fails" in messages["d"]
    with pytest.raises(InvalidViewsError) as caught:
        dry_run.raise_errors()
    assert len(caught.value.errors) == 3


BROKEN = {
    "syntax": "SELECT FROM WHERE",
    "relation": "SELECT 1 AS id FROM nowhere",
    "column": "SELECT nothing FROM lending_loan",
    "function": "SELECT nothing(1) AS id",
    "type": "SELECT 'x'::nothing AS id",
    "value": "SELECT 'x'::int AS id",
    "two columns of one name": "SELECT 1 AS id, 2 AS id",
    "parameter": "SELECT $1 AS id",
    "not a query": "INSERT INTO lending_loan DEFAULT VALUES",
    "data-modifying": "WITH gone AS (DELETE FROM lending_loan RETURNING id) SELECT id FROM gone",
    "aggregate": "SELECT id, count(*) FROM lending_loan",
    "union": "SELECT 1 AS id UNION SELECT now()",
    "end of the view": "SELECT 1 AS id)",
    "unterminated string": "SELECT 'x AS id",
    "unterminated comment": "SELECT 1 AS id /* x",
    "unterminated identifier": 'SELECT 1 AS "id',
    "too many columns": f"SELECT {', '.join(f'1 AS c{i}' for i in range(1700))}",
    "temporary table": "SELECT * FROM pg_temp.nothing",
}


@pytest.mark.parametrize("sql", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("materialised", [False, True], ids=["plain", "materialised"])
def test_whatever_postgresql_refuses_is_an_error_of_the_view(sql, materialised, take_picture, execute):
    declare("Good", "SELECT 1 AS id")
    declare("Wrong", sql, materialised)
    before = take_picture()
    dry_run = try_all()
    assert [name.name for name in dry_run.views] == ["good"]
    ((name, error),) = dry_run.errors.items()
    assert name.name == "wrong"
    assert "tests.Wrong (tests/core/engines/test_dry_run.py, line " in str(error)
    with pytest.raises(ViewSQLError):
        sync_views()
    assert take_picture() == before
    assert execute(STAGING) == []


def test_the_staging_schema_is_gone_when_something_unexpected_happens(execute, monkeypatch):
    declare("A", "SELECT 1 AS id")

    class UnexpectedError(Exception):
        pass

    def fail(*args):
        raise UnexpectedError

    monkeypatch.setattr("orm_views_core.engines.postgresql.dry_run._read_staged", fail)
    with pytest.raises(UnexpectedError):
        try_all()
    assert execute(STAGING) == []


def test_the_search_path_and_the_transaction_are_as_before(execute):
    execute("SET LOCAL search_path = views, public")
    declare("A", "SELECT id FROM lending_loan")
    with transaction.atomic():
        try_all().raise_errors()
        assert execute("SHOW search_path") == [("views, public",)]
        execute("CREATE TABLE public.made_afterwards ()")
    assert execute("SELECT to_regclass('public.made_afterwards') IS NOT NULL") == [(True,)]


@pytest.mark.django_db(transaction=True)
def test_a_dry_run_outside_of_a_transaction_leaves_nothing(execute):
    declare("A", "SELECT id FROM lending_loan")
    declare("Wrong", "SELECT nothing")
    with pytest.raises(ViewSQLError, match="Wrong"):
        plan_views()
    assert execute(STAGING) == []
    assert execute("SELECT nspname FROM pg_namespace WHERE nspname = 'views'") == []


def test_a_role_that_may_create_no_schema_is_no_error_of_a_view(execute, make_role):
    role = make_role("powerless")
    declare("A", "SELECT 1 AS id")
    execute(f"SET LOCAL ROLE {role}")
    with pytest.raises(DatabaseError, match="permission denied for database"), transaction.atomic():
        try_all()
    execute("RESET ROLE")


#: SELECTs that the words of a materialised view's definition could be read on from.
ENDS = {
    "a comment": "SELECT 1 AS id -- the end",
    "a comment behind a semicolon": "SELECT 1 AS id; -- the end",
    "a block comment": "SELECT 1 AS id /* the /* very */ end */",
    "a type": "SELECT NULL::time AS id",
    "a function in FROM": "SELECT * FROM unnest(ARRAY[1, 2])",
    "a column without AS": "SELECT 1 id",
    "parentheses": "(SELECT 1 AS id) UNION (SELECT 2)",
    "rows": "SELECT 1 AS id FETCH FIRST ROW ONLY",
    "VALUES": "VALUES (1)",
    "IS JSON": "SELECT 1 AS id WHERE '1' IS JSON",
    "IS JSON of a kind": "SELECT 1 AS id, '{}' IS NOT JSON OBJECT",
    "IS JSON with keys": "SELECT 1 AS id, '{}' IS JSON WITHOUT UNIQUE KEYS",
}


@pytest.mark.parametrize("with_data", [True, False], ids=["filled", "empty"])
@pytest.mark.parametrize("sql", ENDS.values(), ids=list(ENDS))
def test_a_materialised_view_may_end_in_anything_that_a_select_ends_in(sql, with_data):
    if "JSON" in sql and connections["default"].pg_version < 160000:
        pytest.skip("IS JSON is new in PostgreSQL 16")
    declare("V", sql, materialised=True, with_data=with_data)
    assert list(try_all().views) == [ViewName("views", "v")]
    sync_views()
    assert sync_views(force=True)[0].steps[0].step.action.verb == "rebuild"


@pytest.mark.parametrize(
    ("sql", "refused"),
    [
        ("SELECT id\nFROM lending_customer WHERE", "it ends where more has to follow."),
        ("SELECT id\nFROM lending_customer WHERE (id > 1", "it ends where more has to follow."),
        ("SELECT id\nFROM lending_customer WITH NO DATA", 'syntax error at or near "WITH".'),
        ("SELECT id\nFROM lending_customer /* no", 'unterminated /* comment at or near "/* no".'),
    ],
)
def test_an_error_at_the_end_shows_the_end_and_no_words_that_its_class_has_not(sql, refused):
    declare("V", sql, materialised=True)
    dry_run = try_all()
    text = str(dry_run.errors[ViewName("views", "v")])
    assert refused in text
    assert "Line 2 of the sql: FROM" in text
    assert "DATA" not in text.replace(sql.splitlines()[-1], "")
    with pytest.raises(ViewSQLError) as refusal:
        sync_views()
    assert refused in str(refusal.value)
