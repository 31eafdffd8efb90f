"""What happens to each view, and to those around it: the interplay of rebuilding, replacing and dropping."""

from __future__ import annotations

import dataclasses

import pytest

from orm_views_core.installed import Column
from orm_views_core.steps import Action

from .values import CITY, ID, MATERIALISED, VIEW, catalog_of, define, install, name, plan_for, said

A = define("a")
B = define("b", "SELECT id FROM views.a")
C = define("c", "SELECT id FROM views.b")
CHAIN = (A, B, C)


def changed(definition, sql=None, **values):
    return dataclasses.replace(definition, sql=sql or f"{definition.sql} WHERE true", **values)


def materialised(definition):
    return dataclasses.replace(definition, kind=MATERIALISED)


def chain(*definitions, others=(), **installed):
    """The chain as it is installed: b reads a, c reads b; ``others`` come on top."""
    reads = {"a": [], "b": ["a"], "c": ["b"]}
    views = [
        install(d, reads=frozenset(map(name, reads[d.name.name])), **installed.get(d.name.name, {}))
        for d in definitions or CHAIN
    ]
    return catalog_of(*views, *others)


def foreign(text, *reads, **values):
    """Somebody else's view."""
    return install(define(text), tag=None, reads=frozenset(map(name, reads)), **values)


def reasons(plan):
    return {step.name.name: step.reason for step in plan.steps}


def test_nothing_happens_to_what_does_not_differ():
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
    assert plan.drops_first == ()


def test_a_column_at_the_end_replaces():
    plan = plan_for((changed(A), B, C), chain(), new_columns={"a": [ID, CITY]})
    assert said(plan) == ["replace a"]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ([], "column id goes"),
        ([CITY], "column id goes"),
        ([Column("id", "integer")], "column id bigint becomes id integer"),
        ([Column("id", "bigint", "C")], "column id bigint becomes id bigint COLLATE C"),
        ([CITY, ID], "column city comes before id"),
    ],
)
def test_an_incompatible_change_rebuilds_with_all_that_reads_it(columns, why):
    plan = plan_for((changed(A), B, C), chain(), new_columns={"a": columns})
    assert said(plan) == ["rebuild a", "rebuild b", "rebuild c"]
    assert plan.drops_first == (name("c"), name("b"), name("a"))
    assert reasons(plan) == {
        "a": f"its class has changed: {why}",
        "b": "it reads views.a, which is rebuilt",
        "c": "it reads views.b, which is rebuilt",
    }
    assert [step.indirect for step in plan.steps] == [False, True, True]


def test_a_rebuild_in_the_middle_leaves_what_it_reads_alone():
    plan = plan_for((A, changed(B), C), chain(), new_columns={"b": [CITY]})
    assert said(plan) == ["rebuild b", "rebuild c"]


def test_a_materialised_view_is_rebuilt_and_never_replaced():
    definitions = (A, materialised(B), C)
    plan = plan_for((A, changed(materialised(B)), C), chain(*definitions))
    assert said(plan) == ["rebuild b", "rebuild c"]


def test_a_materialised_view_below_a_replaced_one_is_computed_anew():
    definitions = (A, B, materialised(C))
    plan = plan_for((changed(A), B, materialised(C)), chain(*definitions))
    assert said(plan) == ["replace a", "rebuild c"]
    assert reasons(plan)["c"] == "its rows come from views.a, which changes"
    assert plan.drops_first == (name("c"),)


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
def test_a_change_of_kind_in_the_middle_rebuilds_what_is_below(before, after):
    old, new = dataclasses.replace(B, kind=before), dataclasses.replace(B, kind=after)
    plan = plan_for((A, new, C), chain(A, old, C))
    assert said(plan) == ["rebuild b", "rebuild c"]
    assert reasons(plan)["b"] == f"it becomes a {after.label}"
    rebuilt = plan.steps[0]
    assert rebuilt.drop_statement == f'DROP {before.value} "views"."b"'
    assert rebuilt.statements[0].startswith(f"CREATE {after.value} ")
    assert plan.drops_first == (name("c"), name("b"))


def test_a_view_that_only_looks_different_is_adopted():
    respelt = changed(A, "select 1 as id")
    plan = plan_for((respelt, B, C), chain(a={"definition": "select 1 as id"}))
    assert said(plan) == ["adopt a"]
    assert plan.steps[0].statements == ()


def test_an_untagged_view_of_the_same_definition_is_adopted_and_another_is_replaced():
    assert said(plan_for(CHAIN, chain(a={"tag": None}))) == ["adopt a"]
    plan = plan_for(CHAIN, chain(a={"tag": None, "definition": "SELECT 2 AS id"}))
    assert said(plan) == ["replace a"]
    assert (
        reasons(plan)["a"]
        == "it is in the database, but no sync has recorded it, and its definition is another one"
    )


