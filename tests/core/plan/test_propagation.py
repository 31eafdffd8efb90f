"""What follows from a change of one view for others: replaced, rebuilt, dropped, or a problem."""

from __future__ import annotations

import dataclasses

import pytest

from orm_views_core.plan.steps import Action, Phase
from tests.core.chains import CHAIN, A, B, C, chain, changed, locked, materialised, reasons, swap
from tests.core.values import CITY, MATERIALISED, VIEW, catalog_of, define, install, name, plan_for, said, sql


def test_what_reads_a_rebuilt_view_is_pointed_at_the_new_one_and_what_reads_that_is_left_alone():
    plan = plan_for((changed(A), B, C), chain(), new_columns={"a": [CITY]})
    assert said(plan) == ["rebuild a", "replace b"]
    assert plan.unchanged == 1
    assert reasons(plan)["b"] == "it reads views.a, which is rebuilt"
    assert [step.indirect for step in plan.steps] == [False, True]
    assert sql(plan.steps[1], Phase.REPLACE) == (
        'CREATE OR REPLACE VIEW "views"."b" AS\nSELECT id FROM "orm_views_staging_0".a',
    )
    assert swap(plan) == ["CREATE b", "DROP a", "ALTER a"]
    assert locked(plan) == ["b", "a"]


def test_a_reader_whose_columns_change_with_those_of_what_is_rebuilt_is_rebuilt_too():
    plan = plan_for((changed(A), B, C), chain(), new_columns={"a": [CITY], "b": [CITY]})
    assert said(plan) == ["rebuild a", "rebuild b", "replace c"]
    assert reasons(plan)["b"] == "it reads views.a, which is rebuilt: column id is removed"
    assert swap(plan) == ["CREATE c", "DROP b", "DROP a", "ALTER a", "ALTER b"]


def test_a_rebuild_does_not_change_what_the_view_reads():
    plan = plan_for((A, changed(B), C), chain(), new_columns={"b": [CITY]})
    assert said(plan) == ["rebuild b", "replace c"]


def test_the_reason_of_a_materialised_view_begins_with_its_own_change():
    m = materialised(B)
    plan = plan_for((changed(A), changed(m), C), chain(A, m, C), stuck={"b": ["a"]})
    assert reasons(plan)["b"].startswith("its class has changed, and its SQL names views.a in a way")
    assert [step.indirect for step in plan.steps] == [False, False, True]


def test_a_materialised_view_that_reads_a_replaced_one_is_rebuilt_from_a_new_version():
    """It is filled before the swap, so it has to read a new version."""
    definitions = (A, B, materialised(C))
    plan = plan_for((changed(A), B, materialised(C)), chain(*definitions))
    assert said(plan) == ["rebuild a", "rebuild b", "rebuild c"]
    assert reasons(plan) == {
        "a": "its class has changed, and views.c is built from its new version before the swap",
        "b": "it reads views.a, which is rebuilt",
        "c": "its rows come from views.a, which changes",
    }
    assert [step.indirect for step in plan.steps] == [False, True, True]
    assert locked(plan) == ["c", "b", "a"]
    assert sql(plan.steps[2])[0].splitlines()[1] == 'SELECT id FROM "orm_views_staging_0".b'


def test_a_plain_view_between_two_materialised_ones_is_rebuilt_with_them():
    definitions = (materialised(A), B, materialised(C))
    plan = plan_for((changed(materialised(A)), B, materialised(C)), chain(*definitions))
    assert said(plan) == ["rebuild a", "rebuild b", "rebuild c"]
    assert reasons(plan)["c"] == "its rows come from views.a, which changes"
    assert {step.built_at.schema for step in plan.steps} == {"orm_views_staging_0"}


def test_a_plain_view_beside_two_materialised_ones_is_only_pointed_at_the_new_one():
    beside = define("beside", "SELECT id FROM views.a")
    definitions = (materialised(A), B, materialised(C))
    catalog = chain(*definitions, others=(install(beside, reads=frozenset({A.name})),))
    plan = plan_for((changed(materialised(A)), B, materialised(C), beside), catalog)
    assert sorted(said(plan)) == ["rebuild a", "rebuild b", "rebuild c", "replace beside"]


def test_a_new_materialised_view_needs_the_new_version_of_what_is_replaced():
    fresh = define("m", "SELECT id FROM views.b", kind=MATERIALISED)
    plan = plan_for((changed(A), B, fresh), chain(A, B))
    assert said(plan) == ["rebuild a", "rebuild b", "create m"]
    assert (
        reasons(plan)["a"]
        == "its class has changed, and views.m is built from its new version before the swap"
    )
    assert sql(plan.steps[2], Phase.BUILD)[0].splitlines()[1] == 'SELECT id FROM "orm_views_staging_0".b'


