"""The statements that put one aspect of a view right, and no other."""

from __future__ import annotations

import dataclasses

import pytest

from orm_views_core.installed import Grant, InstalledIndex
from orm_views_core.changes import Differences
from orm_views_core.indexes import IndexDefinition
from orm_views_core.statements import (
    comments,
    fresh_grants,
    grant_changes,
    grant_reason,
    index_changes,
    option_changes,
)

from .values import MATERIALISED, define, install, rehearsed, tag_of

LOANS = define("loans", grant_select_to=("analyst",))


@pytest.mark.parametrize(
    ("wanted", "there", "statements"),
    [
        ({}, {}, []),
        ({"security_barrier": "true"}, {"security_barrier": "true"}, []),
        ({"security_barrier": "true"}, {}, ["SET (security_barrier=true)"]),
        ({}, {"security_barrier": "true"}, ["RESET (security_barrier)"]),
        ({"security_barrier": "false"}, {"security_barrier": "true"}, ["SET (security_barrier=false)"]),
        (
            {"check_option": "local", "security_barrier": "true"},
            {"security_barrier": "true", "security_invoker": "true"},
            ["RESET (security_invoker)", "SET (check_option=local)"],
        ),
    ],
)
def test_options_are_set_and_reset_one_by_one(wanted, there, statements):
    definition = dataclasses.replace(LOANS, options=tuple(sorted(wanted.items())))
    installed = install(LOANS, options=tuple(sorted(there.items())))
    expected = [f'ALTER VIEW "views"."loans" {statement}' for statement in statements]
    assert option_changes(definition, installed, rehearsed(definition)) == expected


def test_storage_parameters_of_a_materialised_view_are_left_alone():
    definition = define("loans", kind=MATERIALISED)
    installed = install(definition, options=(("fillfactor", "70"),))
    assert option_changes(definition, installed, rehearsed(definition)) == []


KEY = IndexDefinition("loans_id_key", True, '("id")')
CITY = IndexDefinition("city", False, '("city")')


def index_statements(wanted, there, ours):
    definition = define("loans", kind=MATERIALISED, indexes=tuple(wanted))
    installed = install(
        define("loans", kind=MATERIALISED),
        indexes=tuple(there),
        tag=tag_of(definition, indexes=tuple(ours)),
    )
    return index_changes(definition, installed, rehearsed(definition))


def test_indexes_that_are_as_wanted_stay():
    there = [
        InstalledIndex("loans_id_key", True, "btree (id)"),
        InstalledIndex("city", False, "btree (city)"),
    ]
    assert index_statements([KEY, CITY], there, ["loans_id_key", "city"]) == ([], [])


def test_an_index_that_is_missing_is_created():
    assert index_statements([KEY], [], []) == (
        [],
        ['CREATE UNIQUE INDEX "loans_id_key" ON "views"."loans" ("id")'],
    )


def test_an_index_of_ours_that_is_no_longer_wanted_goes_and_one_made_by_hand_stays():
    there = [InstalledIndex("city", False, "btree (city)"), InstalledIndex("by_hand", False, "btree (x)")]
    assert index_statements([], there, ["city"]) == (['DROP INDEX "views"."city"'], [])


def test_an_index_of_that_name_which_is_another_is_made_anew():
    there = [InstalledIndex("city", False, "btree (city DESC)")]
    assert index_statements([CITY], there, ["city"]) == (
        ['DROP INDEX "views"."city"'],
        ['CREATE INDEX "city" ON "views"."loans" ("city")'],
    )


def test_a_key_that_is_not_unique_is_made_anew():
    there = [InstalledIndex("loans_id_key", False, "btree (id)")]
    drops, creates = index_statements([KEY], there, ["loans_id_key"])
    assert drops == ['DROP INDEX "views"."loans_id_key"']
    assert creates[0].startswith("CREATE UNIQUE INDEX")


def test_an_equal_index_under_the_predecessors_name_serves():
    there = [InstalledIndex("loans_pk", True, "btree (id)")]
    assert index_statements([KEY], there, []) == ([], [])


def test_an_index_in_the_way_by_its_name_is_replaced_although_an_equal_one_is_there():
    there = [InstalledIndex("city", False, "hash (x)"), InstalledIndex("by_hand", False, "btree (city)")]
    drops, creates = index_statements([CITY], there, [])
    assert drops == ['DROP INDEX "views"."city"']
    assert creates == ['CREATE INDEX "city" ON "views"."loans" ("city")']


def test_grants_and_revokes_are_one_statement_each():
    statements = grant_changes(LOANS.name, Differences(grant=("a", "b"), revoke=("c",)))
    assert statements == [
        'GRANT SELECT ON "views"."loans" TO "a", "b"',
        'REVOKE SELECT ON "views"."loans" FROM "c"',
    ]
    assert grant_changes(LOANS.name, Differences()) == []


def test_the_reason_of_a_grant_says_who_gains_and_who_loses():
    assert grant_reason(Differences(grant=("a",), revoke=("b", "c"))) == (
        "a should be able to read it; b, c should no longer read it"
    )
    assert grant_reason(Differences(record=True)) == "the list of its readers has changed"


def test_a_new_view_is_granted_to_whom_its_class_and_the_command_name():
    assert fresh_grants(LOANS, None, Differences(missing=True), ["dashboards", "analyst"]) == [
        'GRANT SELECT ON "views"."loans" TO "analyst", "dashboards"'
    ]


def test_a_hidden_view_is_granted_to_nobody():
    hidden = dataclasses.replace(LOANS, hidden=True, grant_select_to=())
    assert fresh_grants(hidden, None, Differences(missing=True), ["dashboards"]) == []


def test_a_rebuilt_view_gets_back_every_grant_that_somebody_made():
    installed = install(
        LOANS,
        grants=frozenset(
            {
                Grant("analyst", "SELECT"),
                Grant("friend", "SELECT"),
                Grant("friend", "UPDATE"),
                Grant("lender", "SELECT", grantable=True),
                Grant("", "SELECT"),
            }
        ),
    )
    assert sorted(fresh_grants(LOANS, installed, Differences(), [])) == [
        'GRANT SELECT ON "views"."loans" TO "lender" WITH GRANT OPTION',
        'GRANT SELECT ON "views"."loans" TO PUBLIC, "analyst"',
        'GRANT SELECT, UPDATE ON "views"."loans" TO "friend"',
    ]


def test_a_rebuilt_view_loses_what_is_to_be_revoked_and_nothing_else():
    installed = install(
        LOANS, grants=frozenset({Grant("old", "SELECT"), Grant("old", "UPDATE"), Grant("", "SELECT")})
    )
    statements = fresh_grants(
        dataclasses.replace(LOANS, grant_select_to=()), installed, Differences(revoke=("old", "public")), []
    )
    assert statements == ['GRANT UPDATE ON "views"."loans" TO "old"']


def test_only_comments_that_differ_are_set():
    definition = dataclasses.replace(
        LOANS, comment="It's.", column_comments={"id": "Number.", "city": "Town."}
    )
    difference = Differences(column_comments={"city": "Town."})
    assert comments(definition, difference) == ["""COMMENT ON COLUMN "views"."loans"."city" IS 'Town.'"""]
    assert comments(definition, Differences(comment=True), everything=True) == [
        """COMMENT ON VIEW "views"."loans" IS 'It''s.'""",
        """COMMENT ON COLUMN "views"."loans"."id" IS 'Number.'""",
        """COMMENT ON COLUMN "views"."loans"."city" IS 'Town.'""",
    ]
