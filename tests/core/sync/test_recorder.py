"""What the sync state of a view says after a step."""

from __future__ import annotations

import dataclasses
import datetime as dt

from orm_views_core.database.relations import InstalledIndex, stored_fingerprint
from orm_views_core.definitions.definition import IndexDefinition
from orm_views_core.plan.steps import Action, Step
from orm_views_core.sync.recorder import Stored, as_before, as_read, new_sync_state
from tests.core.values import MATERIALISED, SYNCED, VIEW, define, expected, install, state_of

NOW = SYNCED + dt.timedelta(days=1)
KEY, CITY = IndexDefinition("key", True, '("id")'), IndexDefinition("city", False, '("city")')
LOANS = define("loans", options=(("security_barrier", "true"),), grant_select_to=("analyst",))
TOTALS = define("totals", kind=MATERIALISED, indexes=(KEY, CITY))
STORED = Stored("1n57", ("key",), ("security_barrier",), "50urce5")


def step(action, definition, installed=None, tried=None):
    return Step(
        action, definition.name, "because", definition=definition, installed=installed, expected=tried
    )


def tag_after(definition, before=None, **values):
    return new_sync_state(definition, STORED, before, NOW, **values)


def test_what_is_read_back_is_what_a_second_sync_compares_with():
    for definition in (LOANS, TOTALS):
        found = install(definition, state=None, sources="50urce5")
        stored = as_read(step(Action.CREATE, definition), found)
        assert stored.fingerprint == install(definition).state.installed
        assert stored.sources == "50urce5"
    assert stored.indexes == ("key", "city")
    assert as_read(step(Action.CREATE, LOANS), install(LOANS)).options == ("security_barrier",)


def test_ours_are_only_the_indexes_that_are_called_as_the_class_wants():
    """An equal one under another name serves, and would not be dropped with the class's."""
    there = (InstalledIndex("key", True, "btree (id)"), InstalledIndex("by_hand", False, "btree (city)"))
    found = install(TOTALS, indexes=there, state=None)
    stored = as_read(step(Action.ADOPT, TOTALS, found, expected(TOTALS)), found)
    assert stored.indexes == ("key",)
    assert stored.fingerprint == stored_fingerprint(MATERIALISED, TOTALS.sql, [], there[:1])


def test_what_a_step_leaves_as_it_was_is_as_the_last_sync_wrote_it_down():
    state = state_of(TOTALS, installed="1n57", indexes=("key",), options=("x",), sources="50urce5")
    assert as_before(install(TOTALS, state=state)) == ("1n57", ("key",), ("x",), "50urce5")


def test_of_what_no_sync_has_recorded_only_postgresql_can_say_what_there_is():
    assert as_before(None) is None
    assert as_before(install(LOANS, state=None)) is None


def test_an_index_that_is_not_the_classs_is_not_read_back_as_ours():
    by_hand = InstalledIndex("by_hand", False, "btree (city)")
    plain = install(TOTALS, state=None)
    found = dataclasses.replace(plain, indexes=(*plain.indexes, by_hand))
    created = step(Action.CREATE, TOTALS)
    assert as_read(created, found) == as_read(created, plain)


def test_storage_parameters_are_not_options_of_ours():
    plain = install(TOTALS, state=None)
    found = dataclasses.replace(plain, options=(("fillfactor", "70"),))
    created = step(Action.CREATE, TOTALS)
    assert as_read(created, found) == as_read(created, plain)
    assert as_read(created, found).options == ()


def test_a_new_tag_says_what_is_stored_and_for_which_class():
    state = tag_after(LOANS, is_new=True)
    assert (state.database, state.code, state.installed) == ("default", LOANS.fingerprint, "1n57")
    assert (state.indexes, state.options, state.granted) == (("key",), ("security_barrier",), ("analyst",))
    assert state.sources is None, "its SELECT has no star"
    assert tag_after(define("loans", "SELECT * FROM t"), is_new=True).sources == "50urce5"


def test_when_it_was_synced_is_when_it_was_last_made():
    before = install(LOANS)
    assert tag_after(LOANS, before).synced == SYNCED
    assert tag_after(LOANS, before, is_new=True).synced == NOW
    assert tag_after(LOANS, install(LOANS, state=None)).synced == NOW


def test_how_long_the_last_build_took_is_kept_with_the_rows_and_goes_with_them():
    before = install(TOTALS, state=state_of(TOTALS, refreshed=SYNCED, seconds=12.5))
    kept = tag_after(TOTALS, before)
    assert (kept.refreshed, kept.seconds) == (SYNCED, 12.5)
    rebuilt = tag_after(TOTALS, before, is_new=True, filled_in=0.12345)
    assert (rebuilt.refreshed, rebuilt.seconds) == (NOW, 0.123)
    empty = tag_after(TOTALS, before, is_new=True)
    assert (empty.refreshed, empty.seconds) == (None, None)
    plain = tag_after(LOANS, install(LOANS, kind=VIEW, state=state_of(LOANS, refreshed=SYNCED, seconds=1.0)))
    assert (plain.refreshed, plain.seconds) == (None, None)


def test_roles_of_the_command_line_add_up_but_for_those_that_the_class_names():
    before = install(LOANS, state=state_of(LOANS, granted_by_command=("dashboards", "analyst")))
    state = tag_after(LOANS, before, command_roles=["reporting", "dashboards"])
    assert state.granted_by_command == ("dashboards", "reporting")


def test_a_hidden_view_forgets_the_roles_of_the_command_line():
    hidden = dataclasses.replace(LOANS, hidden=True, grant_select_to=())
    before = install(LOANS, state=state_of(LOANS, granted_by_command=("dashboards",)))
    assert tag_after(hidden, before, command_roles=["reporting"]).granted_by_command == ()


def test_whose_the_text_is_is_remembered():
    undocumented = dataclasses.replace(LOANS, comment="")
    by_hand = install(undocumented, text="Mine.", state=None)
    assert tag_after(undocumented, by_hand).text_by_hand
    assert not tag_after(undocumented).text_by_hand
    assert not tag_after(dataclasses.replace(LOANS, comment="Ours."), by_hand).text_by_hand


def test_options_that_were_set_by_hand_do_not_become_ours():
    options = (("check_option", "local"), ("security_barrier", "true"), ("security_invoker", "true"))
    before = install(LOANS, options=(("security_invoker", "true"),), state=state_of(LOANS))
    tried = expected(LOANS, options=options[:2])
    stored = as_read(step(Action.REPLACE, LOANS, before, tried), install(LOANS, options=options))
    assert stored.options == ("check_option", "security_barrier"), "the SQL's own WITH CHECK OPTION is ours"
    assert stored.fingerprint == stored_fingerprint(VIEW, LOANS.sql, options[:2], [])
