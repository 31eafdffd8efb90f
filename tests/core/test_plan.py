"""The steps of a plan: their order, their SQL, and the fingerprint that confirms them."""

from __future__ import annotations

import dataclasses
import itertools

from orm_views_core.installed import Grant
from orm_views_core.indexes import IndexDefinition
from orm_views_core.steps import Action

from .values import (
    CITY,
    MATERIALISED,
    SYNCED,
    catalog_of,
    define,
    install,
    name,
    plan_for,
    said,
    tag_of,
)

LOANS = define("loans", comment="The loans.", grant_select_to=("analyst",), column_comments={"id": "Number."})
KEY = IndexDefinition("totals_id_key", True, '("id")')
TOTALS = define("totals", "SELECT id FROM views.loans", kind=MATERIALISED, indexes=(KEY,))
READY = {"schema_usage": {"views": frozenset({"analyst", "dashboards"})}}


def changed(definition):
    return dataclasses.replace(definition, sql=f"{definition.sql} WHERE true")


def test_a_missing_schema_is_created_and_opened_to_the_readers_of_its_views():
    hidden = define("Other Schema.secret", hidden=True)
    plan = plan_for((LOANS, hidden), catalog_of(), command_roles=["dashboards"])
    schemas = [step for step in plan.steps if step.action is Action.SCHEMA]
    assert [step.target for step in schemas] == ["views", "Other Schema"]
    assert schemas[0].statements == (
        'CREATE SCHEMA "views"',
        'GRANT USAGE ON SCHEMA "views" TO "analyst", "dashboards"',
    )
    assert schemas[0].reason == "it does not exist; analyst, dashboards may not look up names in it"
    assert schemas[1].statements == ('CREATE SCHEMA "Other Schema"',)


def test_a_schema_that_its_readers_can_use_is_no_step():
    assert plan_for((LOANS,), catalog_of(install(LOANS), **READY)).is_empty


def test_everybody_can_use_a_schema_that_is_granted_to_public():
    public = dataclasses.replace(LOANS, grant_select_to=("public",))
    installed = install(public, grants=frozenset({Grant("", "SELECT")}))
    assert plan_for((public,), catalog_of(installed, schema_usage={"views": frozenset({""})})).is_empty
    plan = plan_for((public,), catalog_of(installed))
    assert plan.steps[0].statements == ('GRANT USAGE ON SCHEMA "views" TO PUBLIC',)


def test_a_created_view_has_everything_in_one_step():
    plan = plan_for((LOANS,), catalog_of(**READY, schemas=frozenset({"views"})))
    (step,) = plan.steps
    assert step.action is Action.CREATE
    assert step.statements == (
        'CREATE VIEW "views"."loans" AS\nSELECT 1 AS id',
        'GRANT SELECT ON "views"."loans" TO "analyst"',
        """COMMENT ON VIEW "views"."loans" IS 'The loans.'""",
        """COMMENT ON COLUMN "views"."loans"."id" IS 'Number.'""",
    )
    assert step.drop_statement == ""
    assert step.blocks == "nobody"


def test_a_replaced_view_repeats_its_options_which_postgresql_would_clear():
    definition = dataclasses.replace(LOANS, options=(("security_barrier", "true"),))
    plan = plan_for((changed(definition),), catalog_of(install(definition), **READY))
    (step,) = plan.steps
    assert step.statements == (
        'CREATE OR REPLACE VIEW "views"."loans" WITH (security_barrier=true) AS\nSELECT 1 AS id WHERE true',
    )


def test_a_replaced_view_gets_only_the_comments_and_grants_that_differ():
    installed = install(LOANS, text="Old.", grants=frozenset())
    (step,) = plan_for((changed(LOANS),), catalog_of(installed, **READY)).steps
    assert step.statements[1:] == (
        'GRANT SELECT ON "views"."loans" TO "analyst"',
        """COMMENT ON VIEW "views"."loans" IS 'The loans.'""",
    )


def test_a_rebuilt_materialised_view_gets_its_indexes_before_anybody_can_read_it():
    installed = install(TOTALS, reads=frozenset({LOANS.name}), grants=frozenset({Grant("friend", "SELECT")}))
    plan = plan_for((LOANS, changed(TOTALS)), catalog_of(install(LOANS), installed, **READY))
    (step,) = plan.steps
    assert step.statements == (
        'CREATE MATERIALIZED VIEW "views"."totals" AS\nSELECT id FROM views.loans WHERE true',
        'CREATE UNIQUE INDEX "totals_id_key" ON "views"."totals" ("id")',
        'GRANT SELECT ON "views"."totals" TO "friend"',
    )
    assert step.drop_statement == 'DROP MATERIALIZED VIEW "views"."totals"'
    assert step.sql.splitlines()[0] == 'DROP MATERIALIZED VIEW "views"."totals";'
    assert step.blocks == "its readers, until the sync commits"


