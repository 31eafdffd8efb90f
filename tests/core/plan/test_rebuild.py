"""The statements that create the new version of a view with the extras of the old one."""

from __future__ import annotations

import dataclasses

import pytest

from orm_views_core.database.extras import SCHEMA, TABLE, Extra
from orm_views_core.database.relations import InstalledIndex
from orm_views_core.definitions.definition import IndexDefinition
from orm_views_core.engines.postgresql import ddl
from orm_views_core.plan.diff import Differences
from orm_views_core.plan.rebuild import Build, rebuild_statements
from tests.core.values import MATERIALISED, VIEW, define, expected, install, name, state_of

KEY = IndexDefinition("totals_id_key", True, '("id")')
LOANS = define("loans", column_comments={"id": "Number."})
TOTALS = define("totals", kind=MATERIALISED, indexes=(KEY,), column_comments={"id": "Number."})
AT = name("stage.totals")

FILLFACTOR = Extra("storage parameter", "fillfactor=70", f"ALTER TABLE {TABLE} SET (fillfactor='70')")
OWNER = Extra("owner", "boss", f"ALTER TABLE {TABLE} OWNER TO boss")
INDEX = Extra("index", "by_hand", f"CREATE INDEX by_hand ON {TABLE} USING btree (city)", tail="btree (city)")
GRANT = Extra("grant", "of SELECT to friend", f"GRANT SELECT ON {TABLE} TO friend")
OTHER_GRANT = Extra("grant", "of UPDATE to friend", f"GRANT UPDATE ON {TABLE} TO friend")
REVOCATION = Extra("revocation", "public", f"REVOKE ALL ON {TABLE} FROM PUBLIC")
STATISTICS = Extra(
    "extended statistics",
    "correlation",
    f"CREATE STATISTICS {SCHEMA}.interim ON id, city FROM {TABLE}",
    finish=f"ALTER STATISTICS {SCHEMA}.interim SET SCHEMA elsewhere",
)


def build(definition=TOTALS, extras=(), lost=None, difference=None, **installed):
    return Build(
        definition,
        install(definition, **installed),
        expected(definition, lost=lost or {}),
        AT,
        "SELECT 2 AS id",
        difference or Differences(),
        tuple(extras),
    )


def statements_of(found):
    """The statements that create the new version, and those to send once it is in its place."""
    return tuple([statement.sql for statement in part] for part in rebuild_statements(found, "deployer", ddl))


def made(*args, **values):
    return statements_of(build(*args, **values))[0]


def test_a_materialised_view_is_created_empty_then_filled_and_given_its_extras():
    statements, deferred = statements_of(
        build(
            extras=[FILLFACTOR, INDEX, STATISTICS, OWNER, GRANT], difference=Differences(grant=("analyst",))
        )
    )
    assert statements == [
        'CREATE MATERIALIZED VIEW "stage"."totals" AS (\nSELECT 2 AS id\n) WITH NO DATA',
        """ALTER TABLE "stage"."totals" SET (fillfactor='70')""",
        'GRANT CREATE ON SCHEMA "stage" TO "boss"',
        'ALTER TABLE "stage"."totals" OWNER TO boss',
        'REVOKE CREATE ON SCHEMA "stage" FROM "boss"',
        'REFRESH MATERIALIZED VIEW "stage"."totals"',
        'CREATE UNIQUE INDEX "totals_id_key" ON "stage"."totals" ("id")',
        'CREATE INDEX by_hand ON "stage"."totals" USING btree (city)',
        'CREATE STATISTICS "stage".interim ON id, city FROM "stage"."totals"',
        'GRANT SELECT ON "stage"."totals" TO friend',
        'GRANT SELECT ON "stage"."totals" TO "analyst"',
        """COMMENT ON COLUMN "stage"."totals"."id" IS 'Number.'""",
        'ANALYZE "stage"."totals"',
    ]
    assert deferred == ['ALTER STATISTICS "stage".interim SET SCHEMA elsewhere'], (
        "the name is taken until then"
    )


def test_the_owner_is_set_before_the_view_is_filled():
    """REFRESH runs as the owner: SQL that somebody else wrote must not run with our rights."""
    statements = made(extras=[INDEX, GRANT, OWNER])
    verbs = [statement.partition('"stage"')[0] for statement in statements]
    assert verbs.index("ALTER TABLE ") < verbs.index("REFRESH MATERIALIZED VIEW ")


