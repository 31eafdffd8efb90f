"""The sync state at the end of a comment: what is written is read back, whatever stands before it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orm_views_core.database.relations import InstalledIndex, stored_fingerprint
from orm_views_core.database.sync_state import SyncState, join_comment, split_comment
from orm_views_core.engines.postgresql.ddl import comment_on_view
from orm_views_core.names import ViewKind, ViewName

from .json_states import as_json, as_old_comment

NOW = dt.datetime(2026, 6, 30, 12, 34, 56, 789000, tzinfo=dt.timezone.utc)
SMALL = SyncState(database="default", code="c0de", installed="1n57", synced=NOW)
FULL = SyncState(
    database="größe",
    code="c0de",
    installed="1n57",
    synced=NOW,
    refreshed=NOW + dt.timedelta(seconds=1),
    seconds=0.0,
    indexes=("a b", 'quo"te', "back\\slash"),
    granted=("analyst", "it's"),
    granted_by_command=('{"orm_views": 1}', "ünï"),
)
TEXTS = [
    "",
    "One line.",
    "Two\n\nparagraphs.",
    "It's 100% \"quoted\" with a \\ and a \\' and a \\n.",
    "Größe, 大きさ, \N{PILE OF POO}",
    'A docstring about {"orm_views": 1} itself',
    'Ends in {"orm_views":',
    f"Ends in a whole sync state {SMALL.dump()}",
    f"Ends in a whole old sync state {as_json(SMALL)}",
    "Ends in a bracket ]",
    "[orm_views ]",
    "Ends in a brace }",
    "  indented\n    more",
    "$$ dollars $$ -- dashes /* stars",
]


@pytest.mark.parametrize("state", [SMALL, FULL], ids=["small", "full"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_comment_comes_apart_as_it_was_put_together(text, state):
    assert split_comment(join_comment(text, state)) == (text, state)


@pytest.mark.parametrize("state", [SMALL, FULL], ids=["small", "full"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_comment_of_an_earlier_release_comes_apart_too(text, state):
    found = split_comment(as_old_comment(text, state))
    assert found == (text, state)
    assert found[1].is_json
    assert not split_comment(join_comment(text, state))[1].is_json


@pytest.mark.django_db
@pytest.mark.parametrize("standard_conforming_strings", ["on", "off"])
@pytest.mark.parametrize("text", TEXTS)
def test_postgresql_gives_the_comment_back_as_it_was(text, standard_conforming_strings, execute):
    execute(f"SET LOCAL standard_conforming_strings = {standard_conforming_strings}")
    execute("CREATE SCHEMA views; CREATE VIEW views.v AS SELECT 1 AS id")
    execute(comment_on_view(ViewKind.VIEW, ViewName("views", "v"), join_comment(text, FULL)))
    (stored,) = execute("SELECT obj_description('views.v'::regclass, 'pg_class')")[0]
    assert split_comment(stored) == (text, FULL)


@pytest.mark.parametrize(
    "comment",
    [
        "Somebody's comment.",
        '{"orm_views":',
        '{"orm_views": 1}',
        '{"orm_views": 1, "database": "default", "code": "a", "installed": "b"}',
        '{"orm_views": 1, "database": "default", "code": "a", "installed": "b", "synced": "yesterday"}',
        '{"orm_views": 1, "database": "default", "code": "a", "installed": "b", "synced": 5}',
        as_json(SMALL)[:-1],
        f"{as_json(SMALL)} and somebody's words behind it",
        as_json(SMALL).replace('"code"', '"indexes": 5, "code"'),
        "[orm_views ",
        "[orm_views ]",
        "[orm_views c0de 1n57]",
        "[orm_views c0de 1n57 s]",
        "[orm_views c0de 1n57 syesterday]",
        "[orm_views c0de 1n57 s-1]",
        "[orm_views c0de 1n57 s5 s" + "z" * 14 + "]",
        "[orm_views c0de 1n57 s5 t-1]",
        "[orm_views c0de 1n57 s5 tnan]",
        "[orm_views c0de 1n57 s5 t1e999]",
        "[orm_views c0de 1n57 s5 hx]",
        "[orm_views c0de 1n57 s5 i%00]",
        "[orm_views c0de 1n57 s5 i%ff]",
        "[orm_views c0de 1n57\ns5]",
        SMALL.dump()[:-1],
        f"{SMALL.dump()} and somebody's words behind it",
        f"{SMALL.dump()}\n",
    ],
)
def test_a_comment_without_a_valid_sync_state_is_text(comment):
    assert split_comment(comment) == (comment, None)


def test_a_line_that_is_too_long_is_text_and_thousands_of_names_are_not():
    names = tuple(f"role_{n}" for n in range(5_000))
    assert split_comment(dataclasses.replace(SMALL, granted=names).dump())[1].granted == names
    comment = f"{SMALL.dump()[:-1]} {'s1 ' * 300_000}]"
    assert split_comment(comment) == (comment, None)


def test_no_comment_is_no_text():
    assert split_comment(None) == split_comment("") == ("", None)


def test_what_is_empty_is_left_out():
    assert SMALL.dump() == "[orm_views c0de 1n57 smr0mpz85]"


def test_a_whole_sync_state_has_at_most_120_characters_without_the_names():
    """The names of the database, of roles, indexes and options are as long as people choose them."""
    most = SyncState(
        database="default",
        code="0" * 16,
        installed="0" * 22,
        synced=dt.datetime(2999, 12, 31, tzinfo=dt.timezone.utc),
        refreshed=dt.datetime(2999, 12, 31, tzinfo=dt.timezone.utc),
        seconds=86_400.123,
        changes=2**63 - 1,
        text_by_hand=True,
    )
    assert len(most.dump()) <= 120
    starred = dataclasses.replace(most, sources="0" * 32, refreshed=None, seconds=None, changes=None)
    assert len(starred.dump()) <= 120  # a plain view has no rows of its own
    assert "\n" not in FULL.dump()


def test_a_refresh_that_took_no_time_is_remembered():
    state = dataclasses.replace(SMALL, refreshed=NOW, seconds=0.0)
    assert split_comment(state.dump()) == ("", state)


def test_keys_of_a_later_version_are_passed_over():
    assert split_comment(as_json(SMALL)[:-1] + ', "later": [1]}') == ("", SMALL)
    assert split_comment(SMALL.dump()[:-1] + " q Q1 ?]") == ("", SMALL)


@pytest.mark.parametrize(
    ("kind", "rule", "options", "indexes", "known"),
    [
        (ViewKind.VIEW, "a1b2", (("security_barrier", "true"),), [], "fd23ee9e55eb5805"),
        (ViewKind.MATERIALISED_VIEW, "c3d4", (), [("key", True, "btree (id)")], "68a610d7a90ec566"),
    ],
)
def test_what_is_stored_has_the_hash_that_earlier_versions_have_written(kind, rule, options, indexes, known):
    """Else an update would make every view of a database look drifted."""
    assert stored_fingerprint(kind, rule, options, [InstalledIndex(*index) for index in indexes]) == known


#: Values that a field of the right name may have, written as JSON.
ODD = [
    "1e999", "-1", "NaN", "Infinity", "-Infinity", "1" + "0" * 4_000, "1" + "0" * 6_000, "true", "[]", "{}",
    '""', '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '["\\ud800"]', '["\\u0000"]', "[1]", "[null]", "[[]]",
    "[" * 100_000, "[" * 500 + "]" * 500, '{"a":' * 500 + "1" + "}" * 500, '"0001-01-01T00:00:00+23:59"',
    '"9999-12-31T23:59:59-23:59"', '"2026-06-30T12:00:00"', '"2026-06-30"', '"12:00"', '"\ud800"', "5", "0.5",
    '"2999-12-31T23:59:59-23:59"', '"1970-01-01T00:00:00+23:59"', '"1970-01-01T00:00:00Z"', "3162240000",
    '"' + "x" * 2_000_000 + '"', "[" + ",".join(['"a"'] * 400_000) + "]", "9223372036854775808",
]  # fmt: skip
NAMES = [field.name for field in dataclasses.fields(SyncState)]


def assert_harmless(comment: str) -> None:
    """Whatever is read can be converted, compared, written and read again."""
    text, state = split_comment(comment)
    if state is None:
        assert text == comment
        return
    assert [type(state.text_by_hand), type(state.code)] == [bool, str]
    for moment in filter(None, (state.synced, state.refreshed)):
        for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
            (moment + dt.timedelta(seconds=state.seconds or 0)).astimezone(ZoneInfo(zone))
        moment.timestamp()
    for name in ("indexes", "options", "granted", "granted_by_command"):
        assert all(isinstance(value, str) and "\0" not in value for value in getattr(state, name))
    assert state.changes is None or 0 <= state.changes < 2**63
    state.dump().encode()
    again = dataclasses.replace(state, **_in_milliseconds(state))
    assert split_comment(state.dump()) == ("", again)
    assert len(state.dump()) < 4 * len(comment) + 200


def _in_milliseconds(state: SyncState) -> dict[str, Any]:
    moments = {"synced": state.synced, "refreshed": state.refreshed}
    found = {n: m and m.replace(microsecond=m.microsecond // 1000 * 1000) for n, m in moments.items()}
    return {**found, "seconds": state.seconds and round(state.seconds, 3)}


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("name", NAMES)
def test_an_odd_value_is_never_more_than_no_sync_state(name, odd):
    values = json.loads(as_json(FULL))
    values.pop(name, None)
    assert_harmless(json.dumps(values)[:-1] + f', "{name}": {odd}}}')


@pytest.mark.parametrize("odd", ["[" * 100_000, '{"a":' * 100_000, '{"orm_views": [' * 50_000])
def test_brackets_without_end_are_no_sync_state(odd):
    assert_harmless('{"orm_views": ' + odd)
    assert_harmless('{"orm_views": 1, "later": ' + odd)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(NAMES), _json), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_json_is_read_or_is_no_sync_state(values, is_whole):
    known = json.loads(as_json(FULL)) if is_whole else {"orm_views": 1}
    assert_harmless(json.dumps({**known, **values}))


@pytest.mark.parametrize("join", [join_comment, as_old_comment])
@given(cuts=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 4), st.text(max_size=3)), max_size=4))
@settings(max_examples=300, deadline=None)
def test_a_mutated_sync_state_is_read_or_is_none(join, cuts):
    comment = join("A text.", FULL)
    for at, length, text in cuts:
        comment = comment[:at] + text + comment[at + length :]
    assert_harmless(comment)


def test_of_a_key_that_is_there_twice_the_last_one_counts():
    assert split_comment(as_json(SMALL)[:-1] + ', "code": "later"}')[1].code == "later"
    assert split_comment(FULL.dump()[:-1] + " t5]")[1].seconds == 5