def test_a_materialised_view_without_data_is_created_empty_and_rebuilt_full_once_it_was_filled():
    empty = dataclasses.replace(TOTALS, sql="SELECT 1 AS id", with_data=False)
    (create,) = plan_for((empty,), catalog_of(**READY, schemas=frozenset({"views"}))).steps
    assert create.statements[0].endswith("WITH NO DATA")
    for populated in (True, False):
        catalog = catalog_of(install(empty, populated=populated), **READY)
        (rebuild,) = plan_for((changed(empty),), catalog).steps
        assert rebuild.statements[0].endswith("WITH NO DATA") is not populated


def test_how_long_the_last_build_took_is_known():
    tag = tag_of(TOTALS, seconds=12.5, refreshed=SYNCED)
    catalog = catalog_of(install(TOTALS, tag=tag), **READY)
    (step,) = plan_for((changed(TOTALS),), catalog, reads={"totals": []}).steps
    assert step.usual_seconds == 12.5


def test_lesser_differences_are_a_step_each():
    definition = dataclasses.replace(LOANS, options=(("security_barrier", "true"),), comment="New.")
    installed = install(LOANS, grants=frozenset())
    plan = plan_for((definition,), catalog_of(installed, **READY))
    assert said(plan) == ["options loans", "grant loans", "comment loans"]
    assert plan.unchanged == 0


def test_indexes_are_dropped_before_they_are_created():
    wanted = dataclasses.replace(TOTALS, sql="SELECT 1 AS id", indexes=(KEY,))
    before = dataclasses.replace(wanted, indexes=(IndexDefinition("old", False, '("id")'),))
    plan = plan_for((wanted,), catalog_of(install(before), **READY))
    (step,) = plan.steps
    assert step.action is Action.INDEX
    assert [statement.split()[0] for statement in step.statements] == ["DROP", "CREATE"]


def test_a_role_that_is_no_longer_named_but_has_no_grant_is_only_recorded():
    installed = install(LOANS, grants=frozenset())
    none = dataclasses.replace(LOANS, grant_select_to=())
    (step,) = plan_for((none,), catalog_of(installed, **READY)).steps
    assert (step.action, step.statements) == (Action.GRANT, ())


def test_what_is_dropped_first_is_not_dropped_again():
    reader = define("reader", "SELECT id FROM views.loans")
    catalog = catalog_of(install(LOANS), install(reader, reads=frozenset({LOANS.name})), **READY)
    plan = plan_for((changed(LOANS),), catalog, new_columns={"loans": [CITY]}, orphans=["reader"])
    drops = [
        s for step in plan.steps for s in (step.drop_statement, *step.statements) if s.startswith("DROP")
    ]
    assert sorted(drops) == ['DROP VIEW "views"."loans"', 'DROP VIEW "views"."reader"']
    assert {step.name for step in plan.steps if step.drop_statement} == set(plan.drops_first)


def test_the_fingerprint_is_that_of_what_would_be_done():
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


def test_the_fingerprint_does_not_change_with_what_is_only_said():
    catalog = catalog_of(install(LOANS), **READY)
    plan = plan_for((changed(LOANS),), catalog)
    (step,) = plan.steps
    said_otherwise = dataclasses.replace(
        plan, steps=(dataclasses.replace(step, reason="because", blocks="x"),)
    )
    assert said_otherwise.fingerprint == plan.fingerprint


def test_a_plan_with_problems_is_not_empty():
    table = install(LOANS, kind=None, relation="table", tag=None)
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


def test_the_order_of_drops_is_that_of_readers():
    names = "edcba"
    views = [define(letter) for letter in names]
    reads = dict(itertools.pairwise(names))
    catalog = catalog_of(
        *(install(v, reads=frozenset(map(name, reads.get(v.name.name, "")))) for v in views), **READY
    )
    plan = plan_for(
        [changed(v) if v.name.name == "a" else v for v in views], catalog, new_columns={"a": [CITY]}
    )
    assert [view.name for view in plan.drops_first] == list("edcba")
