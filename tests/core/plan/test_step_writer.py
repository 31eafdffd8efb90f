"""The SQL of each step, and its phases."""

from __future__ import annotations

import dataclasses

from orm_views_core.database.extras import SCHEMA, TABLE, Extra
from orm_views_core.database.names_in_use import Taken
from orm_views_core.database.relations import Grant
from orm_views_core.definitions.definition import IndexDefinition
from orm_views_core.plan.statements import interim_name
from orm_views_core.plan.steps import Action, Phase, Statement
from tests.core.values import (
    MATERIALISED,
    SYNCED,
    catalog_of,
    define,
    install,
    name,
    plan_for,
    said,
    sql,
    state_of,
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
    assert sql(schemas[0], Phase.BUILD) == (
        'CREATE SCHEMA "views"',
        'GRANT USAGE ON SCHEMA "views" TO "analyst", "dashboards"',
    )
    assert schemas[0].reason == "it does not exist; analyst, dashboards may not look up names in it"
    assert sql(schemas[1]) == ('CREATE SCHEMA "Other Schema"',)


def test_a_schema_that_its_readers_can_use_is_no_step():
    assert plan_for((LOANS,), catalog_of(install(LOANS), **READY)).is_empty


def test_everybody_can_use_a_schema_that_is_granted_to_public():
    public = dataclasses.replace(LOANS, grant_select_to=("public",))
    installed = install(public, grants=frozenset({Grant("", "SELECT")}))
    assert plan_for((public,), catalog_of(installed, schema_usage={"views": frozenset({""})})).is_empty
    plan = plan_for((public,), catalog_of(installed))
    assert sql(plan.steps[0]) == ('GRANT USAGE ON SCHEMA "views" TO PUBLIC',)


def test_a_created_view_has_everything_in_one_step():
    plan = plan_for((LOANS,), catalog_of(**READY, schemas=frozenset({"views"})))
    (step,) = plan.steps
    assert step.action is Action.CREATE
    assert sql(step, Phase.BUILD) == (
        'CREATE VIEW "views"."loans" AS\nSELECT 1 AS id',
        'GRANT SELECT ON "views"."loans" TO "analyst"',
        """COMMENT ON COLUMN "views"."loans"."id" IS 'Number.'""",
    )
    assert step.swap_statements == ()
    assert step.blocks == "nobody"
    assert plan.swap == plan.swapped == ()


def test_each_statement_has_the_kind_of_what_it_is_made_of():
    """An error names the class only for what the class declares."""
    totals = dataclasses.replace(
        TOTALS, sql="SELECT 1 AS id", grant_select_to=("analyst",), column_comments={"id": "Number."}
    )
    extras = [
        Extra("owner", "boss", f"ALTER TABLE {TABLE} OWNER TO boss"),
        Extra("index", "by_hand", f"CREATE INDEX by_hand ON {TABLE} (id)"),
        Extra("index comment", "by_hand", f"COMMENT ON INDEX {SCHEMA}.by_hand IS 'Mine.'"),
        Extra("trigger", "t", f"CREATE TRIGGER t ON {TABLE}"),
    ]
    (create,) = plan_for((totals,), catalog_of(**READY, schemas=frozenset({"views"}))).steps
    assert kinds(create) == ["query CREATE", "index CREATE", "other GRANT", "comment COMMENT"]
    (rebuild,) = plan_for(
        (changed(totals),), catalog_of(install(totals), **READY), keep={"totals": extras}
    ).steps
    assert kinds(rebuild) == [
        *("query CREATE", "other GRANT", "other ALTER", "other REVOKE", "query REFRESH", "index CREATE"),
        *("index CREATE", "comment COMMENT", "other CREATE"),
        *("comment COMMENT", "other ANALYZE", "other DROP", "other ALTER"),
    ]


def kinds(step):
    return [f"{sent.kind.value} {sent.sql.split(maxsplit=1)[0]}" for sent in step.statements]


def test_a_replaced_view_repeats_its_options_which_postgresql_would_reset():
    definition = dataclasses.replace(LOANS, options=(("security_barrier", "true"),))
    plan = plan_for((changed(definition),), catalog_of(install(definition), **READY))
    (step,) = plan.steps
    assert sql(step, Phase.REPLACE) == (
        'CREATE OR REPLACE VIEW "views"."loans" WITH (security_barrier=true) AS\nSELECT 1 AS id WHERE true',
    )


def test_a_replaced_view_keeps_options_set_by_hand():
    definition = dataclasses.replace(LOANS, options=(("security_barrier", "true"),))
    installed = install(definition, options=(("security_barrier", "true"), ("security_invoker", "true")))
    (step,) = plan_for((changed(definition),), catalog_of(installed, **READY)).steps
    assert sql(step)[0].startswith(
        'CREATE OR REPLACE VIEW "views"."loans" WITH (security_barrier=true, security_invoker=true) AS'
    )


def test_an_option_that_the_class_no_longer_sets_was_not_set_by_hand():
    before = dataclasses.replace(LOANS, options=(("security_barrier", "true"),))
    (step,) = plan_for((changed(LOANS),), catalog_of(install(before), **READY)).steps
    assert sql(step)[0].startswith('CREATE OR REPLACE VIEW "views"."loans" AS')


def test_a_replaced_view_gets_only_the_comments_and_grants_that_differ():
    definition = dataclasses.replace(LOANS, column_comments={"id": "Number.", "city": "Town."})
    installed = install(definition, column_comments={"id": "Number."}, grants=frozenset())
    (step,) = plan_for((changed(definition),), catalog_of(installed, **READY)).steps
    assert sql(step, Phase.REPLACE)[1:] == (
        'GRANT SELECT ON "views"."loans" TO "analyst"',
        """COMMENT ON COLUMN "views"."loans"."city" IS 'Town.'""",
    )


def test_a_rebuilt_materialised_view_is_complete_before_it_takes_its_place():
    installed = install(TOTALS, reads=frozenset({LOANS.name}))
    friend = Extra("grant", "of SELECT to friend", f"GRANT SELECT ON {TABLE} TO friend")
    plan = plan_for(
        (LOANS, changed(TOTALS)),
        catalog_of(install(LOANS), installed, **READY),
        keep={"totals": [friend]},
    )
    (step,) = plan.steps
    assert sql(step, Phase.BUILD) == (
        'CREATE MATERIALIZED VIEW "orm_views_staging_0"."totals" AS (\n'
        + changed(TOTALS).sql
        + "\n) WITH NO DATA",
        'REFRESH MATERIALIZED VIEW "orm_views_staging_0"."totals"',
        'CREATE UNIQUE INDEX "totals_id_key" ON "orm_views_staging_0"."totals" ("id")',
        'GRANT SELECT ON "orm_views_staging_0"."totals" TO friend',
        'ANALYZE "orm_views_staging_0"."totals"',
    )
    assert [sent.sql for _, sent in plan.swap] == [
        'DROP MATERIALIZED VIEW "views"."totals"',
        'ALTER MATERIALIZED VIEW "orm_views_staging_0"."totals" SET SCHEMA "views"',
    ]
    assert step.sql.splitlines()[-1] == f"{plan.swap[-1][1].sql};"
    assert step.built_at == name("orm_views_staging_0.totals")
    assert plan.staging == {"views": "orm_views_staging_0"}
    assert step.blocks == "its readers, during the swap"
    assert step.fills
    assert step.kept == ("1 grant",)


def test_a_materialised_view_without_data_is_created_empty_and_rebuilt_full_once_it_was_filled():
    empty = dataclasses.replace(TOTALS, sql="SELECT 1 AS id", with_data=False)
    (create,) = plan_for((empty,), catalog_of(**READY, schemas=frozenset({"views"}))).steps
    assert sql(create)[0].endswith("WITH NO DATA")
    assert not create.fills
    for populated in (True, False):
        catalog = catalog_of(install(empty, populated=populated), **READY)
        (rebuild,) = plan_for((changed(empty),), catalog).steps
        assert any(statement.startswith("REFRESH ") for statement in sql(rebuild)) is populated
        assert rebuild.fills is populated


def test_how_long_the_last_build_took_is_known():
    state = state_of(TOTALS, seconds=12.5, refreshed=SYNCED)
    catalog = catalog_of(install(TOTALS, state=state), **READY)
    (step,) = plan_for((changed(TOTALS),), catalog, reads={"totals": []}).steps
    assert step.usual_seconds == 12.5


def test_each_smaller_difference_is_a_step():
    definition = dataclasses.replace(LOANS, options=(("security_barrier", "true"),), comment="New.")
    installed = install(LOANS, grants=frozenset())
    plan = plan_for((definition,), catalog_of(installed, **READY))
    assert said(plan) == ["options loans", "grant loans", "comment loans"]
    assert plan.unchanged == 0


def test_an_index_is_built_before_the_old_one_is_dropped():
    wanted = dataclasses.replace(TOTALS, sql="SELECT 1 AS id", indexes=(KEY,))
    before = dataclasses.replace(wanted, indexes=(IndexDefinition("old", False, '("id")'),))
    plan = plan_for((wanted,), catalog_of(install(before), **READY))
    (step,) = plan.steps
    assert step.action is Action.INDEX
    assert sql(step, Phase.BUILD) == ('CREATE UNIQUE INDEX "totals_id_key" ON "views"."totals" ("id")',)
    assert sql(step, Phase.FINISH) == ('DROP INDEX "views"."old"',)
    assert step.blocks == ("its readers, during the swap; its refreshes, until the sync commits")


def test_a_role_that_is_no_longer_named_but_has_no_grant_is_only_recorded():
    installed = install(LOANS, grants=frozenset())
    none = dataclasses.replace(LOANS, grant_select_to=())
    (step,) = plan_for((none,), catalog_of(installed, **READY)).steps
    assert (step.action, step.statements) == (Action.GRANT, ())


def test_an_index_that_is_only_dropped_is_dropped_in_the_swap():
    before = dataclasses.replace(TOTALS, sql="SELECT 1 AS id")
    wanted = dataclasses.replace(before, indexes=())
    (step,) = plan_for((wanted,), catalog_of(install(before), **READY)).steps
    assert step.statements == (Statement(Phase.FINISH, 'DROP INDEX "views"."totals_id_key"'),)
    assert step.blocks == "its readers, during the swap"


def test_a_new_view_takes_the_name_of_an_index_once_it_is_free():
    """``gone`` has an index with the name of one of the new view's: both exist until the swap."""
    gone = define("gone", kind=MATERIALISED)
    totals = dataclasses.replace(TOTALS, sql="SELECT 1 AS id")
    plan = plan_for(
        (totals,),
        catalog_of(install(gone), **READY),
        orphans=["gone"],
        taken={"totals_id_key": Taken("index", gone.name)},
    )
    assert not plan.problems
    create = plan.steps[-1]
    interim = interim_name("totals_id_key")
    assert sql(create, Phase.BUILD)[1] == f'CREATE UNIQUE INDEX "{interim}" ON "views"."totals" ("id")'
    assert sql(create, Phase.FINISH) == (f'ALTER INDEX "views"."{interim}" RENAME TO "totals_id_key"',)
    assert [sent.sql.split()[0] for _, sent in plan.swap] == ["DROP", "ALTER"]


def test_a_new_view_waits_for_the_plain_one_that_it_reads_to_be_replaced():
    """It may read a column that the other view has only from then on."""
    reader, aside = define("reader", "SELECT id FROM views.loans"), define("aside")
    plan = plan_for((changed(LOANS), reader, aside), catalog_of(install(LOANS), **READY))
    phases = {step.name.name: {sent.phase for sent in step.statements} for step in plan.steps}
    assert phases == {"loans": {Phase.REPLACE}, "reader": {Phase.REPLACE}, "aside": {Phase.BUILD}}
    assert [step.name.name for step, _ in plan.swap] == ["loans", "reader"]
    assert [step.name.name for step in plan.swapped] == ["loans"], "nobody reads what is new"


def test_a_new_view_is_built_from_the_new_version_of_what_is_rebuilt():
    totals = dataclasses.replace(TOTALS, sql="SELECT 1 AS id")
    reader = define("reader", "SELECT id FROM views.totals")
    plan = plan_for((changed(totals), reader), catalog_of(install(totals), **READY))
    assert said(plan) == ["rebuild totals", "create reader"]
    assert sql(plan.steps[1], Phase.BUILD) == (
        'CREATE VIEW "views"."reader" AS\nSELECT id FROM "orm_views_staging_0".totals',
    )