def test_a_drifted_view_is_put_back():
    plan = plan_for(CHAIN, chain(b={"definition": "SELECT 5 AS id"}))
    assert said(plan) == ["replace b"]
    assert reasons(plan)["b"] == "it was changed in the database"


def test_a_view_changed_on_both_sides_says_so():
    plan = plan_for((A, changed(B), C), chain(b={"definition": "SELECT 5 AS id"}))
    assert reasons(plan)["b"] == "its class has changed, and so has the database"


def test_options_alone_rebuild_nothing():
    plan = plan_for((dataclasses.replace(A, options=(("security_barrier", "true"),)), B, C), chain())
    assert said(plan) == ["options a"]


def test_a_reader_that_would_come_out_otherwise_is_replaced_too():
    """As SELECT * from a view that gains a column: its text is the same, and what it means is not."""
    catalog = chain(c={"definition": "SELECT id, FROM views.b, as it was"})
    tagged = catalog.relations[C.name]
    tag = dataclasses.replace(tagged.tag, installed=tagged.fingerprint)
    catalog = dataclasses.replace(
        catalog, relations={**catalog.relations, C.name: dataclasses.replace(tagged, tag=tag)}
    )
    plan = plan_for((changed(A), B, C), catalog)
    assert said(plan) == ["replace a", "replace c"]
    assert reasons(plan)["c"] == "what it reads has changed"
    assert plan.steps[1].indirect


def test_force_replaces_and_rebuilds_everything():
    definitions = (A, B, materialised(C))
    plan = plan_for(definitions, chain(*definitions), force=True)
    assert said(plan) == ["replace a", "replace b", "rebuild c"]
    assert set(reasons(plan).values()) == {"forced"}


def test_force_on_some_leaves_the_others():
    plan = plan_for(CHAIN, chain(), force=True, only=["b"])
    assert said(plan) == ["replace b"]


def test_two_views_can_swap_which_reads_which():
    before = catalog_of(install(A, reads=frozenset({B.name})), install(define("b", "SELECT 1 AS id")))
    plan = plan_for((changed(A, "SELECT 2 AS id"), B), before)
    assert said(plan) == ["replace a", "replace b"]
    assert not plan.problems


def test_two_views_can_swap_which_reads_which_when_both_are_rebuilt():
    before = catalog_of(install(A, reads=frozenset({B.name})), install(define("b", "SELECT 1 AS id")))
    plan = plan_for((changed(A, "SELECT 2 AS id"), B), before, new_columns={"a": [CITY], "b": [CITY]})
    assert said(plan) == ["rebuild a", "rebuild b"]
    assert plan.drops_first == (name("a"), name("b")), "a still reads b where it is installed"


def test_a_view_moves_below_another_that_is_rebuilt():
    """c read a and now reads b; a is rebuilt, so the c that is installed has to go first all the same."""
    catalog = catalog_of(install(A), install(B, reads=frozenset()), install(C, reads=frozenset({A.name})))
    plan = plan_for(
        (changed(A), define("b", B.sql), changed(C, "SELECT 3 AS id")), catalog, new_columns={"a": [CITY]}
    )
    assert "rebuild c" in said(plan)
    order = plan.drops_first
    assert order.index(C.name) < order.index(A.name)


def test_an_orphan_is_dropped_after_everything_else():
    plan = plan_for((changed(A),), chain(A, B), orphans=["b"])
    assert said(plan) == ["replace a", "drop b"]
    assert reasons(plan)["b"] == "no class declares it any more"
    assert plan.drops_first == ()


def test_orphans_go_readers_first():
    plan = plan_for((), chain(), orphans=["a", "b", "c"])
    assert said(plan) == ["drop c", "drop b", "drop a"]
    assert not plan.problems


def test_an_orphan_that_reads_what_is_rebuilt_goes_before_it():
    plan = plan_for((changed(A),), chain(), new_columns={"a": [CITY]}, orphans=["b", "c"])
    assert set(said(plan)) == {"rebuild a", "drop b", "drop c"}
    assert plan.drops_first == (name("c"), name("b"), name("a"))
    assert all(
        step.drop_statement and not step.statements for step in plan.steps if step.action is Action.DROP
    )


def test_an_orphan_in_the_way_goes_although_it_was_not_asked_for():
    plan = plan_for((changed(A),), chain(A, B), new_columns={"a": [CITY]}, orphans=["b"], only=["a"])
    assert set(said(plan)) == {"rebuild a", "drop b"}


def test_an_orphan_that_is_not_in_the_way_stays_when_others_are_asked_for():
    plan = plan_for((changed(A),), chain(A, B), orphans=["b"], only=["a"])
    assert said(plan) == ["replace a"]


