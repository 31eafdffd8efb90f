"""Views for other engines, on each engine."""

from __future__ import annotations

import json

import pytest

from orm_views_core.exceptions import (
    InvalidViewDependencies,
    InvalidViewError,
    SkippedViewError,
    ViewSQLError,
)
from orm_views_core.status import get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import ViewFromQueryset

from .views import declare, other_than, readable

pytestmark = pytest.mark.usefixtures("parcels")


@pytest.fixture
def why(engine):
    """Why a view for another engine is skipped."""
    there = "SQLite" if "postgresql" in engine.words else "PostgreSQL"
    return f"It is for {there}, and database 'default' is {engine.title}."


@pytest.mark.parametrize("word", ["postgresql", "sqlite", "mariadb", "mysql"])
def test_engines_are_those_of_the_class(engine, database, word):
    view = declare("Some", engines=[word])
    sync_views()
    assert database.has(view) is (word in engine.words)


def test_each_engine_gets_its_sql(engine, database):
    words = ["postgresql", "sqlite", "mariadb"]
    view = declare("Some", {word: f"SELECT '{word}' AS word" for word in words})
    sync_views()
    assert database.rows(view) == [(engine.words[0],)]
    assert not any(plan.steps for plan in plan_views())


def test_an_sql_for_mysql_is_for_mariadb_too(engine, database):
    view = declare("Some", {"mysql": "SELECT 1 AS one"})
    sync_views()
    assert database.has(view) is ("mysql" in engine.words)


def test_what_is_skipped_is_told_and_is_no_difference(engine, why, run):
    declare("Kept")
    declare("Elsewhere", {other_than(engine): "SELECT 1 AS one"})
    assert "1 skipped" in run("sync_views")
    assert f"Skipped: views.elsewhere (tests.Elsewhere). {why}" in run("sync_views", "--plan", "-v2")
    assert f"skipped  views.elsewhere  view  tests.Elsewhere  {why}" in run("show_views")
    (shown,) = json.loads(run("show_views", "--json"))
    assert [view["reason"] for view in shown["skipped"]] == [why]
    run("sync_views", "--check")
    (status, _) = get_statuses(["default", "warehouse"])
    assert [view.label for view in status.skipped] == ["tests.Elsewhere"]
    assert [view.label for view in status.views] == ["tests.Kept"]


def test_a_view_that_is_skipped_from_now_on_is_dropped(engine, database):
    declare("Kept")
    view = declare("Leaving")
    sync_views()
    declare("Leaving", engines=[other_than(engine)])
    sync_views()
    assert not database.has(view)


def test_reading_one_says_why_instead_of_no_such_table(engine, why):
    view = readable("Elsewhere", engines=[other_than(engine)])
    sync_views()
    rows = view.objects.filter(id=1)
    with pytest.raises(SkippedViewError) as refused:
        rows.count()
    assert f"{why} There is no view to read." in str(refused.value)
    assert f"add {engine.words[0]!r} to its engines" in str(refused.value)


@pytest.mark.parametrize("is_installed", [False, True])
def test_sql_that_reads_one_is_refused_with_the_reason(engine, why, is_installed):
    if is_installed:
        declare("Reader")
        sync_views()
    declare("Elsewhere", engines=[other_than(engine)])
    declare("Reader", "SELECT e.* FROM views.elsewhere e")
    with pytest.raises(ViewSQLError) as refused:
        sync_views()
    assert f"It reads views.elsewhere, which is skipped. {why}" in str(refused.value)
    (status, _) = get_statuses(["default", "warehouse"])
    assert "which is skipped" in status.views[0].reason


def test_a_queryset_that_reads_one_is_refused(engine, why):
    elsewhere = readable("Elsewhere", engines=[other_than(engine)])

    class Reader(ViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return elsewhere.objects.values("id")

    with pytest.raises(InvalidViewError, match=r"reads a view that is skipped: shop\.Elsewhere") as refused:
        sync_views()
    assert why in str(refused.value)


def test_a_dependency_on_one_is_refused(engine, why):
    declare("Reader", view_dependencies=[declare("Elsewhere", engines=[other_than(engine)])])
    with pytest.raises(InvalidViewDependencies, match="which is skipped") as refused:
        sync_views()
    assert why in str(refused.value)
