"""A run of ``migrate_views`` is one run of the history, with a step for each migration."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations import Migration, RunSQL

from orm_views_admin.models import Run, ViewChange
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.signals import views_sync_failed
from orm_views_core.sync import sync_views
from orm_views_core.with_migrations.api import migrate_views
from orm_views_core.with_migrations.options import MigrateOptions
from tests.admin.browse import declare, declare_materialised, forget
from tests.admin.changing import changes_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def migrate(execute, django_capture_on_commit_callbacks):
    """A function that runs SQL as the migrations of an app."""
    execute(
        "CREATE TABLE public.shelf (id int PRIMARY KEY, size int); INSERT INTO public.shelf VALUES (1, 2)"
    )
    declare("Sizes", "SELECT id, size FROM shelf")
    declare_materialised("Stored", "SELECT id, size, size::int AS small FROM shelf", pk_field="id")
    sync_views(databases=["default"])
    Run.objects.all().delete()

    def run(*statements, **options):
        def work(steps):
            for number, sql in enumerate(statements):
                migration = Migration(f"{number:04}", "shop")
                migration.operations = [RunSQL(sql)]
                steps.before(migration)
                with connection.schema_editor() as editor:
                    migration.operations[0].database_forwards("shop", editor, None, None)
                steps.after(migration)

        with django_capture_on_commit_callbacks(execute=True):
            return migrate_views("default", work, MigrateOptions(**options))

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


def test_its_changes_have_what_the_views_were_before_the_migrations_and_not_the_stand_ins(migrate):
    migrate("ALTER TABLE shelf ALTER size TYPE bigint")
    for name in ("sizes", "stored"):
        (change,) = changes_of(name)
        assert change.actions == ["± rebuild"]
        assert change.run == Run.objects.get()
        assert change.before.endswith("FROM public.shelf;")
        before, after = (dict(facts["columns"]) for facts in (change.facts_before, change.facts_after))
        assert (before["size"], after["size"]) == ("integer", "bigint")


def test_a_view_that_is_dropped_with_migrations_leaves_what_it_was(migrate, registered):
    forget(registered, "Sizes")
    migrate("ALTER TABLE shelf ALTER size TYPE bigint")
    (change,) = changes_of("sizes")
    assert change.actions == ["- drop"]
    assert change.before.endswith("FROM public.shelf;")
    assert change.found == "as left"


def test_a_view_of_others_that_does_not_fit_the_new_tables_leaves_what_it_was(migrate, execute):
    execute("ALTER TABLE shelf ADD more int; CREATE VIEW public.theirs AS SELECT more FROM shelf")
    migrate("ALTER TABLE shelf DROP more", drop_dependents=True)
    (change,) = changes_of("theirs", schema="public")
    assert change.actions == ["- drop"]
    assert "more" in change.before
    assert "does not fit the new tables" in change.reason
    assert change.sql == 'DROP VIEW "public"."theirs";'


def test_a_run_that_fails_changes_nothing(migrate):
    with pytest.raises(OrmViewsError):
        migrate("ALTER TABLE shelf ALTER size TYPE bigint", "SELECT no_such_function()")
    assert not ViewChange.objects.exists()


def test_what_was_committed_before_a_materialised_view_could_not_be_built_is_recorded(migrate):
    with pytest.raises(OrmViewsError, match="are committed"):
        migrate("ALTER TABLE shelf ALTER size TYPE bigint; UPDATE shelf SET size = 5000000000")
    run = Run.objects.get()
    assert run.state == "failed"
    assert [change.name for change in run.changes.all()] == ["sizes"]
