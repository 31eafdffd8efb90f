"""Readable views stay out of migrations, and nothing else does."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.state import ModelState, ProjectState
from django.test.utils import isolate_apps

from orm_views_core.autodetector import Autodetector, IgnoreViews
from orm_views_core.views import ReadableViewFromSQL
from tests.demo.lending.postgres_views import LoanBook


@pytest.fixture
def declare(registered):
    """A function that declares a readable view and a model, and gives their state."""
    with isolate_apps("tests.demo.lending"):

        class Shown(ReadableViewFromSQL):
            sql = "SELECT 1 AS id"
            id = models.IntegerField(primary_key=True)

            class Meta:
                app_label = "lending"

        class Stored(models.Model):
            class Meta:
                app_label = "lending"

        yield ProjectState(
            {("lending", m._meta.model_name): ModelState.from_model(m) for m in (Shown, Stored)}
        )


def operations(detector, before, after):
    graph = MigrationGraph()
    graph.add_node(("lending", "0001_initial"), None)
    changes = detector(before, after).changes(graph=graph)
    return [(type(o).__name__, o.name) for m in changes.get("lending", ()) for o in m.operations]


def test_a_new_view_is_not_written_into_a_migration_and_a_new_model_is(declare):
    assert operations(Autodetector, ProjectState(), declare) == [("CreateModel", "Stored")]


def test_djangos_own_autodetector_would_write_it(declare):
    assert ("CreateModel", "Shown") in operations(MigrationAutodetector, ProjectState(), declare)


def test_a_view_that_an_older_migration_created_is_left_alone(declare):
    assert operations(Autodetector, declare, declare) == []


def test_the_states_that_are_given_are_not_changed(declare):
    Autodetector(ProjectState(), declare)
    assert ("lending", "shown") in declare.models


def test_a_project_mixes_it_into_its_own_autodetector(declare):
    class Own(IgnoreViews, MigrationAutodetector):
        pass

    assert operations(Own, ProjectState(), declare) == [("CreateModel", "Stored")]


@pytest.mark.django_db
def test_the_demonstration_with_its_readable_views_needs_no_further_migration(capsys):
    call_command("makemigrations", "--check", "--dry-run")
    assert capsys.readouterr().out == "No changes detected\n"


@pytest.mark.django_db
def test_migrate_does_not_ask_for_migrations_of_views(capsys):
    call_command("migrate", no_color=True)
    assert "No migrations to apply." in capsys.readouterr().out


def test_a_view_that_is_not_registered_is_left_out_too(declare, registered):
    assert registered.views() != []
    state = ProjectState({("lending", "loanbook"): ModelState.from_model(LoanBook)})
    assert LoanBook not in registered.views()
    assert operations(Autodetector, ProjectState(), state) == []
