"""A SELECT that was read before is not read again, unless it means something else now."""

from __future__ import annotations

import pytest
from django.db import connection

from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.engines.postgresql.rules import known
from orm_views_core.engines.postgresql.rules.catalog import read_stored
from orm_views_core.engines.postgresql.rules.follow import follow
from orm_views_core.engines.postgresql.rules.known import read_selects
from orm_views_core.names import ViewName

pytestmark = pytest.mark.django_db

VIEW = ViewName("public", "v")


@pytest.fixture(autouse=True)
def read(monkeypatch):
    """The oids whose SELECTs were read and not found again; nothing is known at first."""
    read = []
    really = known.read_select

    def reading(stored, oid):
        read.append(oid)
        return really(stored, oid)

    monkeypatch.setattr(known, "_known", {})
    monkeypatch.setattr(known, "read_select", reading)
    return read


@pytest.fixture(autouse=True)
def views(execute):
    execute(
        """
        CREATE TABLE public.things (id int, email text, city text);
        CREATE FUNCTION public.tell(text) RETURNS text STABLE LANGUAGE sql AS 'SELECT $1';
        CREATE VIEW public.v AS SELECT id, public.tell(email) AS told, city FROM public.things;
        CREATE VIEW public.plain AS SELECT id FROM public.things
        """
    )


def lineage():
    with catalog_cursor(connection) as cursor:
        stored = read_stored(cursor, [VIEW, ViewName("public", "plain")])
    return follow(stored, selects=read_selects(stored)), follow(stored)


def test_what_has_not_changed_is_read_once(read):
    (first, whole), (again, _) = lineage(), lineage()
    assert first == whole == again
    assert len(read) == 2


def test_a_column_of_another_name_is_no_other_select(read, execute):
    lineage()
    execute("ALTER TABLE public.things RENAME email TO mail")
    found, whole = lineage()
    assert found == whole
    assert {str(each) for each in found.views[VIEW].column("told").sources} == {"public.things.mail"}


def test_a_view_that_was_replaced_is_read_again(read, execute):
    lineage()
    execute("CREATE OR REPLACE VIEW public.v AS SELECT id, city AS told, email AS city FROM public.things")
    found, whole = lineage()
    assert found == whole
    assert len(read) == 3


def test_a_function_that_has_become_immutable_reads_no_table_any_more(read, execute):
    before, _ = lineage()
    assert before.views[VIEW].column("told").through == ("public.tell(text)",)
    execute("ALTER FUNCTION public.tell(text) IMMUTABLE")
    found, whole = lineage()
    assert found == whole
    assert found.views[VIEW].column("told").through == ()
    assert len(read) == 3  # the other view calls no function


def test_a_function_of_another_name_is_named_so(execute):
    lineage()
    execute("ALTER FUNCTION public.tell(text) RENAME TO say")
    found, whole = lineage()
    assert found == whole
    assert found.views[VIEW].column("told").through == ("public.say(text)",)


def test_only_so_many_are_kept(monkeypatch):
    monkeypatch.setattr(known, "_MOST", 1)
    found, whole = lineage()
    assert found == whole
    assert len(known._known) == 1


def test_a_view_that_is_dropped_while_rules_are_read_is_left_out(execute):
    """Pages read while a sync goes on. Each query sees what is committed by then."""

    def drop(send, sql, params, many, context):
        if "pg_partition_root" in sql:  # the rules have been read, and their relations are now
            execute("DROP VIEW IF EXISTS public.v")
        return send(sql, params, many, context)

    with connection.execute_wrapper(drop), catalog_cursor(connection) as cursor:
        stored = read_stored(cursor, None)
    assert VIEW not in follow(stored).views
    assert ViewName("public", "plain") in follow(stored).views
