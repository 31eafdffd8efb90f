"""Problems of the database are found while planning. The message says what to do; nothing is changed."""

from __future__ import annotations

import re

import pytest
from django.db import connection, connections

from orm_views_core.exceptions import PlanBlockedError, ViewSQLError
from orm_views_core.sync import plan_views, sync_views
from tests.core.keeping import declare, run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("as_superuser")]

SQL, OTHER_SQL, INCOMPATIBLE = "SELECT 1 AS id", "SELECT 1 AS id, 2 AS b", "SELECT 'x' AS code"


@pytest.fixture
def as_superuser(transactional_db):
    """A function that runs SQL as the superuser, whatever role the test connects as."""
    superuser = connections.create_connection("default")

    def execute(sql):
        with superuser.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    drop_roles = "DROP ROLE IF EXISTS app; DROP ROLE IF EXISTS boss"
    execute(drop_roles)
    yield execute
    execute("DROP SCHEMA IF EXISTS views CASCADE; DROP TABLE IF EXISTS public.secret CASCADE")
    for (role,) in execute("SELECT rolname FROM pg_roles WHERE rolname IN ('app', 'boss')"):
        execute(f"DROP OWNED BY {role} CASCADE")
    execute(drop_roles)
    superuser.close()


@pytest.fixture
def app(as_superuser, misdirect):
    """Connect as a role with the privileges that the role of a project usually has."""
    as_superuser(f"CREATE ROLE app LOGIN; CREATE ROLE boss; GRANT CREATE ON DATABASE {database()} TO app")
    misdirect("default", {"USER": "app"})


def database():
    return connection.ops.quote_name(connection.settings_dict["NAME"])


def blocked(take_picture, *words, **options):
    """Assert that a sync raises the problems of the plan, and that the database is as it was."""
    before = take_picture()
    (plan,) = plan_views(**options)
    assert len(plan.problems) == 1, plan.problems
    with pytest.raises((PlanBlockedError, ViewSQLError)) as caught:
        sync_views(**options)
    # A new view is tried by creating it, and a materialised one by filling it.
    assert str(caught.value) in plan.problems or "permission denied for table" in str(caught.value)
    for word in words:
        assert word in plan.problems[0]
    assert take_picture() == before
    return plan.problems[0]


@pytest.mark.parametrize("materialised", [False, True])
@pytest.mark.parametrize("sql", [OTHER_SQL, INCOMPATIBLE])
def test_a_view_of_a_role_that_we_are_not_a_member_of(sql, materialised, app, take_picture, as_superuser):
    declare("V", SQL, materialised=materialised)
    sync_views()
    as_superuser("ALTER TABLE views.v OWNER TO boss")
    declare("V", sql, materialised=materialised)
    said = blocked(take_picture, "views.v", "boss", "app")
    as_superuser(_advice(said, r'ALTER TABLE "views"\."v" OWNER TO app'))
    assert len(sync_views()[0].steps) == 1


@pytest.mark.parametrize("materialised", [False, True])
def test_a_view_of_a_role_that_we_become_a_member_of_stays_his(materialised, app, take_picture, as_superuser):
    declare("V", SQL, materialised=materialised)
    sync_views()
    as_superuser("ALTER TABLE views.v OWNER TO boss; GRANT SELECT ON views.v TO PUBLIC")
    declare("V", INCOMPATIBLE, materialised=materialised)
    as_superuser(_advice(blocked(take_picture), "GRANT boss TO app"))
    assert sync_views()[0].steps[0].step.lost == ()
    assert run("SELECT relowner::regrole::text FROM pg_class WHERE oid = 'views.v'::regclass") == [("boss",)]
    assert sync_views()[0].steps == ()


@pytest.mark.parametrize("exists", [False, True])
def test_no_right_to_create_schemas(exists, app, take_picture, as_superuser):
    if exists:
        declare("V", SQL)
        sync_views()
        declare("V", OTHER_SQL)
    else:
        declare("V", SQL)
    as_superuser(f"REVOKE CREATE ON DATABASE {database()} FROM app")
    blocked(take_picture, "app", "GRANT CREATE ON DATABASE", "TO app")
    as_superuser(f"GRANT CREATE ON DATABASE {database()} TO app")
    sync_views()


