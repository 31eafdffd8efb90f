"""Changes of views beside other sessions, other databases and other releases, and how long they are kept."""

from __future__ import annotations

import datetime as dt
import threading
from functools import partial

import pytest
from django.core.checks import run_checks
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orm_views_admin.models import Run, ViewChange
from orm_views_admin.runs import changes as recording
from orm_views_admin.runs import prune, writing
from orm_views_core.sync import sync_views
from tests.admin.browse import declare, declare_materialised
from tests.admin.changing import Changing, changes_of, last_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def changing(django_capture_on_commit_callbacks):
    return Changing(django_capture_on_commit_callbacks)


@pytest.fixture
def after_the_commit(monkeypatch):
    """A function that has another one called between the commit of a sync and the reading of its views."""
    read = recording.read_stored

    def call(function):
        def reading(*args):
            function()
            return read(*args)

        monkeypatch.setattr(recording, "read_stored", reading)

    yield call
    monkeypatch.undo()


class AdminInWarehouse:
    """A router that has the tables of the admin in another database than the views."""

    def db_for_read(self, model, **hints):
        return "warehouse" if model._meta.app_label == "orm_views_admin" else None

    db_for_write = db_for_read


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_the_views_may_be_in_another_database_than_the_runs(changing):
    declare("Plain", "SELECT 1 AS one", database="warehouse")
    changing.sync("warehouse")
    (change,) = changes_of("plain", database="warehouse")
    assert change.after == "SELECT 1 AS one"
    assert change.run.database == "warehouse"


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_a_router_may_have_the_runs_elsewhere(changing, settings):
    settings.DATABASE_ROUTERS = [AdminInWarehouse()]
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    change = ViewChange.objects.using("warehouse").get(name="plain")
    assert change.run == Run.objects.using("warehouse").get()
    assert not ViewChange.objects.using("default").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_nothing_is_read_or_written_before_the_commit(after_the_commit):
    open_transactions = []
    after_the_commit(lambda: open_transactions.append(connection.in_atomic_block))
    declare("Plain", "SELECT 1 AS one")
    sync_views()
    declare("Plain", "SELECT 1 AS one, 2 AS two")
    sync_views()
    assert open_transactions == [False, False]
    assert len(changes_of("plain")) == 2


def test_a_view_that_is_changed_right_after_the_commit_is_not_taken_for_the_work_of_the_sync(
    changing, execute, after_the_commit
):
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    for by_hand in ("CREATE OR REPLACE VIEW views.plain AS SELECT 4 AS one", "DROP VIEW views.plain"):
        execute("CREATE OR REPLACE VIEW views.plain AS SELECT 3 AS one")
        after_the_commit(partial(execute, by_hand))
        changing.sync()
        assert (last_of("plain").before, last_of("plain").after) == (" SELECT 3 AS one;", " SELECT 1 AS one;")
        assert last_of("plain").facts_after is None
        after_the_commit(lambda: None)
        changing.sync()


def test_when_the_views_cannot_be_read_after_the_commit_the_plan_has_to_do(changing, after_the_commit):
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    declare("Plain", "SELECT 2 AS one")

    def fail():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    after_the_commit(fail)
    changing.sync()
    change = last_of("plain")
    assert (change.before, change.after) == (" SELECT 1 AS one;", " SELECT 2 AS one;")
    assert change.facts_after is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_of_syncs_at_once_only_the_one_that_changed_a_view_has_a_change():
    for n in range(20):
        declare(f"View{n}", f"SELECT {n} AS n")

    def sync_and_close():
        sync_views()
        connections.close_all()

    threads = [threading.Thread(target=sync_and_close) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Run.objects.filter(state="succeeded").count() == 2
    assert ViewChange.objects.count() == 20
    assert ViewChange.objects.values("run").distinct().count() == 1


def test_the_number_of_statements_does_not_depend_on_that_of_the_views(changing):
    def statements(number, text):
        for n in range(number):
            declare(f"View{n:03}", f"SELECT {n} AS n", __doc__=text)
        with CaptureQueriesContext(connection) as captured:
            changing.sync()
        sent = [query["sql"] for query in captured]
        return [sum(what in sql for sql in sent) for what in ("orm_views_admin_viewchange", "pg_class")]

    assert statements(3, "")[0] == 1
    assert statements(90, "")[0] == 1
    few = statements(3, "Commented.")
    assert few[0] == 1
    assert statements(90, "Commented again.") == few
    assert ViewChange.objects.count() == 3 + 87 + 3 + 90


def test_a_long_definition_is_kept_whole(changing):
    long = " UNION ALL ".join(f"SELECT {n} AS n, 'x' || {n} AS word" for n in range(2500))
    declare("Long", long)
    changing.sync()
    assert last_of("long").after == long
    changing.forget("Long")
    declare("Other", "SELECT 1 AS one")
    changing.sync()
    assert len(last_of("long").before) > 100_000
    assert last_of("long").before.endswith(";")


def test_changes_outlive_their_runs(changing, settings):
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    Run.objects.update(queued_at=timezone.now() - dt.timedelta(days=400))
    ViewChange.objects.update(at=timezone.now() - dt.timedelta(days=400))
    assert prune() == 1
    assert ViewChange.objects.select_related("run").get().run is None
    settings.ORM_VIEWS_ADMIN = {"KEEP_CHANGES": dt.timedelta(days=401)}
    prune()
    assert ViewChange.objects.count() == 1
    settings.ORM_VIEWS_ADMIN = {"KEEP_CHANGES": dt.timedelta(days=399)}
    prune()
    assert not ViewChange.objects.exists()


def test_for_ever_may_be_said_in_both_ways(changing, settings):
    declare("Plain", "SELECT 1 AS one")
    changing.sync()
    for age in (None, dt.timedelta.max):
        settings.ORM_VIEWS_ADMIN = {"KEEP_CHANGES": age}
        prune()
    assert ViewChange.objects.exists()


@pytest.mark.parametrize("age", [90, dt.timedelta(0)])
def test_a_wrong_age_is_a_problem(settings, age):
    settings.ORM_VIEWS_ADMIN = {"KEEP_CHANGES": age}
    (problem,) = [m for m in run_checks(tags=["orm_views"], databases=[]) if m.id == "orm_views_admin.E001"]
    assert "KEEP_CHANGES" in problem.msg
    assert "None for ever" in problem.hint


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_a_process_of_the_release_before_can_delete_runs_and_write_them(execute):
    declare("Plain", "SELECT 1 AS one")
    sync_views()
    run = Run.objects.get()
    execute("DELETE FROM orm_views_admin_run")  # that release does not know of changes
    (change,) = ViewChange.objects.select_related("run")
    assert (change.run_id, change.run) == (run.pk, None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_without_the_table_of_changes_syncs_and_their_runs_go_on(execute, caplog, monkeypatch):
    monkeypatch.setattr(writing, "_has_failed", False)
    declare_materialised("Stored", "SELECT 1 AS one")
    execute("ALTER TABLE orm_views_admin_viewchange RENAME TO elsewhere")
    try:
        sync_views()
    finally:
        execute("ALTER TABLE elsewhere RENAME TO orm_views_admin_viewchange")
    assert Run.objects.get().state == "succeeded"
    assert "Run migrate." in caplog.text
    assert not ViewChange.objects.exists()
