"""What the sync state of a view records after a step."""

from __future__ import annotations

import dataclasses
import datetime as dt

from orm_views_core.database.relations import InstalledIndex, recorded_fingerprint, stored_fingerprint
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


def state_after(definition, before=None, **values):
    return new_sync_state(definition, STORED, before, NOW, **values)


def test_a_second_sync_compares_with_what_was_read_back():
    for definition in (LOANS, TOTALS):
        found = install(definition, state=None, sources="50urce5")
        stored = as_read(step(Action.CREATE, definition), found)
        recorded = recorded_fingerprint(install(definition).state.installed, found.oid, found.server)
        assert stored.fingerprint == recorded
        assert stored.sources == "50urce5"
    assert stored.indexes == ("key", "city")
    assert as_read(step(Action.CREATE, LOANS), install(LOANS)).options == ("security_barrier",)


def test_only_indexes_with_names_of_the_class_are_recorded():
    """An equal index under another name is used, but a sync would not drop it."""
    there = (InstalledIndex("key", True, "btree (id)"), InstalledIndex("by_hand", False, "btree (city)"))
    found = install(TOTALS, indexes=there, state=None)
    stored = as_read(step(Action.ADOPT, TOTALS, found, expected(TOTALS)), found)
    assert stored.indexes == ("key",)
    assert stored.fingerprint[:16] == stored_fingerprint(MATERIALISED, TOTALS.sql, [], there[:1])


def test_an_unchanged_view_is_recorded_as_the_last_sync_recorded_it():
    state = state_of(TOTALS, installed="1n57", indexes=("key",), options=("x",), sources="50urce5")
    assert as_before(install(TOTALS, state=state)) == ("1n57", ("key",), ("x",), "50urce5")


def test_nothing_is_known_before_of_an_unrecorded_view():
    assert as_before(None) is None
    assert as_before(install(LOANS, state=None)) is None


def test_an_index_that_the_class_does_not_declare_is_not_recorded():
    by_hand = InstalledIndex("by_hand", False, "btree (city)")
    plain = install(TOTALS, state=None)
    found = dataclasses.replace(plain, indexes=(*plain.indexes, by_hand))
    created = step(Action.CREATE, TOTALS)
    assert as_read(created, found) == as_read(created, plain)


def test_storage_parameters_that_the_class_does_not_set_are_not_recorded():
    plain = install(TOTALS, state=None)
    found = dataclasses.replace(plain, options=(("fillfactor", "70"),))
    created = step(Action.CREATE, TOTALS)
    assert as_read(created, found) == as_read(created, plain)
    assert as_read(created, found).options == ()


def test_a_new_sync_state_records_what_is_stored_and_the_class():
    state = state_after(LOANS, is_new=True)
    assert (state.database, state.code, state.installed) == ("default", LOANS.fingerprint, "1n57")
    assert (state.indexes, state.options, state.granted) == (("key",), ("security_barrier",), ("analyst",))
    assert state.sources is None, "its SELECT has no star"
    assert state_after(define("loans", "SELECT * FROM t"), is_new=True).sources == "50urce5"


def test_the_time_of_the_sync_is_when_the_view_was_last_created():
    before = install(LOANS)
    assert state_after(LOANS, before).synced == SYNCED
    assert state_after(LOANS, before, is_new=True).synced == NOW
    assert state_after(LOANS, install(LOANS, state=None)).synced == NOW


def test_the_seconds_of_the_last_build_are_kept_as_long_as_the_rows():
    before = install(TOTALS, state=state_of(TOTALS, refreshed=SYNCED, seconds=12.5))
    kept = state_after(TOTALS, before)
    assert (kept.refreshed, kept.seconds) == (SYNCED, 12.5)
    rebuilt = state_after(TOTALS, before, is_new=True, filled_in=0.12345)
    assert (rebuilt.refreshed, rebuilt.seconds) == (NOW, 0.123)
    empty = state_after(TOTALS, before, is_new=True)
    assert (empty.refreshed, empty.seconds) == (None, None)
    plain = state_after(
        LOANS, install(LOANS, kind=VIEW, state=state_of(LOANS, refreshed=SYNCED, seconds=1.0))
    )
    assert (plain.refreshed, plain.seconds) == (None, None)


def test_roles_of_the_command_line_add_up_but_for_those_that_the_class_names():
    before = install(LOANS, state=state_of(LOANS, granted_by_command=("dashboards", "analyst")))
    state = state_after(LOANS, before, command_roles=["reporting", "dashboards"])
    assert state.granted_by_command == ("dashboards", "reporting")


def test_a_hidden_view_forgets_the_roles_of_the_command_line():
    hidden = dataclasses.replace(LOANS, hidden=True, grant_select_to=())
    before = install(LOANS, state=state_of(LOANS, granted_by_command=("dashboards",)))
    assert state_after(hidden, before, command_roles=["reporting"]).granted_by_command == ()


def test_a_text_written_by_hand_is_recorded_as_such():
    undocumented = dataclasses.replace(LOANS, comment="")
    by_hand = install(undocumented, text="Mine.", state=None)
    assert state_after(undocumented, by_hand).text_by_hand
    assert not state_after(undocumented).text_by_hand
    assert not state_after(dataclasses.replace(LOANS, comment="Ours."), by_hand).text_by_hand


def test_options_set_by_hand_are_not_recorded():
    options = (("check_option", "local"), ("security_barrier", "true"), ("security_invoker", "true"))
    before = install(LOANS, options=(("security_invoker", "true"),), state=state_of(LOANS))
    tried = expected(LOANS, options=options[:2])
    stored = as_read(step(Action.REPLACE, LOANS, before, tried), install(LOANS, options=options))
    assert stored.options == ("check_option", "security_barrier"), "the SQL's own WITH CHECK OPTION is ours"
    assert stored.fingerprint[:16] == stored_fingerprint(VIEW, LOANS.sql, options[:2], [])