def test_what_a_rebuilt_materialised_view_reads_is_rebuilt_even_if_only_that_makes_it_necessary():
    """m is stale through a; b, which m reads too, is re-pointed only because of another rebuild."""
    other = define("other", "SELECT 1 AS id")
    m = define("m", "SELECT id FROM views.a JOIN views.reader USING (id)", kind=MATERIALISED)
    reader = define("reader", "SELECT id FROM views.other")
    catalog = catalog_of(
        install(A),
        install(other),
        install(reader, reads=frozenset({other.name})),
        install(m, reads=frozenset({A.name, reader.name})),
    )
    plan = plan_for((changed(A), changed(other), reader, m), catalog, new_columns={"other": [CITY]})
    assert {step.name.name for step in plan.steps if step.action is Action.REBUILD} == {
        "a",
        "other",
        "reader",
        "m",
    }


def test_the_reason_names_the_nearest_change():
    definitions = (A, B, materialised(C))
    plan = plan_for((changed(A), changed(B), materialised(C)), chain(*definitions))
    assert reasons(plan)["c"] == "its rows come from views.b, which changes"


def test_a_materialised_view_above_a_change_keeps_its_rows():
    definitions = (materialised(A), B, C)
    plan = plan_for((materialised(A), changed(B), C), chain(*definitions))
    assert said(plan) == ["replace b"]


def test_a_comment_or_a_grant_above_rebuilds_no_materialised_view():
    definitions = (A, B, materialised(C))
    touched = dataclasses.replace(A, comment="New.", grant_select_to=("analyst",))
    plan = plan_for((touched, B, materialised(C)), chain(*definitions))
    assert [step.action for step in plan.steps] == [Action.SCHEMA, Action.GRANT, Action.COMMENT]


@pytest.mark.parametrize(("before", "after"), [(VIEW, MATERIALISED), (MATERIALISED, VIEW)])
def test_a_change_of_kind_in_the_middle_points_what_is_below_at_the_new_one(before, after):
    old, new = dataclasses.replace(B, kind=before), dataclasses.replace(B, kind=after)
    plan = plan_for((A, new, C), chain(A, old, C))
    assert said(plan) == ["rebuild b", "replace c"]
    assert swap(plan) == ["CREATE c", "DROP b", "ALTER b"]


def test_force_rebuilds_what_a_materialised_view_is_built_from():
    definitions = (A, B, materialised(C))
    plan = plan_for(definitions, chain(*definitions), force=True)
    assert said(plan) == ["rebuild a", "rebuild b", "rebuild c"]
    assert reasons(plan)["c"] == "forced"


def test_a_chain_of_plain_views_is_replaced_where_it_stands_when_forced():
    plan = plan_for(CHAIN, chain(), force=True)
    assert said(plan) == ["replace a", "replace b", "replace c"]
    assert plan.staging == {}


def test_two_views_can_swap_which_reads_which():
    before = catalog_of(install(A, reads=frozenset({B.name})), install(define("b", "SELECT 1 AS id")))
    plan = plan_for((changed(A, "SELECT 2 AS id"), B), before)
    assert said(plan) == ["replace a", "replace b"]
    assert not plan.problems


def test_two_views_can_swap_which_reads_which_when_both_are_rebuilt():
    before = catalog_of(install(A, reads=frozenset({B.name})), install(define("b", "SELECT 1 AS id")))
    plan = plan_for((changed(A, "SELECT 2 AS id"), B), before, new_columns={"a": [CITY], "b": [CITY]})
    assert said(plan) == ["rebuild a", "rebuild b"]
    assert locked(plan) == ["a", "b"], "a still reads b where it is installed"


def test_a_view_that_no_longer_reads_what_is_rebuilt_is_replaced_before_the_old_version_goes():
    catalog = catalog_of(install(A), install(B, reads=frozenset()), install(C, reads=frozenset({A.name})))
    plan = plan_for(
        (changed(A), define("b", B.sql), changed(C, "SELECT 3 AS id")), catalog, new_columns={"a": [CITY]}
    )
    assert "replace c" in said(plan)
    assert swap(plan).index("CREATE c") < swap(plan).index("DROP a")
    assert locked(plan).index("c") < locked(plan).index("a")


def test_a_diamond_is_pointed_at_the_new_version_on_both_sides():
    left, right = define("left", "SELECT id FROM views.a"), define("right", "SELECT id FROM views.a")
    top = define("top", "SELECT id FROM views.left JOIN views.right USING (id)")
    catalog = catalog_of(
        install(A),
        install(left, reads=frozenset({A.name})),
        install(right, reads=frozenset({A.name})),
        install(top, reads=frozenset({left.name, right.name})),
    )
    plan = plan_for((top, right, left, changed(A)), catalog, new_columns={"a": [CITY]})
    assert sorted(said(plan)) == ["rebuild a", "replace left", "replace right"]
    assert locked(plan)[-1] == "a"
    plan = plan_for(
        (top, right, left, changed(A)), catalog, new_columns={n: [CITY] for n in ("a", "left", "right")}
    )
    assert sorted(said(plan)) == ["rebuild a", "rebuild left", "rebuild right", "replace top"]
    assert locked(plan)[0] == "top"
    assert locked(plan)[-1] == "a"


