"""Plain ``migrate`` never takes a view away silently, and says what to run instead."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import DatabaseError, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from orm_views_core.checks import migrations as checks
from orm_views_core.sync import sync_views

from .conftest import query

TOTALS = "SELECT id, total FROM depot_order"
NOTES = "SELECT note FROM depot_order"
DROPPED = 'RunSQL("ALTER TABLE depot_order DROP COLUMN note CASCADE")'


@pytest.fixture
def synced(depot, release):
    release(Totals=TOTALS, Notes=NOTES)
    sync_views()
    query("CREATE SCHEMA reports; CREATE VIEW reports.notes AS SELECT note FROM depot_order")
    return depot


def migrate(depot: Any, *arguments: str) -> str:
    return str(depot.migrate(*arguments, command="migrate"))


def test_views_that_it_would_drop_stop_it(synced, take_picture):
    synced.write("0002_dropped", DROPPED)
    picture = take_picture()
    with pytest.raises(CommandError) as raised:
        migrate(synced)
    assert str(raised.value).splitlines() == [
        "migrate would drop these views:",
        "  reports.notes (depot.0002_dropped: depot_order.note is dropped)",
        "  views.notes (depot.0002_dropped: depot_order.note is dropped)",
        "depot_order.note is dropped. On it hang:",
        "  reports.notes, which is not ours: note shows it",
        "  views.notes: note shows it",
        "Run instead: manage.py migrate_views. It puts them aside, and brings them back.",
        "To drop them all the same, use --drop-views.",
    ]
    assert take_picture() == picture
    migrate(synced, "--drop-views")
    assert query("SELECT to_regclass('views.notes'), to_regclass('reports.notes')") == [(None, None)]


def test_orphans_do_not_stop_it(synced, release):
    query("DROP VIEW reports.notes")
    release(Totals=TOTALS)
    synced.write("0002_dropped", DROPPED)
    out = migrate(synced)
    assert "migrate drops these views, which no class declares any more:\n  views.notes (depot.0002" in out


def test_views_in_its_way_are_named_before_it_fails(synced):
    synced.write("0002_wider", 'AlterField("Order", "total", models.BigIntegerField())')
    with pytest.raises(DatabaseError, match="cannot alter type of a column used by a view or rule"):
        migrate(synced)
    assert synced.applied() == ["0001_initial"]


def test_what_it_says_of_them(synced):
    synced.write("0002_wider", 'AlterField("Order", "total", models.BigIntegerField())')
    err = StringIO()
    with pytest.raises(DatabaseError):
        call_command("migrate", "depot", stdout=StringIO(), stderr=err)
    assert "migrate would fail because of these views:\n  views.totals (depot.0002_wider:" in err.getvalue()
    assert (
        "The migration failed because of views.totals. Run instead: manage.py migrate_views" in err.getvalue()
    )


def test_what_was_not_foreseen_is_named_when_it_fails(synced):
    synced.write("0002_code", 'run("ALTER TABLE depot_order ALTER total TYPE bigint")')
    err = StringIO()
    with pytest.raises(DatabaseError):
        call_command("migrate", "depot", stdout=StringIO(), stderr=err)
    assert err.getvalue().startswith("\nThe migration failed because of views.totals. Run instead")


def test_what_touches_no_view_passes_without_a_word(synced):
    synced.write("0002_more", 'AddField("Order", "more", models.IntegerField(null=True))')
    assert "views" not in migrate(synced)


def test_w019_a_model_change_whose_migration_will_stand_against_a_view(synced, monkeypatch):
    class Changed(ProjectState):
        @classmethod
        def from_apps(cls, apps):
            state = MigrationLoader(None).project_state()
            state.alter_field("depot", "order", "total", models.BigIntegerField(), preserve_default=True)
            return state

    def of_depot():
        found = run_checks(tags=["orm_views"], databases=["default"])
        return [each for each in found if each.id == "orm_views_core.W019"]

    monkeypatch.setattr(checks, "ProjectState", Changed)
    (message,) = of_depot()
    assert message.msg.startswith("depot: its models have changed, and views.totals stands against")
    assert "depot_order.total gets another type" in message.msg
    assert "manage.py migrate_views" in message.hint
    query("DROP VIEW views.totals")
    assert of_depot() == []
