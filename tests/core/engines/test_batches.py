"""Several statements in one string, also where psycopg 3 prepares what it sends."""

import pytest
from django.db import DatabaseError, connections
from django.db.backends.postgresql.psycopg_any import is_psycopg3

from orm_views_core.engines.postgresql.batches import send
from orm_views_core.names import ViewName
from orm_views_core.refresh import refresh_views
from orm_views_core.status import get_detail, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

needs_psycopg3 = pytest.mark.skipif(not is_psycopg3, reason="psycopg2 binds on the client")
PREPARING = {"server_side_binding": True, "prepare_threshold": 0}


@pytest.mark.django_db
def test_statements_are_sent_together(execute):
    with connections["default"].cursor() as cursor:
        send(cursor, ["CREATE TABLE a (n int)", "INSERT INTO a VALUES (1); INSERT INTO a VALUES (2)"])
    assert execute("SELECT n FROM a ORDER BY n") == [(1,), (2,)]


@needs_psycopg3
@pytest.mark.django_db(transaction=True)
def test_preparing_goes_on_after_them(misdirect):
    misdirect("default", {"OPTIONS": PREPARING})
    with connections["default"].cursor() as cursor:
        send(cursor, ["SELECT 1", "SELECT 2"])
        with pytest.raises(DatabaseError):
            send(cursor, ["SELECT 1", "SELECT nonsense"])
    assert connections["default"].connection.prepare_threshold == 0


def declare(name, sql, *bases, **attributes):
    return type(name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


@needs_psycopg3
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_everything_works_where_statements_are_prepared(misdirect, execute):
    misdirect("default", {"OPTIONS": PREPARING})
    for column in ("1", "2::bigint", "'x'::text"):
        for name in ("A", "B"):
            declare(name, f"SELECT {column} AS id, 'x' AS title")
        declare("M", "SELECT id, title FROM views.a", PostgresMaterialisedViewMixin, pk_field="id")
        assert not plan_views()[0].problems
        sync_views()
        if column == "1":
            execute("CREATE STATISTICS views.s (ndistinct) ON id, title FROM views.m")
            execute("COMMENT ON STATISTICS views.s IS 'Its template has several statements.'")
            execute("CREATE INDEX by_hand ON views.m (id)")
        refresh_views(concurrently=True)
        refresh_views(concurrently=False, jobs=2)
        assert [status.state.value for status in get_statuses(["default"])[0].views] == ["synced"] * 3
        for name in ("a", "m"):
            assert get_detail("default", ViewName("views", name)).columns
