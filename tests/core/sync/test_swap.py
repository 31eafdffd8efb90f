"""Building beside the old version and swapping: readers wait only during the swap."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import DatabaseError, connections
from django.test import override_settings

from orm_views_core.exceptions import LockNotAvailableError, ViewSQLError
from orm_views_core.plan.steps import Action
from orm_views_core.status import get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.sync.executor import Progress
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]


def declare(class_name="Loans", sql="SELECT 1 AS id", materialised=False, **attributes):
    bases = (PostgresMaterialisedViewMixin,) if materialised else ()
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def staged(execute):
    return execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'orm_views_staging%'")


@pytest.fixture
def counter(execute):
    """How often a materialised view was built: sequences keep what is rolled back."""
    execute("CREATE SEQUENCE public.built")
    yield lambda: execute("SELECT last_value FROM public.built")[0][0]
    execute("DROP SCHEMA views CASCADE; DROP SEQUENCE public.built")
    execute("CREATE SCHEMA views")


def test_readers_read_the_old_version_until_the_new_one_is_complete(registered, other, execute):
    declare(materialised=True)
    declare("Reader", "SELECT id FROM views.loans")
    sync_views()
    seen = []

    def look(plan):
        other.execute("SET lock_timeout = '50ms'")
        other.execute("SELECT id FROM views.loans UNION ALL SELECT id FROM views.reader")
        seen.append(other.fetchall())
        other.connection.rollback()

    declare(sql="SELECT 2 AS id", materialised=True)
    (result,) = sync_views(progress=Progress(on_swap=look))
    assert seen == [[(1,), (1,)]]
    assert execute("SELECT id FROM views.loans UNION ALL SELECT id FROM views.reader") == [(2,), (2,)]
    assert result.swap_seconds is not None
    assert staged(execute) == []


def test_what_nobody_reads_needs_no_swap(execute):
    declare()
    called = []
    (result,) = sync_views(progress=Progress(on_swap=called.append, on_swapped=called.append))
    assert (result.swap_seconds, called) == (None, [])
    (result,) = sync_views()
    assert result.swap_seconds is None


def test_progress_is_told_step_by_step_and_then_of_the_swap(registered):
    declare(materialised=True)
    sync_views()
    declare(sql="SELECT 2 AS id", materialised=True)
    declare("Fresh", "SELECT 1 AS a")
    told = []
    sync_views(
        progress=Progress(
            on_step=lambda step: told.append(("begin", step.target)),
            on_done=lambda result: told.append(("done", result.step.target)),
            on_swap=lambda plan: told.append(("swap", [step.target for step in plan.swapped])),
            on_swapped=lambda seconds: told.append(("swapped", seconds >= 0)),
        )
    )
    assert sorted(told[:4]) == [
        ("begin", "views.fresh"),
        ("begin", "views.loans"),
        ("done", "views.fresh"),
        ("done", "views.loans"),
    ]
    assert told[4:] == [("swap", ["views.loans"]), ("swapped", True)]


def test_what_was_built_is_not_built_again_while_the_swap_waits(registered, other, execute, counter):
    declare(sql="SELECT nextval('public.built') AS id", materialised=True)
    sync_views()
    assert counter() == 1
    other.execute("SELECT * FROM views.loans")
    said = []
    with override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.05, "LOCK_WAIT": 30}):
        declare(sql="SELECT nextval('public.built') AS id, 2 AS a", materialised=True)
        gone = threading.Timer(1, other.connection.rollback)
        gone.start()
        sync_views(progress=Progress(on_wait=said.append))
        gone.join()
    assert counter() == 2
    assert execute("SELECT id FROM views.loans") == [(2,)]
    assert any("holds views.loans" in message for message in said)


def test_waiting_for_a_lock_is_not_counted_as_building(registered, other, execute):
    execute("CREATE TABLE public.closed (id int)")
    declare(sql="SELECT id FROM public.closed", materialised=True)
    other.execute("LOCK public.closed")

    def open_it(what):
        time.sleep(1)
        other.connection.rollback()

    with override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.05, "LOCK_WAIT": 30}):
        (result,) = sync_views(progress=Progress(on_wait=open_it))
    (view,) = get_statuses()[0].views
    assert result.seconds > 1 > view.installed.state.seconds
    execute("DROP TABLE public.closed CASCADE")


def test_other_readers_read_while_the_swap_waits_for_a_long_one(registered, other, execute):
    declare()
    sync_views()
    other.execute("SELECT * FROM views.loans")
    failed, read, done = [], [], threading.Event()

    def go_on_reading():
        try:
            while not done.wait(0.02):
                with connections["default"].cursor() as cursor:
                    cursor.execute("SET lock_timeout = '60ms'")
                    cursor.execute("SELECT id FROM views.loans")
                    read.append(cursor.fetchone())
        except DatabaseError as error:
            failed.append(error)
        finally:
            connections.close_all()

    reader = threading.Thread(target=go_on_reading)
    with override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.05, "LOCK_WAIT": 1}):
        declare(sql="SELECT 'x' AS code")
        reader.start()
        with pytest.raises(LockNotAvailableError):
            sync_views()
        done.set()
        reader.join()
    assert failed == []
    assert len(read) > 10


def test_a_grant_that_was_made_while_the_new_version_was_built_is_not_lost(
    registered, other, execute, make_role
):
    role = make_role("newcomer")
    declare(materialised=True)
    sync_views()
    declare(sql="SELECT 2 AS id", materialised=True)
    swaps, said = [], []

    def grant(plan):
        if not swaps:
            other.execute("GRANT SELECT ON views.loans TO newcomer")
            other.connection.commit()
        swaps.append(plan)

    sync_views(progress=Progress(on_swap=grant, on_wait=said.append))
    assert len(swaps) == 2
    assert "views.loans was given or lost a grant" in said[0]
    assert execute(f"SELECT has_table_privilege('{role}', 'views.loans', 'SELECT')") == [(True,)]
    assert execute("SELECT id FROM views.loans") == [(2,)]


def test_an_index_that_was_made_while_the_new_version_was_built_is_not_lost(registered, other, execute):
    declare(materialised=True)
    sync_views()
    declare(sql="SELECT 2 AS id", materialised=True)
    swaps = []

    def index(plan):
        if not swaps:
            other.execute("CREATE INDEX by_hand ON views.loans (id)")
            other.connection.commit()
        swaps.append(plan)

    sync_views(progress=Progress(on_swap=index))
    assert execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'views'") == [("by_hand",)]
    assert execute("SELECT id FROM views.loans") == [(2,)]


def test_a_refresh_while_the_new_version_was_built_is_no_reason_to_build_again(registered, other, execute):
    """A refresh writes its time into the sync state, which is part of the comment."""
    declare(materialised=True)
    sync_views()
    declare(sql="SELECT 2 AS id", materialised=True)
    swaps = []

    def refresh(plan):
        other.execute("SELECT obj_description('views.loans'::regclass, 'pg_class')")
        recorded = other.fetchone()[0].replace('"refreshed": "20', '"refreshed": "21')
        other.execute(f"COMMENT ON MATERIALIZED VIEW views.loans IS '{recorded}'")
        other.connection.commit()
        swaps.append(plan)

    sync_views(progress=Progress(on_swap=refresh))
    assert len(swaps) == 1
    assert plan_views()[0].is_empty


def test_a_failure_while_building_leaves_everything_as_it_was(registered, take_picture):
    declare(materialised=True)
    declare("Reader", "SELECT id FROM views.loans")
    sync_views()
    before = take_picture()
    declare(
        sql="SELECT 1 / (length(current_database()) - length(current_database())) AS id", materialised=True
    )
    with pytest.raises(ViewSQLError, match=r"Loans .*division by zero"):
        sync_views()
    assert take_picture() == before


def test_a_materialised_view_that_reads_by_way_of_a_function_is_filled_from_the_new_version(
    registered, execute
):
    """It is built in the swap: before, the function reads the old version."""
    base = declare("Base", "SELECT 1 AS id, 'x' AS a")
    sync_views()
    execute(
        "CREATE FUNCTION views.f() RETURNS bigint LANGUAGE plpgsql AS "
        "'BEGIN RETURN (SELECT id FROM views.base); END'"
    )
    declare("Stored", "SELECT views.f() AS id", materialised=True, view_dependencies=[base])
    sync_views()
    assert execute("SELECT id FROM views.stored") == [(1,)]
    base = declare("Base", "SELECT 'y' AS a, 2 AS id")
    declare("Stored", "SELECT views.f() AS id", materialised=True, view_dependencies=[base])
    (plan,) = plan_views()
    assert {step.target: bool(step.deferred) for step in plan.steps} == {
        "views.base": False,
        "views.stored": True,
    }
    (result,) = sync_views()
    assert [r.step.action for r in result.steps] == [Action.REBUILD, Action.REBUILD]
    assert execute("SELECT id FROM views.stored") == [(2,)]
    assert plan_views()[0].is_empty