@pytest.mark.parametrize("change", ["create", "replace", "rebuild", "rebuild materialised"])
def test_no_right_to_create_in_the_schema(change, app, take_picture, as_superuser):
    materialised = change == "rebuild materialised"
    declare("V", SQL, materialised=materialised)
    sync_views()
    as_superuser("ALTER SCHEMA views OWNER TO boss; GRANT USAGE ON SCHEMA views TO app")
    if change == "create":
        declare("W", SQL)
    else:
        declare("V", OTHER_SQL if change == "replace" else INCOMPATIBLE, materialised=materialised)
    said = blocked(take_picture, "app may not create", "views")
    as_superuser(_advice(said, 'GRANT USAGE, CREATE ON SCHEMA "views" TO app'))
    sync_views()


def test_no_right_to_create_in_the_schema_keeps_nobody_from_setting_options(app, as_superuser):
    declare("V", SQL)
    sync_views()
    as_superuser("ALTER SCHEMA views OWNER TO boss; GRANT USAGE ON SCHEMA views TO app")
    declare("V", SQL, security_barrier=True)
    assert [done.step.action.verb for done in sync_views()[0].steps] == ["options"]


@pytest.mark.parametrize("materialised", [False, True])
@pytest.mark.parametrize("exists", [False, True])
def test_a_table_that_we_may_not_read(exists, materialised, app, take_picture, as_superuser):
    if exists:
        declare("V", SQL, materialised=materialised)
        sync_views()
    as_superuser("CREATE TABLE public.secret (id int)")
    declare("V", "SELECT id FROM public.secret", materialised=materialised)
    said = blocked(take_picture, "app", " may not read public.secret")
    as_superuser(_advice(said, "GRANT SELECT ON public.secret TO app"))
    sync_views()


def test_some_columns_of_a_table_are_enough_where_a_view_reads_no_others(app, as_superuser):
    as_superuser("CREATE TABLE public.secret (id int, name text); GRANT SELECT (id) ON public.secret TO app")
    declare("V", "SELECT id FROM public.secret", materialised=True)
    assert plan_views()[0].problems == ()
    sync_views()


@pytest.mark.parametrize("exists", [False, True])
def test_a_read_only_database(exists, misdirect, take_picture):
    if exists:
        declare("V", SQL)
        sync_views()
        declare("V", OTHER_SQL)
    else:
        declare("V", SQL)
    misdirect("default", {"OPTIONS": {"options": "-c default_transaction_read_only=on"}})
    blocked(take_picture, "'default'", "read-only", "primary")


def test_a_read_only_database_whose_views_are_as_they_should_be(misdirect):
    declare("V", SQL)
    sync_views()
    misdirect("default", {"OPTIONS": {"options": "-c default_transaction_read_only=on"}})
    assert plan_views()[0].is_empty
    assert sync_views()[0].steps == ()


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("CREATE INDEX w ON views.t (a)", "index of views.t"),
        ("CREATE TYPE views.w AS ENUM ('a')", "enum type"),
        ("CREATE DOMAIN views.w AS int", "domain"),
        ("CREATE TYPE views.w AS RANGE (subtype = int)", "type"),
        ("CREATE TYPE views.w AS (a int)", "composite type"),
        ("CREATE SEQUENCE views.w", "sequence"),
        ("CREATE TABLE views.w ()", "table"),
        ("CREATE TABLE views.w (a int) PARTITION BY RANGE (a)", "partitioned table"),
    ],
)
@pytest.mark.parametrize("materialised", [False, True])
def test_the_name_of_a_new_view_is_that_of_something_else(sql, what, materialised, take_picture):
    run("CREATE SCHEMA views; CREATE TABLE views.t (a int)")
    run(sql)
    declare("W", SQL, materialised=materialised)
    blocked(take_picture, "tests.W", "views.w", what)


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize(
    "sql", ["CREATE INDEX {} ON views.t (a)", "CREATE TABLE views.{} ()", "CREATE SEQUENCE views.{}"]
)
def test_the_name_of_a_new_index_is_taken(sql, exists, take_picture):
    run("CREATE SCHEMA views; CREATE TABLE views.t (a int)")
    if exists:
        declare("V", SQL, materialised=True)
        sync_views()
    declare("V", SQL, materialised=True, pk_field="id")
    (index,) = plan_views()[0].steps[-1].definition.indexes
    run(sql.format(index.name))
    blocked(take_picture, "tests.V", f"views.{index.name}")


def _advice(said, pattern):
    """Return the statement that a message advises."""
    found = re.search(pattern, said)
    assert found, said
    return found[0]