def test_an_orphan_that_a_registered_view_still_reads_stops_the_sync():
    plan = plan_for((B, C), chain(), orphans=["a"])
    (problem,) = plan.problems
    assert "views.a has to go" in problem
    assert "lending.B (/project/lending/postgres_views.py, line 7) still reads it" in problem


def test_an_orphan_that_a_registered_view_no_longer_reads_goes_last():
    plan = plan_for((changed(B, "SELECT 7 AS id"), C), chain(), orphans=["a"])
    assert said(plan) == ["replace b", "drop a"]
    assert not plan.problems


def test_an_orphan_that_somebody_else_reads_stops_the_sync():
    plan = plan_for((), chain(A, others=[foreign("public.report", "views.a")]), orphans=["a"])
    (problem,) = plan.problems
    assert "public.report, which is not ours, still reads it" in problem


def test_a_view_can_be_renamed_although_others_read_it():
    renamed = define("a_new")
    reader = changed(B, "SELECT id FROM views.a_new")
    plan = plan_for((renamed, reader, C), chain(), orphans=["a"])
    assert said(plan) == ["create a_new", "replace b", "drop a"]
    assert not plan.problems


def test_a_view_can_be_renamed_although_a_materialised_one_reads_it():
    renamed = define("a_new")
    reader = changed(materialised(B), "SELECT id FROM views.a_new")
    plan = plan_for((renamed, reader, C), chain(A, materialised(B), C), orphans=["a"])
    assert said(plan) == ["create a_new", "rebuild b", "rebuild c", "drop a"]
    assert plan.drops_first == (name("c"), name("b"))
    assert not plan.problems


def test_a_rebuild_that_somebody_elses_view_reads_stops_and_names_it():
    catalog = chain(others=[foreign("public.report", "views.c")])
    plan = plan_for((changed(A), B, C), catalog, new_columns={"a": [CITY]})
    (problem,) = plan.problems
    assert problem.startswith(
        "views.c has to be dropped and created again (it reads views.b, which is rebuilt)"
    )
    assert "public.report, which is not ours, reads it" in problem


def test_every_reader_that_is_in_the_way_is_named():
    catalog = chain(others=[foreign("public.x", "views.a"), foreign("public.y", "views.a", "views.b")])
    plan = plan_for((changed(A), B, C), catalog, new_columns={"a": [CITY]})
    assert len(plan.problems) == 3
    assert {word for problem in plan.problems for word in problem.split() if word.startswith("public.")} == {
        "public.x,",
        "public.y,",
        "public.x",
        "public.y",
    }


def test_a_replacement_leaves_somebody_elses_view_alone():
    catalog = chain(others=[foreign("public.report", "views.a")])
    plan = plan_for((changed(A), B, C), catalog)
    assert said(plan) == ["replace a"]
    assert not plan.problems


def test_what_has_our_name_and_is_no_view_stops_the_sync():
    table = install(A, kind=None, relation="table", tag=None)
    plan = plan_for(CHAIN, catalog_of(table))
    (problem,) = plan.problems
    assert "lending.A (" in problem
    assert "views.a is a table, which is not ours to replace" in problem


def test_a_diamond_is_dropped_and_rebuilt_in_order():
    left, right = define("left", "SELECT id FROM views.a"), define("right", "SELECT id FROM views.a")
    top = define("top", "SELECT id FROM views.left JOIN views.right USING (id)")
    catalog = catalog_of(
        install(A),
        install(left, reads=frozenset({A.name})),
        install(right, reads=frozenset({A.name})),
        install(top, reads=frozenset({left.name, right.name})),
    )
    plan = plan_for((top, right, left, changed(A)), catalog, new_columns={"a": [CITY]})
    built = [step.name.name for step in plan.steps]
    assert built[0] == "a"
    assert built[-1] == "top"
    assert sorted(built) == ["a", "left", "right", "top"]
    dropped = [view.name for view in plan.drops_first]
    assert dropped[0] == "top"
    assert dropped[-1] == "a"


def test_views_of_different_schemas_rebuild_one_another():
    reader = define("Other Schema.b", "SELECT id FROM views.a")
    catalog = catalog_of(install(A), install(reader, reads=frozenset({A.name})))
    plan = plan_for((changed(A), reader), catalog, new_columns={"a": [CITY]})
    assert plan.drops_first == (reader.name, A.name)
    assert plan.steps[1].drop_statement == 'DROP VIEW "Other Schema"."b"'


def test_a_materialised_view_that_is_being_refreshed_is_not_taken_for_changed():
    definitions = (materialised(A), B, C)
    assert plan_for(definitions, chain(*definitions, a={"definition": None})).is_empty
