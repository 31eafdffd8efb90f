"""The statements for one aspect of a view: options, indexes, grants or comments."""

from __future__ import annotations

import dataclasses

import pytest

from orm_views_core.database.relations import InstalledIndex
from orm_views_core.definitions.definition import IndexDefinition
from orm_views_core.engines.postgresql import ddl
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import Differences
from orm_views_core.plan.statements import (
    column_comments,
    comments,
    fresh_grants,
    grant_changes,
    grant_reason,
    index_changes,
    interim_name,
    option_changes,
)
from orm_views_core.plan.steps import Phase
from tests.core.values import MATERIALISED, define, expected, install, state_of

LOANS = define("loans", grant_select_to=("analyst",))


def test_storage_parameters_of_a_materialised_view_are_left_alone():
    definition = define("loans", kind=MATERIALISED)
    installed = install(definition, options=(("fillfactor", "70"),))
    assert option_changes(definition, installed, expected(definition), ddl) == []


KEY = IndexDefinition("loans_id_key", True, '("id")')
CITY = IndexDefinition("city", False, '("city")')


def index_statements(wanted, there, ours):
    definition = define("loans", kind=MATERIALISED, indexes=tuple(wanted))
    installed = install(
        define("loans", kind=MATERIALISED),
        indexes=tuple(there),
        state=state_of(definition, indexes=tuple(ours)),
    )
    return [
        (statement.phase, statement.sql)
        for statement in index_changes(definition, installed, expected(definition), ddl)
    ]


def test_indexes_that_are_as_declared_stay():
    there = [
        InstalledIndex("loans_id_key", True, "btree (id)"),
        InstalledIndex("city", False, "btree (city)"),
    ]
    assert index_statements([KEY, CITY], there, ["loans_id_key", "city"]) == []


def test_an_index_that_is_missing_is_created():
    assert index_statements([KEY], [], []) == [
        (Phase.BUILD, 'CREATE UNIQUE INDEX "loans_id_key" ON "views"."loans" ("id")')
    ]


def test_an_index_that_is_no_longer_declared_is_dropped_and_one_made_by_hand_stays():
    there = [InstalledIndex("city", False, "btree (city)"), InstalledIndex("by_hand", False, "btree (x)")]
    assert index_statements([], there, ["city"]) == [(Phase.FINISH, 'DROP INDEX "views"."city"')]


def test_a_different_index_of_that_name_is_replaced_by_way_of_an_interim_name():
    there = [InstalledIndex("city", False, "btree (city DESC)")]
    interim = interim_name("city")
    assert index_statements([CITY], there, ["city"]) == [
        (Phase.BUILD, f'CREATE INDEX "{interim}" ON "views"."loans" ("city")'),
        (Phase.FINISH, 'DROP INDEX "views"."city"'),
        (Phase.FINISH, f'ALTER INDEX "views"."{interim}" RENAME TO "city"'),
    ]


def test_a_key_that_is_not_unique_is_replaced():
    there = [InstalledIndex("loans_id_key", False, "btree (id)")]
    create, drop, _ = index_statements([KEY], there, ["loans_id_key"])
    assert drop == (Phase.FINISH, 'DROP INDEX "views"."loans_id_key"')
    assert create[1].startswith("CREATE UNIQUE INDEX")


def test_an_equal_index_under_the_predecessors_name_is_used():
    there = [InstalledIndex("loans_pk", True, "btree (id)")]
    assert index_statements([KEY], there, []) == []


def test_a_different_index_of_that_name_is_replaced_although_an_equal_one_exists():
    there = [InstalledIndex("city", False, "hash (x)"), InstalledIndex("by_hand", False, "btree (city)")]
    assert index_statements([CITY], there, [])[:2] == [
        (Phase.BUILD, f'CREATE INDEX "{interim_name("city")}" ON "views"."loans" ("city")'),
        (Phase.FINISH, 'DROP INDEX "views"."city"'),
    ]


