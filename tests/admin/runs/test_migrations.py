"""A run of ``migrate_views`` is one run of the history, with a step for each migration."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations import Migration, RunSQL

from orm_views_admin.models import Run
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.signals import views_sync_failed
from orm_views_core.sync import sync_views
from orm_views_core.with_migrations.api import migrate_views
from orm_views_core.with_migrations.options import MigrateOptions
from tests.admin.browse import declare, declare_materialised

pytestmark = pytest.mark.django_db


@pytest.fixture
def migrate(execute):
    """A function that runs SQL as the migrations of an app."""
    execute(
        "CREATE TABLE public.shelf (id int PRIMARY KEY, size int); INSERT INTO public.shelf VALUES (1, 2)"
    )
    declare("Sizes", "SELECT id, size FROM shelf")
    declare_materialised("Stored", "SELECT id, size, size::int AS small FROM shelf", pk_field="id")
    sync_views(databases=["default"])
    Run.objects.all().delete()

    def run(*statements):
        def work(steps):
            for number, sql in enumerate(statements):
                migration = Migration(f"{number:04}", "shop")
                migration.operations = [RunSQL(sql)]
                steps.before(migration)
                with connection.schema_editor() as editor:
                    migration.operations[0].database_forwards("shop", editor, None, None)
                steps.after(migration)

        return migrate_views("default", work, MigrateOptions())

    return run


def test_it_is_one_run_with_its_steps(migrate):
    migrate("ALTER TABLE shelf ALTER size TYPE bigint", "ALTER TABLE shelf ADD more int")
    run = Run.objects.get()
    assert (run.kind, run.state, run.database) == ("sync", "succeeded", "default")
    assert [step["text"] for step in run.steps] == [
        "migrate shop.0000",
        "migrate shop.0001",
        "rebuild views.sizes",
        "rebuild views.stored",
    ]
    assert run.summary == "migrate: 2, rebuild: 2"


def test_its_page_shows_them(migrate, admin_client):
    migrate("ALTER TABLE shelf ALTER size TYPE bigint")
    page = admin_client.get(f"/admin/orm-views/runs/{Run.objects.get().request}/")
    assert page.status_code == 200
    assert "shop.0000" in page.content.decode()
    assert "views.stored" in page.content.decode()


def test_the_signal_of_a_run_that_fails_has_the_plan_if_there_was_one(migrate):
    failed = []

    def note(plan, **kwargs):
        failed.append(plan)

    views_sync_failed.connect(note)
    try:
        with pytest.raises(OrmViewsError):
            migrate("SELECT no_such_function()")
        with pytest.raises(OrmViewsError):
            migrate("ALTER TABLE shelf ALTER size TYPE bigint; UPDATE shelf SET size = 5000000000")
    finally:
        views_sync_failed.disconnect(note)
    before, after = failed
    assert before is None
    assert [step.target for step in after.steps] == ["views.sizes"]


def test_a_run_that_fails_says_why(migrate):
    with pytest.raises(OrmViewsError):
        migrate("ALTER TABLE shelf ALTER size TYPE bigint", "SELECT no_such_function()")
    run = Run.objects.get()
    assert run.state == "failed"
    assert "shop.0001: function no_such_function() does not exist" in run.error
