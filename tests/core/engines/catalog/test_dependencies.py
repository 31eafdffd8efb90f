"""Queries of a sync for taken names, dependents, privileges and views that were just created."""

from __future__ import annotations

import pytest
from django.db import connections

from orm_views_core.database.names_in_use import Taken
from orm_views_core.engines.postgresql.catalog.dependencies import read_other_dependents
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog, read_created, read_sources
from orm_views_core.engines.postgresql.catalog.preconditions import read_taken
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.names import ViewName

pytestmark = pytest.mark.django_db


def read(*schemas, **asked):
    return read_catalog(connections["default"], schemas or ["views"], **asked)


def view(text, **asked):
    return read(**asked).relations[ViewName("views", text)]


@pytest.fixture(autouse=True)
def schema(execute):
    execute('CREATE SCHEMA views; CREATE SCHEMA "Other Schema"')


def test_what_was_just_created_is_read_back(execute):
    execute(
        "CREATE TABLE public.t (a int, b int);"
        "CREATE VIEW views.v WITH (security_barrier) AS SELECT * FROM t;"
        "CREATE MATERIALIZED VIEW views.m AS SELECT a FROM t; CREATE UNIQUE INDEX key ON views.m (a)"
    )
    names = [ViewName("views", "v"), ViewName("views", "m"), ViewName("views", "absent")]
    found = read_created(connections["default"], names, sources_of=names[:1])
    assert set(found) == set(names[:2])
    plain, stored = found[names[0]], found[names[1]]
    assert plain.rule == view("v").rule is not None
    assert stored.rule == view("m").rule != plain.rule
    assert plain.options == (("security_barrier", "true"),)
    assert stored.indexes == view("m").indexes != ()
    oid = view("v").oid
    with catalog_cursor(connections["default"]) as cursor:
        assert (stored.sources, plain.sources) == (None, read_sources(cursor, [oid])[oid])
    assert plain.sources is not None
    assert read_created(connections["default"], []) == {}


def test_what_has_a_name_already_is_told_whatever_it_is(execute):
    execute(
        'CREATE MATERIALIZED VIEW views.m AS SELECT 1 AS a; CREATE INDEX "An index" ON views.m (a);'
        "CREATE TYPE views.mood AS ENUM ('good'); CREATE DOMAIN views.positive AS int;"
        "CREATE TYPE views.span AS RANGE (subtype = int); CREATE VIEW public.elsewhere AS SELECT 1 AS a"
    )
    asked = ["m", "An index", "mood", "positive", "span", "elsewhere", "nothing"]
    found = read_taken(connections["default"], [ViewName("views", name) for name in asked])
    assert found == {
        ViewName("views", "m"): Taken("relation"),
        ViewName("views", "An index"): Taken("index", ViewName("views", "m")),
        ViewName("views", "mood"): Taken("enum type"),
        ViewName("views", "positive"): Taken("domain"),
        ViewName("views", "span"): Taken("type"),
    }
    assert read_taken(connections["default"], []) == {}


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE FUNCTION f(views.v) RETURNS int LANGUAGE sql AS 'SELECT 1'", "function public.f(views.v)"),
        ("CREATE FUNCTION f() RETURNS SETOF views.v LANGUAGE sql AS 'SELECT 1'", "function public.f()"),
        (
            "CREATE FUNCTION f() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM views.v; END",
            "function public.f()",
        ),
        ("CREATE DOMAIN d AS views.v", "type public.d"),
        (
            "CREATE RULE r AS ON DELETE TO lending_loan DO ALSO SELECT id FROM views.v",
            "rule r on table public.lending_loan",
        ),
        (
            "CREATE POLICY p ON lending_loan USING (id IN (SELECT id FROM views.v))",
            "policy p on table public.lending_loan",
        ),
    ],
)
def test_what_is_no_view_and_would_keep_one_from_being_dropped_is_told(statement, said, execute):
    execute("CREATE VIEW views.v AS SELECT 1 AS id; CREATE VIEW views.w AS SELECT id FROM views.v")
    execute("CREATE RULE own AS ON INSERT TO views.v DO INSTEAD NOTHING")
    assert read_other_dependents(connections["default"], [view("v"), view("w")]) == {}
    execute(statement)
    assert read_other_dependents(connections["default"], [view("v"), view("w")]) == {
        ViewName("views", "v"): [said]
    }
    assert read_other_dependents(connections["default"], []) == {}


def test_what_the_role_and_the_server_allow_is_told(execute, make_role):
    role = make_role("limited")
    execute("GRANT USAGE ON SCHEMA views TO limited; CREATE VIEW views.v AS SELECT 1 AS id")
    session = read().session
    assert (session.role,) == execute("SELECT current_user::text")[0]
    assert session.creates_schemas
    assert session.read_only == ""
    (slots,) = execute(
        "SELECT current_setting('max_locks_per_transaction')::int * (current_setting('max_connections')::int "
        "+ current_setting('max_prepared_transactions')::int)"
    )[0]
    assert session.lock_slots == slots > session.locks_held >= 0
    assert read().writable == {"views"}
    assert view("v").is_ours_to_change
    execute("SET LOCAL ROLE limited")
    catalog = read("views", "Other Schema")
    execute("RESET ROLE")
    assert (catalog.session.role, catalog.session.creates_schemas) == (role, False)
    assert catalog.writable == frozenset()
    assert not catalog.relations[ViewName("views", "v")].is_ours_to_change


def test_a_transaction_that_may_not_write_is_told(execute):
    execute("SET LOCAL transaction_read_only = on")
    assert read().session.read_only == "its transactions are read-only"