def test_a_plain_view_is_neither_filled_nor_analysed():
    assert made(LOANS, [GRANT]) == [
        'CREATE VIEW "stage"."totals" AS\nSELECT 2 AS id',
        'GRANT SELECT ON "stage"."totals" TO friend',
        """COMMENT ON COLUMN "stage"."totals"."id" IS 'Number.'""",
    ]


@pytest.mark.parametrize(
    ("with_data", "kind", "populated", "filled"),
    [
        (True, MATERIALISED, False, True),
        (False, MATERIALISED, True, True),
        (False, MATERIALISED, False, False),
        (False, VIEW, True, False),
    ],
)
def test_a_view_is_filled_if_its_class_says_so_or_if_it_was_filled_before(with_data, kind, populated, filled):
    definition = dataclasses.replace(TOTALS, with_data=with_data)
    found = build(definition, kind=kind, populated=populated)
    assert found.is_filled is filled
    statements, _ = statements_of(found)
    assert {"REFRESH", "ANALYZE"}.isdisjoint(s.split()[0] for s in statements) is not filled


def test_lost_extras_are_left_out_and_reported():
    found = build(extras=[INDEX, GRANT], lost={INDEX: 'column "city" does not exist'})
    assert found.kept == [GRANT]
    assert not any("by_hand" in statement for statement in statements_of(found)[0])
    assert found.lost_in_words == ('index by_hand: column "city" does not exist',)


def test_an_index_equal_to_one_of_the_class_is_not_created_twice_if_no_sync_recorded_the_view():
    twin = Extra(
        "index", "totals_pk", f"CREATE UNIQUE INDEX totals_pk ON {TABLE} USING btree (id)", tail="btree (id)"
    )
    assert build(extras=[twin, INDEX], state=None).kept == [INDEX]
    assert build(extras=[twin, INDEX]).kept == [twin, INDEX], "it was made by hand, beside ours"


def test_options_that_somebody_set_on_a_plain_view_are_set_on_the_new_one():
    barred = dataclasses.replace(LOANS, options=(("security_barrier", "true"),))
    options = (("security_barrier", "true"), ("security_invoker", "true"))
    found = build(barred, options=options)
    assert found.options_by_hand == (("security_invoker", "true"),)
    statements, _ = statements_of(found)
    assert statements[0].startswith(
        'CREATE VIEW "stage"."totals" WITH (security_barrier=true, security_invoker=true) AS\n'
    )
    assert found.kept_in_words == ("option security_invoker=true",)


def test_options_do_not_survive_a_change_of_kind():
    assert build(TOTALS, kind=VIEW, options=(("security_barrier", "true"),), state=None).options_by_hand == ()
    assert build(LOANS, kind=MATERIALISED, options=(("fillfactor", "70"),), state=None).options_by_hand == ()


def test_an_option_that_a_sync_set_was_not_set_by_hand():
    options = (("security_barrier", "true"),)
    state = state_of(LOANS, options=("security_barrier",))
    assert build(LOANS, options=options, state=state).options_by_hand == ()
    assert build(LOANS, options=options, state=state_of(LOANS)).options_by_hand == options


def test_kept_extras_are_reported_by_name_and_grants_by_number():
    found = build(extras=[FILLFACTOR, INDEX, REVOCATION, GRANT, OTHER_GRANT])
    assert found.kept_in_words == ("storage parameter fillfactor=70", "index by_hand", "2 grants")
    assert build(extras=[GRANT]).kept_in_words == ("1 grant",)
    assert build().kept_in_words == build().lost_in_words == ()


def test_a_revocation_is_carried_out_and_not_reported():
    found = build(extras=[REVOCATION], lost={})
    assert 'REVOKE ALL ON "stage"."totals" FROM PUBLIC' in statements_of(found)[0]
    assert found.kept_in_words == ()
    assert build(extras=[REVOCATION], lost={REVOCATION: "no"}).lost_in_words == ()


def test_an_index_of_the_class_is_created_once():
    there = (InstalledIndex("totals_id_key", True, "btree (id)"),)
    assert sum("totals_id_key" in statement for statement in made(indexes=there)) == 1