def test_grants_and_revokes_are_one_statement_each():
    statements = grant_changes(LOANS.name, Differences(grant=("a", "b"), revoke=("c",)), ddl)
    assert statements == [
        'GRANT SELECT ON "views"."loans" TO "a", "b"',
        'REVOKE SELECT ON "views"."loans" FROM "c"',
    ]
    assert grant_changes(LOANS.name, Differences(), ddl) == []


def test_the_reason_of_a_grant_says_who_gains_and_who_loses():
    assert grant_reason(Differences(grant=("a",), revoke=("b", "c"))) == (
        "a should be able to read it; b, c should no longer read it"
    )
    assert grant_reason(Differences(record=True)) == "the list of its readers has changed"


def test_a_new_view_is_granted_to_the_roles_of_its_class_and_of_the_command():
    assert fresh_grants(LOANS, ["dashboards", "analyst"], ddl) == [
        'GRANT SELECT ON "views"."loans" TO "analyst", "dashboards"'
    ]


def test_a_hidden_view_is_granted_to_nobody():
    hidden = dataclasses.replace(LOANS, hidden=True, grant_select_to=())
    assert fresh_grants(hidden, ["dashboards"], ddl) == []


def test_only_comments_that_differ_are_set():
    definition = dataclasses.replace(
        LOANS, comment="It's.", column_comments={"id": "Number.", "city": "Town."}
    )
    installed = install(definition)
    difference = Differences(column_comments={"city": "Town."})
    assert comments(definition, installed, difference, ddl) == [
        """COMMENT ON COLUMN "views"."loans"."city" IS 'Town.'"""
    ]
    assert comments(definition, installed, Differences(comment=True), ddl) == [
        """COMMENT ON VIEW "views"."loans" IS 'It''s.'"""
    ]
    assert column_comments(ViewName("stage", "loans"), definition.column_comments, ddl) == [
        """COMMENT ON COLUMN "stage"."loans"."id" IS 'Number.'""",
        """COMMENT ON COLUMN "stage"."loans"."city" IS 'Town.'""",
    ]


@pytest.mark.parametrize(
    ("wanted", "there", "ours", "statements"),
    [
        ({}, {}, [], []),
        ({"security_barrier": "true"}, {"security_barrier": "true"}, [], []),
        ({"security_barrier": "true"}, {}, [], ["SET (security_barrier=true)"]),
        ({}, {"security_barrier": "true"}, ["security_barrier"], ["RESET (security_barrier)"]),
        ({}, {"security_barrier": "true"}, [], []),
        ({"security_barrier": "false"}, {"security_barrier": "true"}, [], ["SET (security_barrier=false)"]),
        (
            {"check_option": "local", "security_barrier": "true"},
            {"security_barrier": "true", "security_invoker": "true"},
            ["security_barrier", "security_invoker"],
            ["RESET (security_invoker)", "SET (check_option=local)"],
        ),
        (
            {"check_option": "local"},
            {"check_option": "cascaded", "security_invoker": "true"},
            ["check_option"],
            ["SET (check_option=local)"],
        ),
    ],
)
def test_options_are_set_and_reset_one_by_one_and_those_set_by_hand_stay(wanted, there, ours, statements):
    definition = dataclasses.replace(LOANS, options=tuple(sorted(wanted.items())))
    installed = install(
        LOANS, options=tuple(sorted(there.items())), state=state_of(LOANS, options=tuple(ours))
    )
    altered = [f'ALTER VIEW "views"."loans" {statement}' for statement in statements]
    assert option_changes(definition, installed, expected(definition), ddl) == altered


def test_the_options_of_an_unrecorded_view_were_set_by_hand():
    installed = install(LOANS, options=(("security_barrier", "true"),), state=None)
    assert option_changes(LOANS, installed, expected(LOANS), ddl) == []


def test_interim_names_are_stable_short_and_different():
    names = ["city", "City", "x" * 63, "x" * 62 + "y"]
    interim = {interim_name(name) for name in names}
    assert len(interim) == len(names)
    assert all(len(name) <= 63 for name in interim)
    assert interim_name("city") == interim_name("city")
