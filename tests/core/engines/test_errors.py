"""What a view's query raises is told as the view's, whatever its SQLSTATE; a time-out, with who set it."""

from __future__ import annotations

import time

import pytest
from django.db import connection, connections

from orm_views_core.exceptions import OrmViewsError, RefreshError, SyncFailedError, ViewSQLError
from orm_views_core.refresh import plan_refresh, refresh_views
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from tests.core.gates import query

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

FUNCTIONS = """
CREATE TABLE public.things (id int);
CREATE FUNCTION public.fail(code text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'boom' USING ERRCODE = code;
END $$;
CREATE FUNCTION public.hurried() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE public.things IN ACCESS EXCLUSIVE MODE NOWAIT;
    RETURN 1;
END $$;
CREATE FUNCTION public.inlined() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM things $$;
CREATE FUNCTION public.called() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT count(*) FROM things);
END $$;
"""
#: Of locks, lost connections, cancelled statements, aborted transactions, other servers, files, memory.
CODES = [
    "08006",
    "25P02",
    "25P04",
    "28P01",
    "2F003",
    "40001",
    "40P01",
    "53200",
    "55000",
    "55P03",
    "57014",
    "57P01",
    "58030",
    "HV000",
]
SLOW = "SELECT 1 AS id FROM (SELECT pg_sleep(5)) AS slow"


@pytest.fixture(autouse=True)
def functions(transactional_db):
    query(FUNCTIONS)
    yield
    query("DROP TABLE public.things CASCADE; DROP FUNCTION public.fail(text) CASCADE")
    query("DROP FUNCTION public.hurried(), public.inlined(), public.called() CASCADE")


def declare(sql, with_data=False):
    bases = (PostgresMaterialisedViewMixin, PostgresViewFromSQL)
    type("Low", bases, {"sql": sql, "with_data": with_data, "__module__": __name__})


def failure_of(work):
    """Return the error of some work, which does not wait for LOCK_WAIT, and leaves the connection usable."""
    began = time.monotonic()
    with pytest.raises(OrmViewsError) as failure:
        work()
    assert time.monotonic() - began < 20
    assert query("SELECT 1") == [(1,)]
    return failure.value


@pytest.mark.parametrize("code", CODES)
def test_what_a_query_raises_is_told_as_the_view_s(code, registered):
    with registered.isolated():
        declare(f"SELECT public.fail('{code}') AS id", with_data=True)
        error = failure_of(sync_views)
        assert isinstance(error, SyncFailedError if code[:2] in {"53", "58"} else ViewSQLError)
        assert "Low (" in str(error)
        assert "its rows could not be computed: boom" in str(error)
        assert "fail(text) line 3 at RAISE" in str(error)
    declare(f"SELECT public.fail('{code}') AS id")
    sync_views()
    error = failure_of(lambda: refresh_views(["low"]))
    assert isinstance(error, RefreshError)
    assert str(error).startswith("views.low in database 'default' could not be refreshed: boom")
    assert "fail(text) line 3 at RAISE" in str(error)


def test_a_lock_that_the_query_does_not_wait_for_is_not_tried_again():
    declare("SELECT public.hurried() AS id")
    sync_views()
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE public.things IN ACCESS SHARE MODE")
        error = failure_of(lambda: refresh_views(["low"]))
    finally:
        other.close()
    assert "could not obtain lock on relation" in str(error)
    assert "PL/pgSQL function hurried()" in str(error)


def test_a_query_that_cannot_be_read_is_still_refused():
    declare("SELECT nowhere FROM public.things", with_data=True)
    assert 'PostgreSQL refuses its SQL: column "nowhere" does not exist' in str(failure_of(sync_views))


@pytest.mark.parametrize("function", ["inlined", "called"])
def test_a_function_without_a_search_path_is_named_with_the_remedy(function, registered):
    if connection.pg_version < 170_000:
        pytest.skip("rows are computed along the path of the session")
    remedy = f"ALTER FUNCTION public.{function}() SET search_path = …."
    with registered.isolated():
        declare(f"SELECT public.{function}() AS id", with_data=True)
        error = failure_of(sync_views)
        assert 'its rows could not be computed: relation "things" does not exist' in str(error)
        assert (str(error).count(remedy), error.summary.count(remedy)) == (1, 1)
    declare(f"SELECT public.{function}() AS id")
    sync_views()
    error = failure_of(lambda: refresh_views(["low"]))
    assert (str(error).count(remedy), error.summary.count(remedy)) == (1, 1)
    query(f"ALTER FUNCTION public.{function}() SET search_path = public")
    refresh_views(["low"])


@pytest.fixture
def imposed(request):
    """A `statement_timeout` of a second that somebody has set, and what is said of that."""
    role, name = query("SELECT quote_ident(session_user), quote_ident(current_database())")[0]
    where = {
        "role": f"ROLE {role}",
        "database": f"DATABASE {name}",
        "both": f"ROLE {role} IN DATABASE {name}",
    }.get(request.param)
    if where is None:
        query("SET statement_timeout = '1s'")
        yield "SET in this session"
        query("RESET statement_timeout")
        return
    query(f"ALTER {where} SET statement_timeout = '1s'")
    connection.close()
    yield f"ALTER {where} SET".replace(role, f'"{role}"').replace(name, f'"{name}"')
    query(f"ALTER {where} RESET statement_timeout")
    connection.close()


@pytest.mark.parametrize("imposed", ["role", "database", "both", "session"], indirect=True)
def test_a_time_out_is_told_with_who_set_it(imposed):
    declare(SLOW, with_data=True)
    said = str(failure_of(sync_views))
    assert "longer than statement_timeout (1 s) and was cancelled" in said
    assert f"This limit was set by {imposed}" in said


def test_a_transaction_time_out_keeps_its_cause():
    if connection.pg_version < 170_000:
        pytest.skip("this PostgreSQL does not know the setting")
    declare(SLOW, with_data=True)
    query("SET transaction_timeout = '1s'")
    said = str(failure_of(sync_views))
    connection.close()
    assert "its transaction took longer than transaction_timeout (1 s). This limit was set by SET" in said
    assert 'It had sent: CREATE MATERIALIZED VIEW "views"."low"' in said


def test_a_time_out_while_refreshes_are_planned_is_no_lost_connection():
    declare("SELECT 1 AS id", with_data=True)
    sync_views()
    other = connections.create_connection("default")
    query("SET statement_timeout = '400ms'")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE pg_catalog.pg_description IN ACCESS EXCLUSIVE MODE")
        said = str(failure_of(plan_refresh))
    finally:
        other.close()
        query("RESET statement_timeout")
    assert "a statement took longer than statement_timeout (0.4 s)" in said


@pytest.fixture
def dblink(transactional_db):
    """The extension with which SQL of a view asks another server; not every PostgreSQL has it."""
    if not query("SELECT name FROM pg_available_extensions WHERE name = 'dblink'"):
        pytest.skip("this PostgreSQL comes without dblink")
    query("CREATE EXTENSION dblink SCHEMA public")
    yield
    query("DROP EXTENSION dblink CASCADE")


def test_another_server_that_is_down_is_not_ours(dblink):
    asked = "public.dblink('host=127.0.0.1 port=1 dbname=x user=x password=x', 'SELECT 1') AS t (id int)"
    declare(f"SELECT id FROM {asked}")
    sync_views()
    error = failure_of(lambda: refresh_views(["low"]))
    assert str(error).startswith(
        "views.low in database 'default' could not be refreshed: could not establish"
    )
    assert error.message.report.sqlstate == "08001"
