"""`sync_views VIEW …`: some views only, with what they cannot do without."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from orm_views_core.exceptions import UnknownViewError
from orm_views_core.status import get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = pytest.mark.django_db


def declare(class_name, sql, *bases, **attributes):
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def states():
    return {view.name.name: view.state.value for each in get_statuses() for view in each.views}


def done(*names, **options):
    (plan,) = plan_views(views=names)
    (result,) = sync_views(views=names, expected_fingerprint=plan.fingerprint, **options)
    return [(step.action.verb, step.name.name) for step in result.plan.steps if step.name.name]


@pytest.mark.parametrize("wanted", ["a", "views.a", "tests.A"])
def test_a_view_is_synced_by_any_of_its_names_and_the_others_stay_pending(wanted, capsys):
    declare("A", "SELECT 1 AS x")
    declare("B", "SELECT 2 AS x")
    call_command("sync_views", wanted, no_color=True)
    assert "+ create   views.a... OK" in capsys.readouterr().out
    assert states() == {"a": "synced", "b": "missing"}


@pytest.mark.parametrize("mode", [[], ["--plan"], ["--check"]])
def test_an_unknown_name_gives_the_error_of_refresh_views_and_nothing_is_synced(mode):
    declare("Loans", "SELECT 1 AS x", PostgresMaterialisedViewMixin)
    messages = []
    for command, *options in (["sync_views", "loans", "lons", *mode], ["refresh_views", "lons"]):
        with pytest.raises(CommandError, match=r"No registered view is called 'lons'") as failure:
            call_command(command, *options)
        messages.append(str(failure.value))
    assert messages[0] == messages[1]
    assert states() == {"loans": "missing"}
    with pytest.raises(UnknownViewError):
        sync_views(views=["lons"])


def test_no_names_at_all_sync_nothing():
    declare("A", "SELECT 1 AS x")
    assert sync_views(views=[]) == []
    assert states() == {"a": "missing"}


def test_missing_views_that_it_reads_are_synced_too():
    declare("A", "SELECT 1 AS x")
    declare("B", "SELECT x FROM views.a")
    declare("C", "SELECT x FROM views.b")
    assert done("b") == [("create", "a"), ("create", "b")]
    assert states()["c"] == "missing"


@pytest.mark.parametrize("base", [(), (PostgresMaterialisedViewMixin,)])
@pytest.mark.parametrize("is_new", [True, False])
def test_changed_views_are_synced_too_if_it_cannot_do_without_their_changes(is_new, base):
    declare("A", "SELECT 1 AS x")
    declare("Between", "SELECT * FROM views.a")
    declare("Other", "SELECT 3 AS x")
    if not is_new:
        declare("B", "SELECT x FROM views.between", *base)
    sync_views()
    declare("A", "SELECT 1 AS x, 2 AS y")
    declare("Other", "SELECT 4 AS x")
    declare("B", "SELECT y FROM views.between", *base)
    assert sorted(name for _, name in done("b")) == ["a", "b", "between"]
    assert states() == {"a": "synced", "between": "synced", "b": "synced", "other": "changed"}


def test_changed_views_that_it_can_do_without_stay_as_they_are():
    declare("A", "SELECT 1 AS x")
    declare("B", "SELECT x FROM views.a")
    sync_views()
    declare("A", "SELECT 1 AS x, 2 AS y")
    declare("B", "SELECT x + 1 AS x FROM views.a")
    assert done("b") == [("replace", "b")]
    assert states() == {"a": "changed", "b": "synced"}


def test_the_views_that_read_it_follow():
    declare("A", "SELECT 1 AS x, 2 AS y")
    declare("B", "SELECT x FROM views.a")
    sync_views()
    declare("A", "SELECT 1 AS x")
    assert sorted(done("a")) == [("rebuild", "a"), ("replace", "b")]


def test_what_postgresql_refuses_for_another_reason_is_said_as_ever():
    declare("A", "SELECT 1 AS x")
    sync_views()
    declare("A", "SELECT 1 AS x, 2 AS y")
    declare("B", "SELECT z FROM views.a")
    with pytest.raises(CommandError, match=r"tests\.B .*z"):
        call_command("sync_views", "b")
    assert states() == {"a": "changed", "b": "invalid"}


def test_schemas_of_other_views_are_not_created(execute):
    declare("A", "SELECT 1 AS x")
    declare("B", "SELECT 1 AS x", schema="elsewhere")
    sync_views(views=["a"])
    assert execute("SELECT nspname FROM pg_namespace WHERE nspname IN ('views', 'elsewhere')") == [("views",)]


def test_views_that_no_class_declares_any_more_stay(registered):
    gone = declare("Gone", "SELECT 1 AS x")
    declare("A", "SELECT 1 AS x")
    sync_views()
    registered.unregister(gone)
    assert done("a") == []
    assert states()["gone"] == "orphaned"


def test_check_looks_at_these_views_only():
    declare("A", "SELECT 1 AS x")
    declare("B", "SELECT 2 AS x")
    sync_views(views=["a"])
    call_command("sync_views", "a", "--check")
    with pytest.raises(CommandError, match="out of step"):
        call_command("sync_views", "a", "b", "--check")


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_only_the_databases_of_these_views_are_synced(capsys):
    declare("A", "SELECT 1 AS x")
    declare("A", "SELECT 1 AS x", database="warehouse", __qualname__="Elsewhere")
    declare("B", "SELECT 1 AS x", database="warehouse")
    call_command("sync_views", "tests.B", "--json")
    assert [plan["database"] for plan in json.loads(capsys.readouterr().out)] == ["warehouse"]
    call_command("sync_views", "a", "--database", "default", "--json")
    assert [plan["database"] for plan in json.loads(capsys.readouterr().out)] == ["default"]
    with pytest.raises(CommandError, match="No registered view is called 'b'"):
        call_command("sync_views", "b", "--database", "default")
