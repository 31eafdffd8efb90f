"""What happens to a view that differs from its class."""

from __future__ import annotations

import dataclasses

import pytest

from orm_views_core.database.relations import Column
from orm_views_core.plan.steps import Action
from tests.core.chains import CHAIN, A, B, C, chain, changed, locked, materialised, reasons
from tests.core.values import CITY, ID, MATERIALISED, VIEW, catalog_of, define, install, plan_for, said, sql


def test_nothing_happens_to_views_that_do_not_differ():
    plan = plan_for(CHAIN, chain())
    assert plan.is_empty
    assert plan.unchanged == 3


def test_everything_missing_is_created_in_order():
    plan = plan_for((C, B, A), catalog_of())
    assert said(plan) == ["schema views", "create a", "create b", "create c"]


def test_a_compatible_change_replaces_and_leaves_readers_alone():
    plan = plan_for((changed(A), B, C), chain())
    assert said(plan) == ["replace a"]
    assert plan.unchanged == 2
    assert locked(plan) == ["a"]


def test_a_column_at_the_end_replaces():
    plan = plan_for((changed(A), B, C), chain(), new_columns={"a": [ID, CITY]})
    assert said(plan) == ["replace a"]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ([], "column id is removed"),
        ([CITY], "column id is removed"),
        ([Column("id", "integer")], "column id bigint becomes id integer"),
        ([Column("id", "bigint", "C")], "column id bigint becomes id bigint COLLATE C"),
        ([CITY, ID], "column city comes before id"),
    ],
)
def test_an_incompatible_change_rebuilds_and_says_why(columns, why):
    plan = plan_for((changed(A),), chain(A), new_columns={"a": columns})
    assert said(plan) == ["rebuild a"]
    assert reasons(plan) == {"a": f"its class has changed: {why}"}


def test_a_materialised_view_is_rebuilt_and_never_replaced():
    assert said(plan_for((changed(materialised(A)),), chain(materialised(A)))) == ["rebuild a"]


@pytest.mark.parametrize(("before", "after"), [(VIEW, MATERIALISED), (MATERIALISED, VIEW)])
def test_a_change_of_kind_rebuilds(before, after):
    old, new = dataclasses.replace(A, kind=before), dataclasses.replace(A, kind=after)
    (step,) = plan_for((new,), chain(old)).steps
    assert step.action is Action.REBUILD
    assert step.reason == f"it becomes a {after.label}"
    assert sql(step)[0].startswith(f'CREATE {after.value} "orm_views_staging_0"."a" ')
    assert f'DROP {before.value} "views"."a"' in sql(step)


def test_a_view_that_only_looks_different_is_adopted():
    respelt = changed(A, "select 1 as id")
    plan = plan_for((respelt, B, C), chain(a={"definition": "select 1 as id"}))
    assert said(plan) == ["adopt a"]
    assert plan.steps[0].statements == ()


def test_an_unrecorded_view_of_the_same_definition_is_adopted_and_another_is_replaced():
    assert said(plan_for(CHAIN, chain(a={"state": None}))) == ["adopt a"]
    plan = plan_for(CHAIN, chain(a={"state": None, "definition": "SELECT 2 AS id"}))
    assert said(plan) == ["replace a"]
    assert (
        reasons(plan)["a"] == "it is in the database, but no sync has recorded it, and its definition differs"
    )


def test_a_drifted_view_is_replaced():
    plan = plan_for(CHAIN, chain(b={"definition": "SELECT 5 AS id"}))
    assert said(plan) == ["replace b"]
    assert reasons(plan)["b"] == "it was changed in the database"


def test_the_reason_says_when_both_the_class_and_the_database_have_changed():
    plan = plan_for((A, changed(B), C), chain(b={"definition": "SELECT 5 AS id"}))
    assert reasons(plan)["b"] == "its class has changed, and so has the database"


def test_options_alone_rebuild_nothing():
    plan = plan_for((dataclasses.replace(A, options=(("security_barrier", "true"),)), B, C), chain())
    assert said(plan) == ["options a"]


def test_a_reader_whose_definition_would_change_is_replaced_too():
    """As with SELECT * from a view that gains a column: the SQL is the same, the columns are not."""
    catalog = chain(c={"definition": "SELECT id, FROM views.b, as it was"})
    recorded = catalog.relations[C.name]
    state = dataclasses.replace(recorded.state, installed=recorded.fingerprint)
    catalog = dataclasses.replace(
        catalog, relations={**catalog.relations, C.name: dataclasses.replace(recorded, state=state)}
    )
    plan = plan_for((changed(A), B, C), catalog)
    assert said(plan) == ["replace a", "replace c"]
    assert reasons(plan)["c"] == "what it reads has changed"
    assert plan.steps[1].indirect


def test_force_replaces_and_rebuilds_everything():
    plan = plan_for((A, materialised(define("m"))), catalog_of(install(A)), force=True)
    assert said(plan) == ["replace a", "create m"]
    plan = plan_for((materialised(A),), chain(materialised(A)), force=True)
    assert (said(plan), reasons(plan)) == (["rebuild a"], {"a": "forced"})


def test_force_with_only_leaves_other_views_alone():
    plan = plan_for(CHAIN, chain(), force=True, only=["b"])
    assert said(plan) == ["replace b"]


def test_a_table_with_the_views_name_stops_the_sync():
    table = install(A, kind=None, relation="table", state=None)
    plan = plan_for(CHAIN, catalog_of(table))
    (problem,) = plan.problems
    assert "lending.A (" in problem
    assert "views.a is a table, which is not ours to replace" in problem


def test_a_materialised_view_that_is_being_refreshed_is_not_taken_for_changed():
    definitions = (materialised(A), B, C)
    assert plan_for(definitions, chain(*definitions, a={"definition": None})).is_empty


def untrusted(definition, **values):
    """The installed view of a role that is not trusted: its sync state is not believed."""
    return install(definition, state=None, is_trusted=False, owner="analyst", **values)


def test_an_equal_view_of_an_untrusted_owner_is_left_alone_and_named_in_a_warning():
    plan = plan_for([A, B], catalog_of(untrusted(A), untrusted(B)))
    assert plan.is_empty
    (warning,) = plan.warnings
    assert warning.startswith("views.a, views.b: It belongs to 'analyst', a role that is not trusted")
    assert "ORM_VIEWS['TRUSTED_OWNERS']" in warning


def test_another_view_of_an_untrusted_owner_is_replaced_or_rebuilt():
    for view, action in ((A, "replace a"), (materialised(A), "rebuild a")):
        plan = plan_for([changed(view)], catalog_of(untrusted(view)))
        assert said(plan) == [action]
        assert reasons(plan)["a"] == "its owner is not trusted, and it differs from its class"


def test_a_view_of_an_untrusted_owner_that_no_class_declares_is_no_warning():
    assert plan_for([A], catalog_of(install(A), untrusted(B))).warnings == ()