def test_views_of_different_schemas_have_a_staging_schema_each():
    reader = define("Other Schema.b", "SELECT id FROM views.a")
    catalog = catalog_of(install(A), install(reader, reads=frozenset({A.name})))
    plan = plan_for((changed(A), reader), catalog, new_columns={"a": [CITY], "Other Schema.b": [CITY]})
    assert plan.lock_order == (reader.name, A.name)
    assert plan.staging == {"views": "orm_views_staging_0", "Other Schema": "orm_views_staging_1"}
    assert plan.steps[1].built_at == name("orm_views_staging_1.b")
    assert 'DROP VIEW "Other Schema"."b"' in sql(plan.steps[1])


def test_a_view_whose_text_cannot_be_moved_is_built_in_the_swap():
    plan = plan_for((changed(A), B, C), chain(), new_columns={"a": [CITY]}, stuck={"b": ["a"]})
    assert said(plan) == ["rebuild a", "rebuild b", "rebuild c"]
    b, c = plan.steps[1:]
    assert b.deferred == "its SQL names views.a in a way that cannot be pointed at the new version"
    assert b.built_at is None
    assert b.sql_in(Phase.BUILD) == ()
    assert sql(b, Phase.FINISH) == ('CREATE VIEW "views"."b" AS\nSELECT id FROM views.a',)
    assert c.deferred == "it reads views.b, which is built in the swap"
    assert swap(plan) == ["DROP c", "DROP b", "DROP a", "ALTER a", "CREATE b", "CREATE c"]


def test_a_view_whose_text_cannot_be_moved_can_read_what_is_only_replaced():
    plan = plan_for((changed(A), B, C), chain(), stuck={"b": ["a"]})
    assert said(plan) == ["replace a"]


def test_a_materialised_view_that_is_filled_in_the_swap_says_who_has_to_wait():
    definitions = (A, materialised(B))
    plan = plan_for((changed(A), materialised(B)), chain(*definitions), stuck={"b": ["a"]})
    b = plan.steps[1]
    assert b.fills
    assert b.blocks == (
        "its readers, until it is built again, because its SQL names views.a in a way that cannot be pointed "
        "at the new version"
    )
    assert [statement.split()[0] for statement in sql(b, Phase.FINISH)] == ["CREATE", "REFRESH", "ANALYZE"]


def test_a_materialised_view_that_reads_a_changed_view_by_way_of_a_function_waits_for_the_swap():
    """``view_dependencies`` declares it. Its SQL names no view, and the function reads the old version."""
    hidden = define("m", "SELECT f() AS id", kind=MATERIALISED, declared_dependencies=(A.name,))
    plan = plan_for((changed(A), hidden), catalog_of(install(A), install(hidden)), reads={"m": []})
    deferred = {step.name.name: step.deferred for step in plan.steps}
    assert deferred["m"] == "it depends on views.a without naming it in its SQL"
    assert sql(plan.steps[-1], Phase.BUILD) == ()


def test_a_declared_dependency_that_the_sql_names_through_another_view_is_not_hidden():
    m = define("m", "SELECT id FROM views.b", kind=MATERIALISED, declared_dependencies=(A.name,))
    catalog = chain(A, B, others=(install(m, reads=frozenset({B.name})),))
    plan = plan_for((changed(A), B, m), catalog)
    assert said(plan) == ["rebuild a", "rebuild b", "rebuild m"]
    assert {step.deferred for step in plan.steps} == {""}


def test_a_declared_dependency_of_a_plain_view_defers_nothing():
    hidden = define("p", "SELECT f() AS id", declared_dependencies=(A.name,))
    plan = plan_for(
        (changed(A), hidden),
        catalog_of(install(A), install(hidden)),
        reads={"p": []},
        new_columns={"a": [CITY]},
    )
    assert said(plan) == ["rebuild a"]


def test_a_new_view_that_reads_what_is_built_in_the_swap_comes_after_it():
    fresh = define("fresh", "SELECT id FROM views.b")
    plan = plan_for((changed(A), B, fresh), chain(A, B), new_columns={"a": [CITY]}, stuck={"b": ["a"]})
    create = plan.steps[-1]
    assert (create.action, create.deferred) == (Action.CREATE, "it reads views.b, which is built in the swap")
    assert {statement.phase for statement in create.statements} == {Phase.FINISH}
    assert swap(plan)[-2:] == ["CREATE b", "CREATE fresh"]
