"""Counts are exactly those that a comparison in Python finds, with a key and without."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orm_views_core.comparison import Change, comparing, statements
from tests.core.comparison.changing import change, texts

pytestmark = pytest.mark.django_db

COLUMNS = ("id", "city", "amount", "note")
BEFORE, AFTER = (f"SELECT id, city, amount, note FROM {table}" for table in ("before", "after"))


def rows_of(chance, *, unique):
    """Two lists of rows that have much in common; NULLs and equal rows among them."""
    ids = chance.sample(range(500), 200) if unique else [chance.randrange(60) for _ in range(200)]
    before = [
        (i, chance.choice(["Rome", "Oslo", "", None]), chance.choice([1.5, 2, None]), chance.choice("ab"))
        for i in ids
    ]
    after = [row for row in before if chance.random() > 0.1]
    after = [
        (row[0], chance.choice(["Rome", None]), row[2], chance.choice("ab")) if chance.random() < 0.2 else row
        for row in after
    ]
    new = chance.sample(range(500, 600), 15) if unique else [chance.randrange(60) for _ in range(15)]
    after += [(i, "Kyiv", 3, "c") for i in new]
    chance.shuffle(after)
    return before, after


@pytest.fixture
def tables(registered, execute):
    def fill(before, after):
        for table, rows in (("before", before), ("after", after)):
            execute(f"CREATE TABLE {table} (id int, city text, amount numeric, note text)")
            values = ", ".join("({})".format(", ".join(map(literal, row))) for row in rows)
            if values:
                execute(f"INSERT INTO {table} VALUES {values}")

    return fill


def literal(value):
    return "NULL" if value is None else repr(value)


@pytest.mark.parametrize("seed", range(4))
def test_rows_with_a_key(tables, seed):
    before, after = rows_of(random.Random(seed), unique=True)
    tables(before, after)
    found = change(BEFORE, AFTER)
    old, new = ({row[0]: row for row in rows} for rows in (before, after))
    changed = [i for i in old.keys() & new.keys() if old[i] != new[i]]
    assert found.key == ("id",)
    counts = found.counts
    assert (counts.old, counts.new) == (len(before), len(after))
    assert (counts.added, counts.removed) == (len(new.keys() - old), len(old.keys() - new))
    assert counts.changed == len(changed) > 0
    by_column = {c: sum(old[i][n] != new[i][n] for i in changed) for n, c in enumerate(COLUMNS)}
    assert counts.by_column == {column: count for column, count in by_column.items() if count}
    samples = [(each.change, *texts(each.old)[:1], *texts(each.new)[:1]) for each in found.samples]
    assert samples == [
        *((Change.ADDED, None, str(i)) for i in sorted(new.keys() - old)[:20]),
        *((Change.CHANGED, str(i), str(i)) for i in sorted(changed)[:20]),
        *((Change.REMOVED, str(i), None) for i in sorted(old.keys() - new)[:20]),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_rows_without_a_key(tables, seed):
    before, after = rows_of(random.Random(seed), unique=False)
    tables(before, after)
    found = change(BEFORE, AFTER)
    old, new = Counter(before), Counter(after)
    assert found.key == ()
    assert (found.counts.old, found.counts.new) == (len(before), len(after))
    assert (found.counts.added, found.counts.removed) == ((new - old).total(), (old - new).total())
    assert (found.counts.changed, found.counts.by_column) == (None, {})
    assert Counter(each.change for each in found.samples) == {
        Change.ADDED: min(20, len(new - old)),
        Change.REMOVED: min(20, len(old - new)),
    }


def test_a_key_of_two_columns(tables):
    tables([(1, "a", 1, "x"), (1, "b", 2, "x")], [(1, "a", 1, "y"), (1, "c", 2, "x")])
    found = change(BEFORE, AFTER, key=["id", "city"])
    assert found.key == ("id", "city")
    assert (found.counts.added, found.counts.removed, found.counts.changed) == (1, 1, 1)
    assert found.counts.by_column == {"note": 1}


def test_what_is_the_same_has_no_counts_of_columns(tables):
    rows = [(1, "a", None, None), (2, None, 1, "x")]
    tables(rows, rows)
    found = change(BEFORE, AFTER)
    assert not found.counts.differ
    assert (found.counts.old, found.counts.new, found.samples) == (2, 2, ())


def test_no_rows_at_all(tables):
    tables([], [(1, "a", 1, "x")])
    found = change(BEFORE, AFTER)
    assert (found.counts.old, found.counts.new, found.counts.added, found.counts.removed) == (0, 1, 1, 0)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ([1, 2, 3], [1, 1, 3], "The key (id) is not unique in the new rows"),
        ([1, 1, 3], [1, 2, 3], "The key (id) is not unique in the old rows"),
        ([1, 1, 3], [1, 1, 3], "The key (id) is not unique in the old and the new rows"),
        ([1, 2, None], [1, 2, 3], "The key (id) is NULL in 1 rows"),
        ([1, 2, 3], [1, None, None], "The key (id) is NULL in 2 rows"),
    ],
)
def test_a_key_that_is_none(tables, before, after, why):
    before, after = ([(i, "a", n, "x") for n, i in enumerate(ids)] for ids in (before, after))
    tables(before, after)
    found = change(BEFORE, AFTER, key=["id"])
    assert (found.key, found.why_no_key) == ((), why)
    old, new = Counter(before), Counter(after)
    assert (found.counts.added, found.counts.removed) == ((new - old).total(), (old - new).total())


def test_a_key_that_many_rows_have_on_one_side_only(tables):
    """Each sample is another row."""
    tables([(1, "a", n, "x") for n in range(300)] + [(2, "b", 1, "x")], [(2, "b", 2, "x")])
    found = change(BEFORE, AFTER, key=["id"])
    assert (found.key, found.counts.removed, found.counts.by_column) == (("id",), 300, {"amount": 1})
    assert Counter(each.change for each in found.samples) == {Change.REMOVED: 20, Change.CHANGED: 1}
    assert len({texts(each.old)[2] for each in found.samples if each.change is Change.REMOVED}) == 20


def test_a_key_that_is_named_twice(tables):
    tables([(1, "a", 1, "x")], [(1, "a", 2, "x")])
    found = change(BEFORE, AFTER, key=["id", "id"])
    assert (found.key, found.counts.changed) == (("id",), 1)


def test_the_declared_key_comes_first(tables):
    tables([(1, "a", 1, "x"), (2, "b", 2, "x")], [(1, "a", 1, "x"), (3, "b", 2, "x")])
    found = change(BEFORE, AFTER, stored=True, attributes={"pk_field": "city"})
    assert (found.key, found.counts.changed, found.counts.by_column) == (("city",), 1, {"id": 1})


def test_the_key_of_what_a_view_reads_is_found(registered, execute):
    execute("CREATE TABLE goods (made int, code text PRIMARY KEY)")
    execute("INSERT INTO goods VALUES (1, 'a'), (1, 'b'), (2, 'c')")
    found = change("SELECT made, code FROM goods", "SELECT made + 1 AS made, code FROM goods")
    assert (found.key, found.counts.changed) == (("code",), 3)


def test_columns_that_come_and_go(tables):
    tables([(1, "a", 1, "x")], [(1, "a", 1, "x")])
    found = change(BEFORE, "SELECT id, city, amount::int AS amount, 5 AS five FROM after")
    assert [column.name for column in found.columns] == ["id", "city", "amount", "five", "note"]
    assert [column.name for column in found.added_columns] == ["five"]
    assert [column.name for column in found.removed_columns] == ["note"]
    assert [(c.name, c.old.type, c.new.type) for c in found.retyped_columns] == [
        ("amount", "numeric", "integer")
    ]
    assert not found.counts.differ


def test_what_is_costly_is_computed_once(registered, execute):
    execute("CREATE TABLE goods AS SELECT g AS id, g % 20 AS kind FROM generate_series(1, 60000) g")
    execute("ANALYZE goods")
    with CaptureQueriesContext(connection) as queries:
        found = change(
            "SELECT kind, count(DISTINCT id) AS n FROM goods GROUP BY kind",
            "SELECT kind, count(DISTINCT id) AS n FROM goods WHERE id <> 40 AND kind <> 3 GROUP BY kind",
        )
    assert (found.key, found.counts.removed, found.counts.by_column) == (("kind",), 1, {"n": 1})
    assert any("o AS MATERIALIZED" in query["sql"] for query in queries)
    assert [(each.change, texts(each.old)) for each in found.samples] == [
        (Change.CHANGED, ["0", "3000"]),
        (Change.REMOVED, ["3", "3000"]),
    ]


def test_samples_of_few_rows_among_very_many(tables, monkeypatch):
    """Of very many rows, keys are collected by their hash. Those of few rows are collected once more."""
    for module in (statements, comparing):
        monkeypatch.setattr(module, "MOST_KEYS", 2)
    before = [(i, "a", i, "x") for i in range(300)]
    tables(before, [(i, "b" if i < 2 else "a", i, "x") for i in range(299)])
    found = change(BEFORE, AFTER)
    assert (found.counts.removed, found.counts.by_column) == (1, {"city": 2})
    assert [texts(each.old)[0] for each in found.samples] == ["0", "1", "299"]


def test_a_key_of_two_collations_among_very_many(tables, monkeypatch):
    for module in (statements, comparing):
        monkeypatch.setattr(module, "MOST_KEYS", 2)
    tables([(i, "a", i, "x") for i in range(30)], [(i, "a", i, "x") for i in range(29)])
    sql = 'SELECT (city || id) COLLATE "C" AS one, (note || id) COLLATE "POSIX" AS two FROM'
    found = change(f"{sql} before", f"{sql} after", key=["one", "two"])
    assert (found.why_not, found.key, found.counts.removed) == ("", ("one", "two"), 1)


def test_a_type_that_cannot_be_joined(registered, execute):
    """Its operator is neither for merge joins nor for hash joins. So it is no key."""
    execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
    for name, symbol in (("lt", "<"), ("le", "<="), ("eq", "="), ("ge", ">="), ("gt", ">")):
        execute(
            f"CREATE FUNCTION {name}(mood, mood) RETURNS boolean LANGUAGE sql IMMUTABLE AS"
            f" 'SELECT $1::text {symbol} $2::text'"
        )
        execute(f"CREATE OPERATOR public.{symbol} (LEFTARG = mood, RIGHTARG = mood, FUNCTION = {name})")
    execute(
        "CREATE FUNCTION cmp_mood(mood, mood) RETURNS int LANGUAGE sql IMMUTABLE AS"
        " 'SELECT pg_catalog.bttextcmp($1::text, $2::text)'"
    )
    execute(
        "CREATE OPERATOR CLASS mood_ops DEFAULT FOR TYPE mood USING btree AS OPERATOR 1 public.<, OPERATOR 2"
        " public.<=, OPERATOR 3 public.=, OPERATOR 4 public.>=, OPERATOR 5 public.>, FUNCTION 1"
        " cmp_mood(mood, mood)"
    )
    execute("CREATE TABLE goods AS SELECT 'sad'::mood AS mood, 1 AS n")
    found = change("SELECT mood, n FROM goods", "SELECT mood, n + 1 AS n FROM goods", key=["mood"])
    assert (found.key, found.why_no_key) == ((), "PostgreSQL cannot join by (mood)")
    assert (found.counts.added, found.counts.removed) == (1, 1)


def test_more_columns_than_a_join_may_have(registered, execute):
    names = [f"c{n}" for n in range(900)]
    listed, filled = ", ".join(names), ", ".join(f"g AS {name}" for name in names)
    execute(f"CREATE TABLE wide AS SELECT {filled} FROM generate_series(1, 3) g")
    found = change(f"SELECT {listed} FROM wide", f"SELECT {listed} FROM wide WHERE c0 > 1", key=["c0"])
    assert (found.key, found.counts.removed) == ((), 1)
    assert found.why_no_key == "PostgreSQL cannot join by (c0)"
