"""The sync state at the end of a comment: what is written is read back, whatever stands before it."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from orm_views_core.database.relations import InstalledIndex, stored_fingerprint
from orm_views_core.database.sync_state import SyncState, join_comment, split_comment
from orm_views_core.engines.postgresql.ddl import comment_on_view
from orm_views_core.names import ViewKind, ViewName

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
    "Ends in a brace }",
    "  indented\n    more",
    "$$ dollars $$ -- dashes /* stars",
]


@pytest.mark.parametrize("state", [SMALL, FULL], ids=["small", "full"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_comment_comes_apart_as_it_was_put_together(text, state):
    assert split_comment(join_comment(text, state)) == (text, state)


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
        SMALL.dump()[:-1],
        f"{SMALL.dump()} and somebody's words behind it",
        SMALL.dump().replace('"code"', '"indexes": 5, "code"'),
    ],
)
def test_a_comment_without_a_valid_sync_state_is_text(comment):
    assert split_comment(comment) == (comment, None)


def test_no_comment_is_no_text():
    assert split_comment(None) == split_comment("") == ("", None)


def test_what_is_empty_is_left_out():
    assert SMALL.dump() == (
        '{"orm_views": 1, "database": "default", "code": "c0de", "installed": "1n57", '
        '"synced": "2026-06-30T12:34:56.789+00:00"}'
    )


def test_a_refresh_that_took_no_time_is_remembered():
    state = dataclasses.replace(SMALL, refreshed=NOW, seconds=0.0)
    assert split_comment(state.dump()) == ("", state)


def test_keys_of_a_later_version_are_passed_over():
    assert split_comment(SMALL.dump()[:-1] + ', "later": [1]}') == ("", SMALL)


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
