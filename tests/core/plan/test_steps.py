"""The steps of a plan: the order of the swap, and the fingerprint that confirms them."""

from __future__ import annotations

import dataclasses
import itertools

from orm_views_core.definitions.definition import IndexDefinition
from orm_views_core.plan.steps import Action, Phase, Statement
from tests.core.values import CITY, MATERIALISED, catalog_of, define, install, name, plan_for

LOANS = define("loans", comment="The loans.", grant_select_to=("analyst",), column_comments={"id": "Number."})
KEY = IndexDefinition("totals_id_key", True, '("id")')
TOTALS = define("totals", "SELECT id FROM views.loans", kind=MATERIALISED, indexes=(KEY,))
READY = {"schema_usage": {"views": frozenset({"analyst", "dashboards"})}}


def changed(definition):
    return dataclasses.replace(definition, sql=f"{definition.sql} WHERE true")


def test_each_view_is_dropped_once_readers_first():
    reader = define("reader", "SELECT id FROM views.loans")
    catalog = catalog_of(install(LOANS), install(reader, reads=frozenset({LOANS.name})), **READY)
    plan = plan_for((changed(LOANS),), catalog, new_columns={"loans": [CITY]}, orphans=["reader"])
    drops = [(step.name.name, sent.sql) for step, sent in plan.swap if sent.sql.startswith("DROP")]
    assert drops == [("reader", 'DROP VIEW "views"."reader"'), ("loans", 'DROP VIEW "views"."loans"')]
    assert [view.name for view in plan.lock_order] == ["reader", "loans"]


def test_the_swap_goes_phase_by_phase():
    """Re-pointed before the old versions go, moved once their names are free."""
    totals = dataclasses.replace(TOTALS, sql="SELECT 1 AS id")
    reader = define("reader", "SELECT id FROM views.totals")
    index = dataclasses.replace(define("other", "SELECT 1 AS id", kind=MATERIALISED), indexes=())
    indexed = dataclasses.replace(index, indexes=(IndexDefinition("gone", False, '("id")'),))
    catalog = catalog_of(
        install(totals), install(reader, reads=frozenset({totals.name})), install(indexed), **READY
    )
    plan = plan_for((changed(totals), reader, index), catalog)
    assert [(step.name.name, sent.sql.split(maxsplit=1)[0]) for step, sent in plan.swap] == [
        ("reader", "CREATE"),
        ("totals", "DROP"),
        ("totals", "ALTER"),
        ("other", "DROP"),
    ]
    locked = [step.name.name for step in plan.swapped]
    assert set(locked) == {"reader", "totals", "other"}
    assert locked.index("reader") < locked.index("totals")


def test_the_order_of_locks_is_that_of_readers():
    names = "edcba"
    views = [define(letter) for letter in names]
    reads = dict(itertools.pairwise(names))
    catalog = catalog_of(
        *(install(v, reads=frozenset(map(name, reads.get(v.name.name, "")))) for v in views), **READY
    )
    plan = plan_for([changed(v) for v in reversed(views)], catalog, new_columns={n: [CITY] for n in names})
    assert [view.name for view in plan.lock_order] == list(names)
    assert [step.name for step in plan.swapped] == list(plan.lock_order)


def test_locked_views_are_ordered_through_the_views_between_them():
    """``b`` is left alone, and ``c`` reads ``a`` through it."""
    views = {letter: define(letter) for letter in "abc"}
    catalog = catalog_of(
        install(views["a"]),
        install(views["b"], reads=frozenset({name("a")})),
        install(views["c"], reads=frozenset({name("b")})),
        **READY,
    )
    plan = plan_for([changed(views["a"]), views["b"], changed(views["c"])], catalog)
    assert [view.name for view in plan.lock_order] == ["c", "a"]


def test_the_fingerprint_depends_on_what_would_be_done():
    catalog = catalog_of(install(LOANS), **READY)
    one, again = (plan_for((changed(LOANS),), catalog) for _ in range(2))
    assert one.fingerprint == again.fingerprint
    other = plan_for((changed(changed(LOANS)),), catalog)
    rebuilt = plan_for((changed(LOANS),), catalog, new_columns={"loans": [CITY]})
    nothing = plan_for((LOANS,), catalog)
    blocked = dataclasses.replace(one, problems=("something is in the way",))
    elsewhere = dataclasses.replace(one, database="warehouse")
    prints = {plan.fingerprint for plan in (one, other, rebuilt, nothing, blocked, elsewhere)}
    assert len(prints) == 6


def test_the_fingerprint_depends_on_phases():
    plan = plan_for((changed(LOANS),), catalog_of(install(LOANS), **READY))
    (step,) = plan.steps
    earlier = tuple(Statement(Phase.BUILD, sent.sql) for sent in step.statements)
    other = dataclasses.replace(plan, steps=(dataclasses.replace(step, statements=earlier),))
    assert other.fingerprint != plan.fingerprint


def test_the_fingerprint_does_not_depend_on_words_for_people():
    catalog = catalog_of(install(LOANS), **READY)
    plan = plan_for((changed(LOANS),), catalog)
    (step,) = plan.steps
    said_otherwise = dataclasses.replace(
        plan, steps=(dataclasses.replace(step, reason="because", blocks="x"),)
    )
    assert said_otherwise.fingerprint == plan.fingerprint


def test_a_plan_with_problems_is_not_empty():
    table = install(LOANS, kind=None, relation="table", state=None)
    plan = plan_for((LOANS,), catalog_of(table, **READY))
    assert plan.steps == ()
    assert not plan.is_empty
    assert plan.unchanged == 1


def test_steps_are_counted_by_kind():
    others = [define(letter) for letter in "abc"]
    plan = plan_for((changed(LOANS), *others), catalog_of(install(LOANS), **READY))
    assert dict(plan.counts) == {Action.CREATE: 3, Action.REPLACE: 1}
    assert list(plan.counts) == [Action.CREATE, Action.REPLACE]


def test_signs_and_verbs_are_those_that_people_see():
    assert [(a.sign, a.verb) for a in (Action.CREATE, Action.REPLACE, Action.REBUILD, Action.DROP)] == [
        ("+", "create"),
        ("~", "replace"),
        ("±", "rebuild"),
        ("-", "drop"),
    ]
