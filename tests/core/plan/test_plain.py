"""Plans for engines whose views are changed one after the other, where they stand."""

from __future__ import annotations

import dataclasses

import pytest

from orm_views_core.database.dry_run import DryRun
from orm_views_core.plan.diff import find_scope
from orm_views_core.plan.plain import PlainFacts, PlainWriter, make_plain_plan
from orm_views_core.sentences import says
from orm_views_core.sync.executor import StepResult
from orm_views_core.sync.stopped import what_is_left
from tests.core.chains import CHAIN, A, B, C, chain, changed, reasons
from tests.core.values import by_name, catalog_of, define, expected, install

WRITER = PlainWriter(
    create_view=lambda definition, replaces: (f"CREATE {definition.name.name}",),
    drop_view=lambda view: ("REVOKE", f"DROP {view.name.name}"),
    grant=lambda view, grant, revoke: [
        *(f"GRANT {role}" for role in grant),
        *(f"REVOKE {r}" for r in revoke),
    ],
    blocks=says("who reads"),
)
ROLES = ("analyst",)


def plain_plan(definitions, catalog, *, atomic=False, reads=None, texts=None, **values):
    """Plan with a dry run in which an engine stores the texts of classes, or other ones."""
    views = {definition.name: definition for definition in definitions}
    force = values.get("force", False)
    scope = find_scope(views, catalog, force=force, command_roles=values.pop("command_roles", ()))
    tried = {
        each: dataclasses.replace(
            expected(views[each], reads=(reads or {}).get(each.name, ())),
            definition=(texts or {}).get(each.name, views[each].sql),
        )
        for each in scope.try_views
    }
    facts = PlainFacts(
        "default", "Any", views, catalog, scope, DryRun(tried), WRITER, atomic=atomic, **values
    )
    return make_plain_plan(facts)


def said(plan):
    return [f"{step.action.verb} {step.name.name}" for step in plan.steps]


def sql(plan):
    return [statement.sql for step in plan.steps for statement in step.statements]


def test_nothing_happens_to_views_that_do_not_differ():
    plan = plain_plan(CHAIN, chain())
    assert plan.is_empty
    assert (plan.unchanged, plan.warnings) == (3, ())


def test_views_are_created_after_those_that_they_read():
    plan = plain_plan((C, B, A), catalog_of())
    assert said(plan) == ["create a", "create b", "create c"]


def test_a_reader_is_replaced_only_if_its_own_text_changes():
    assert said(plain_plan((changed(A), B, C), chain())) == ["replace a"]
    plan = plain_plan((changed(A), B, C), chain(), texts={"b": "other"})
    assert said(plan) == ["replace a", "replace b"]
    assert reasons(plan)["b"] == "what it reads has changed"


def test_what_is_as_its_class_says_is_adopted():
    plan = plain_plan((A,), catalog_of(install(A, state=None)))
    assert said(plan) == ["adopt a"]
    assert sql(plan) == []


def test_force_replaces_what_does_not_differ():
    assert said(plain_plan((A,), catalog_of(install(A)), force=True)) == ["replace a"]


def test_roles_are_granted_and_revoked():
    granted = define("a", grant_select_to=ROLES)
    assert sql(plain_plan((granted,), catalog_of())) == ["CREATE a", "GRANT analyst"]
    assert sql(plain_plan((granted,), catalog_of(install(granted, grants=frozenset())))) == ["GRANT analyst"]
    assert sql(plain_plan((A,), catalog_of(install(granted)))) == ["REVOKE analyst"]


def test_a_view_that_is_adopted_has_its_grants_in_one_step():
    granted = define("a", grant_select_to=ROLES)
    plan = plain_plan((granted,), catalog_of(install(granted, state=None, grants=frozenset())))
    assert said(plan) == ["adopt a"]
    assert sql(plan) == ["GRANT analyst"]


@pytest.mark.parametrize(
    ("atomic", "order"), [(True, ["drop a", "replace b"]), (False, ["replace b", "drop a"])]
)
def test_a_view_is_dropped_when_what_read_it_has_changed_if_each_is_committed_by_itself(atomic, order):
    reader = changed(B, "SELECT 2 AS id")
    plan = plain_plan((reader,), chain(A, B), dropped=[A.name], atomic=atomic)
    assert said(plan) == order
    assert plan.problems == ()


def test_a_view_that_is_still_read_is_not_dropped():
    plan = plain_plan((B,), chain(A, B), dropped=[A.name])
    assert "still reads it" in plan.problems[0]


def test_a_plan_that_changes_something_says_that_it_is_not_all_or_nothing():
    assert "commits each view by itself" in plain_plan((A,), catalog_of()).warnings[0]
    assert plain_plan((A,), catalog_of(), atomic=True).warnings == ()
    assert plain_plan((A,), catalog_of(install(A, state=None))).warnings == ()


def test_a_broken_view_is_a_warning_unless_it_or_what_it_reads_is_changed():
    broken = by_name({"b": says("It cannot be read."), "other": says("It is not ours.")})
    assert plain_plan(CHAIN, chain(), broken=broken).warnings == ("views.b: It cannot be read.",)
    plan = plain_plan((changed(A), B, C), chain(), broken=broken, atomic=True)
    assert plan.warnings == ()


def test_a_view_of_somebody_else_is_a_warning_if_it_is_as_its_class_says():
    view = install(A, state=None, owner="mallory", is_trusted=False, is_ours_to_change=False)
    plan = plain_plan((A,), catalog_of(view))
    assert plan.is_empty
    assert "definer is 'mallory'" in plan.warnings[0]


def test_a_view_of_somebody_else_is_in_the_way_if_it_differs():
    view = install(A, state=None, owner="mallory", is_trusted=False, is_ours_to_change=False)
    plan = plain_plan((changed(A),), catalog_of(view))
    assert "views.a is not as its class says" in plan.problems[0]
    assert "TRUSTED_OWNERS" in plan.problems[0]


def left(count, done, *, is_atomic=False):
    plan = plain_plan([define(f"v{number}") for number in range(count)], catalog_of())
    return what_is_left(plan, [StepResult(step) for step in plan.steps[:done]], is_atomic=is_atomic)


def test_what_is_left_of_a_sync_that_stopped():
    assert left(3, 1, is_atomic=True) == "Nothing was changed."
    assert left(3, 0).startswith("No step was done before it. views.v0 may have been changed")
    assert left(3, 1).startswith("1 of 3 steps was done: create views.v0. views.v1 may have been changed")
    assert left(3, 2).startswith("2 of 3 steps were done: create views.v0, create views.v1. views.v2 may")
    assert ", create views.v9, …. views.v12 may" in left(13, 12)
