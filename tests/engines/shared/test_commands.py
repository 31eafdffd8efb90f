"""What the commands print and return for each kind of view class, on every engine alike."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from orm_views_core.status import State
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views.identity import label_of, name_of

from .kinds import Version
from .scenes import state_of

#: The keys that docs/reference/json.md promises.
PLAN_KEYS = {"database", "fingerprint", "unchanged", "problems", "warnings", "notes", "steps"}
STEP_KEYS = {"action", "view", "class", "source", "reason", "indirect", "blocks", "sql"}
STATUS_KEYS = {
    "view",
    "class",
    "source",
    "kind",
    "readable",
    "hidden",
    "state",
    "reason",
    "advice",
    "also",
    "synced",
}


@pytest.fixture
def run(capsys):
    """A function that runs a command and returns what it printed."""

    def run(*arguments):
        capsys.readouterr()
        call_command(*arguments, no_color=True)
        return capsys.readouterr().out

    return run


def test_plan_says_what_and_why_and_changes_nothing(kind, there, run):
    view = kind.declare()
    printed = run("sync_views", "--plan", "--database", kind.alias)
    assert f"+ create  {name_of(view)}: it is not in the database" in printed.replace(
        "+ create   ", "+ create  "
    )
    assert there.views() == {}
    sync_views()
    before = there.views()
    kind.declare(Version.OTHER)
    printed = run("sync_views", "--plan", "--database", kind.alias)
    assert f"{name_of(view)}: its class has changed" in printed
    assert there.views() == before


def test_plan_shows_the_statements_if_it_is_asked_to(kind, there, run):
    view = kind.declare()
    printed = run("sync_views", "--plan", "--database", kind.alias, "--verbosity", "2")
    assert f"CREATE {there.kind_of(view)} {there.place(view)}" in printed.replace(
        "CREATE OR REPLACE", "CREATE"
    )


def test_check_exits_with_1_until_a_sync(kind, run):
    kind.declare()
    for version in (Version.FIRST, Version.OTHER):
        kind.declare(version)
        with pytest.raises(CommandError, match="out of step") as failed:
            run("sync_views", "--check", "--database", kind.alias)
        assert failed.value.returncode == 1
        sync_views()
        assert "Nothing to do" in run("sync_views", "--check", "--database", kind.alias)


def test_sync_prints_each_view_and_its_last_line(kind, run):
    view = kind.declare()
    printed = run("sync_views")
    assert str(name_of(view)) in printed
    assert printed.splitlines()[-1] == "Successfully sync'd all views using orm_views_core"
    assert str(name_of(view)) not in run("sync_views")


def test_the_json_of_a_plan_is_that_of_the_sync(kind, run):
    view = kind.declare()
    (planned,) = json.loads(run("sync_views", "--plan", "--json", "--database", kind.alias))
    (done,) = json.loads(run("sync_views", "--json", "--database", kind.alias))
    assert planned.keys() >= PLAN_KEYS
    assert done.keys() >= {*PLAN_KEYS, "seconds"}
    assert planned["steps"] == done["steps"]
    (step,) = [each for each in done["steps"] if each["view"] == str(name_of(view))]
    assert step.keys() >= STEP_KEYS
    assert step["class"] == label_of(view)
    assert "".join(each["statement"] for each in step["sql"]).count("CREATE") == 1


def test_show_views_says_the_state(kind, there, run):
    view = kind.declare()
    assert "missing" in run("show_views", str(name_of(view)), "--database", kind.alias)
    sync_views()
    printed = run("show_views", str(name_of(view)), "--database", kind.alias)
    assert "[X] synced" in printed
    assert label_of(view) in printed
    there.drop(view)
    assert "missing" in run("show_views", str(name_of(view)), "--database", kind.alias)


def test_the_json_of_a_status_has_every_key(kind, run):
    view = kind.declare()
    sync_views()
    (database,) = json.loads(run("show_views", str(name_of(view)), "--json", "--database", kind.alias))
    (shown,) = database["views"]
    assert shown.keys() >= STATUS_KEYS
    assert shown["view"] == str(name_of(view))
    assert shown["class"] == label_of(view)
    assert shown["state"] == "synced"
    assert shown["synced"] is not None


def test_inspect_view_prints_a_field_for_each_column(kind, run):
    view = kind.declare()
    sync_views()
    found = json.loads(run("inspect_view", str(name_of(view)), "--json", "--database", kind.alias))
    assert [column["name"] for column in found["columns"]] == list(Version.FIRST.value)


def test_some_views_are_synced_by_name_and_the_others_are_left_alone(kind, there, run):
    view = kind.declare()
    beside = kind.declare(class_name="Beside", name="beside")
    run("sync_views", str(name_of(view)), "--database", kind.alias)
    assert there.has(view)
    assert not there.has(beside)
    assert state_of(kind, beside) is State.MISSING
    run("sync_views", label_of(beside))
    assert there.has(beside)
    assert not any(plan.steps for plan in plan_views())
