"""The status of views, and that reading it never waits for a lock."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext

from orm_views_core.exceptions import UnknownViewError
from orm_views_core.names import ViewName
from orm_views_core.plan.steps import Action
from orm_views_core.status import State, count_states, get_detail, get_status, get_statuses, reader
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = pytest.mark.django_db


def declare(class_name, sql, *bases, **attributes):
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def statuses():
    return {str(view.name): view for view in get_statuses(["default"])[0].views}


@contextmanager
def locked_by(statement):
    """Another session executes something and keeps its locks until the block ends."""
    taken, release = threading.Event(), threading.Event()

    def hold():
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"BEGIN; {statement}")
                taken.set()
                release.wait(30)
                cursor.execute("ROLLBACK")
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert taken.wait(10)
        yield
    finally:
        release.set()
        thread.join()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_a_status_waits_for_no_refresh_of_the_view_or_of_what_it_reads():
    declare("Stored", "SELECT 1 AS id", PostgresMaterialisedViewMixin, pk_field="id")
    declare("Reader", "SELECT id FROM views.stored")
    sync_views()
    with locked_by("REFRESH MATERIALIZED VIEW views.stored"), connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")  # whatever waits fails
        found = statuses()
        cursor.execute("RESET lock_timeout")
        assert {name: view.state for name, view in found.items()} == {
            "views.stored": State.SYNCED,
            "views.reader": State.SYNCED,
        }
        assert found["views.stored"].why_not_concurrently == ""
        assert found["views.stored"].installed.definition is None
        # Nothing has changed, so a sync does not wait either.
        (result,) = sync_views()
        assert result.steps == ()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_the_page_of_one_view_says_when_it_could_not_be_tried(settings):
    settings.ORM_VIEWS = {"LOCK_TIMEOUT": 0.05}
    declare("Stored", "SELECT 1 AS id", PostgresMaterialisedViewMixin, pk_field="id")
    declare("Reader", "SELECT id FROM views.stored")
    sync_views()
    with locked_by("REFRESH MATERIALIZED VIEW views.stored"):
        detail = get_detail("default", ViewName("views", "reader"))
    assert detail.expected is None
    assert "could not be tried" in detail.not_tried
    assert [column.name for column in detail.columns] == ["id"]


@pytest.mark.parametrize("count", [3, 60])
def test_the_number_of_queries_does_not_depend_on_the_number_of_views(count):
    for i in range(count):
        declare(f"V{i}", f"SELECT {i} AS i", *([PostgresMaterialisedViewMixin] if i % 2 else []))
    sync_views()
    with CaptureQueriesContext(connection) as queries:
        assert len(statuses()) == count
    assert len(queries) == 10  # with the savepoint, because the test has a transaction of its own


@pytest.mark.parametrize("read", [statuses, lambda: get_status("default", ViewName("views", "v"))])
def test_an_error_leaves_the_transaction_of_the_caller_as_it_was(read, execute, monkeypatch):
    declare("V", "SELECT 1 AS i")
    sync_views()
    monkeypatch.setattr(reader, "read_sources_of", lambda *args: execute("SELECT 1 / 0"))
    with pytest.raises(DataError):
        read()
    assert execute("SELECT 1") == [(1,)]


def test_a_view_whose_class_has_become_invalid_is_listed_once_and_not_as_orphaned():
    declare("V", "SELECT 1 AS a")
    sync_views()
    declare("V", "SELECT 1 AS a; SELECT 2")
    (view,) = get_statuses(["default"])[0].views
    assert (str(view.name), view.state, view.installed is not None) == ("views.v", State.INVALID, True)


def test_two_classes_of_one_name_in_one_module_are_a_duplicate_that_is_shown(registered):
    class Twin(PostgresViewFromSQL):
        sql = "SELECT 1 AS a"

    first = Twin

    class Twin(PostgresViewFromSQL):
        sql = "SELECT 2 AS a"

    assert registered.views() == [first, Twin]
    (view,) = (view for view in get_statuses(["default"])[0].views if view.state is State.INVALID)
    assert "both claim the name 'views.twin'" in view.reason


def test_a_view_synced_under_another_alias_is_not_an_orphan(execute, registered):
    view = declare("V", "SELECT 1 AS a")
    sync_views()
    execute(
        'COMMENT ON VIEW views.v IS \'{"orm_views": 1, "database": "other", "code": "x", '
        '"installed": "x", "synced": "2026-01-01T00:00:00+00:00"}\''
    )
    declare("W", "SELECT 1 AS a")
    registered.unregister(view)
    assert statuses()["views.v"].state is State.UNMANAGED
    assert "alias 'other'" in statuses()["views.v"].reason
    sync_views()
    assert "views.v" in statuses()


def test_every_state_is_counted_in_a_fixed_order():
    declare("A", "SELECT 1 AS a")
    sync_views()
    declare("B", "SELECT 1 AS a")
    assert list(count_states(get_statuses(["default"])).items()) == [(State.MISSING, 1), (State.SYNCED, 1)]


def test_the_detail_of_a_view_has_what_it_reads_and_what_reads_it():
    declare("Base", "SELECT id, city FROM lending_customer")
    declare("Reader", "SELECT city FROM views.base")
    sync_views()
    detail = get_detail("default", ViewName("views", "base"))
    assert [str(name) for name in detail.reads] == ["public.lending_customer"]
    assert [str(name) for name in detail.read_by] == ["views.reader"]
    assert [column.type for column in detail.columns] == ["bigint", "character varying(60)"]
    assert detail.expected.definition == detail.status.installed.definition


def test_the_detail_of_a_view_that_does_not_exist_yet_has_the_columns_to_come():
    declare("Base", "SELECT 1 AS a")
    declare("Reader", "SELECT a, 'x' AS b FROM views.base")
    detail = get_detail("default", ViewName("views", "reader"))
    assert [column.name for column in detail.columns] == ["a", "b"]
    assert [str(name) for name in detail.reads] == ["views.base"]


def test_the_detail_of_a_view_whose_sql_is_refused_says_so():
    declare("V", "SELECT nothing")
    detail = get_detail("default", ViewName("views", "v"))
    assert detail.status.state is State.INVALID
    assert 'column "nothing" does not exist' in detail.status.reason


def test_the_detail_of_a_view_that_nobody_has_is_an_error():
    with pytest.raises(UnknownViewError, match=r"no view views\.v in database 'default'"):
        get_detail("default", ViewName("views", "v"))


def test_a_plain_view_that_becomes_materialised_without_data_is_created_empty():
    declare("V", "SELECT 1 AS a")
    sync_views()
    declare("V", "SELECT 1 AS a", PostgresMaterialisedViewMixin, with_data=False)
    sync_views()
    assert statuses()["views.v"].state is State.NOT_POPULATED


def test_a_materialised_view_that_becomes_plain_forgets_its_refreshes():
    declare("V", "SELECT 1 AS a", PostgresMaterialisedViewMixin)
    sync_views()
    assert statuses()["views.v"].installed.state.refreshed
    declare("V", "SELECT 1 AS a")
    (plan,) = plan_views()
    assert [step.action for step in plan.steps] == [Action.REBUILD]
    sync_views()
    state = statuses()["views.v"].installed.state
    assert (state.refreshed, state.seconds) == (None, None)


def test_the_status_of_one_view_is_that_in_the_list_of_all(execute, registered):
    declare("Synced", "SELECT 1 AS id")
    declare("Left", "SELECT 1 AS id")
    declare("Stored", "SELECT 1 AS id", PostgresMaterialisedViewMixin, with_data=False)
    sync_views()
    execute("CREATE TABLE views.taken (); CREATE VIEW views.unmanaged AS SELECT 1 AS id")
    execute("CREATE SCHEMA other; ALTER VIEW views.left SET SCHEMA other")
    registered._classes = {k: view for k, view in registered._classes.items() if view.__name__ != "Left"}
    declare("Missing", "SELECT 1 AS id")
    declare("Taken", "SELECT 1 AS id")
    declare("Broken", None)
    declare("Same", "SELECT 1 AS id")
    declare("Other", "SELECT 2 AS id", name="same")
    found = get_statuses(["default"])[0].views
    assert len({view.state for view in found}) >= 6
    for view in found:
        if view.name is not None:
            assert get_status("default", view.name) == view


def test_a_table_and_a_name_that_nothing_has_are_no_views(execute):
    declare("Synced", "SELECT 1 AS id")
    sync_views()
    execute("CREATE TABLE views.taken ()")
    for name in ("taken", "nothing"):
        with pytest.raises(UnknownViewError, match=f"no view views.{name}"):
            get_status("default", ViewName("views", name))


def test_the_status_of_one_view_reads_nothing_of_the_others(execute):
    declare("Synced", "SELECT 1 AS id")
    for number in range(20):
        declare(f"Other{number}", "SELECT 1 AS id")
    sync_views()
    read = []

    def wrapper(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        read.append(context["cursor"].cursor.rowcount)
        return result

    with connection.execute_wrapper(wrapper):
        get_status("default", ViewName("views", "synced"))
    assert max(read) < 20
