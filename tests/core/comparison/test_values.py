"""Values are the same if their type says so; where it says nothing, or something else, if their texts are."""

from __future__ import annotations

import pytest

from orm_views_core.sync import sync_views
from tests.core.comparison.changing import change, compare, declare, texts

pytestmark = pytest.mark.django_db

#: The type, two values, whether they differ, and whether their texts are compared.
PAIRS = [
    ("box", "'(0,0),(1,2)'", "'(0,0),(2,1)'", True, True),  # box = box compares areas
    ("circle", "'<(0,0),1>'", "'<(5,5),1>'", True, True),
    ("lseg", "'(0,0),(1,1)'", "'(0,0),(1,2)'", True, True),
    ("point", "'(1,2)'", "'(1,2)'", False, True),
    ("line", "'{1,2,3}'", "'{1,2,4}'", True, True),
    ("path", "'((0,0),(1,1))'", "'((5,5),(7,7))'", True, True),
    ("polygon", "'((0,0),(1,1))'", "'((0,0),(2,2))'", True, True),
    ("json", """'{"a": 1}'""", """'{"a":1}'""", True, True),
    ("jsonb", """'{"a": 1}'""", """'{"a":1}'""", False, False),
    ("json[]", """ARRAY['1'::json]""", """ARRAY['2'::json]""", True, True),
    ("xml", "NULL", "NULL", False, True),  # not every server has values of it
    ("xid", "'5'", "'6'", True, True),
    ("float8", "'NaN'", "'NaN'", False, False),
    ("float8", "'0'", "'-0'", False, False),
    ("float8", "'1'", "'1.0000000000000002'", True, False),
    ("numeric", "'NaN'", "'NaN'", False, False),
    ("numeric", "1.0", "1.00", False, False),
    ("char(4)", "'a'", "'a   '", False, False),
    ("char(4)", "'a'", "'b'", True, False),
    ("varchar(9)", "'a'", "'a '", True, False),
    ("text", "''", "NULL", True, False),
    ("text", "NULL", "NULL", False, False),
    ("bytea", r"'\x00'", r"'\x01'", True, False),
    ("interval", "'1 mon'", "'30 days'", False, False),
    ("timestamptz", "'2020-01-01 00:00+00'", "'2020-01-01 01:00+01'", False, False),
    ("money", "1", "2", True, False),
    ("bit(3)", "B'101'", "B'100'", True, False),
    ("tsvector", "'a b'", "'b a'", False, False),
    ("int4range", "'[1,2]'", "'[1,3)'", False, False),
    ("mood", "'sad'", "'glad'", True, False),
    ("money_text", "'a'", "'b'", True, False),
    ("json_domain", "'1'", "'2'", True, True),
    ("with_json", """ROW(1, '{}')""", """ROW(1, '{ }')""", True, True),
    ("whole", "ROW(1, 'NaN')", "ROW(1, 'NaN')", False, False),
    ("whole", "ROW(NULL, NULL)", "NULL", True, False),
    ("whole[]", "ARRAY[ROW(1, '1')]::whole[]", "ARRAY[ROW(1, '2')]::whole[]", True, False),
    ("shout", "'TEA'", "'tea'", False, False),  # its own operators know no cases
    ("shout", "'TEA'", "'milk'", True, False),
]


@pytest.fixture
def types(execute):
    execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
    execute("CREATE DOMAIN money_text AS varchar(9)")
    execute("CREATE DOMAIN json_domain AS json")
    execute("CREATE TYPE with_json AS (id int, data json)")
    execute("CREATE TYPE whole AS (id int, share float8)")
    execute("CREATE TYPE shout AS ENUM ('TEA', 'tea', 'milk')")
    for name, symbol, returned in OPERATORS:
        execute(
            f"CREATE FUNCTION {name}(shout, shout) RETURNS boolean LANGUAGE sql IMMUTABLE AS"
            f" 'SELECT {returned}'"
        )
        execute(f"CREATE OPERATOR public.{symbol} (LEFTARG = shout, RIGHTARG = shout, FUNCTION = {name})")
    execute(
        "CREATE FUNCTION cmp_shout(shout, shout) RETURNS int LANGUAGE sql IMMUTABLE AS"
        " 'SELECT pg_catalog.bttextcmp(lower($1::text), lower($2::text))'"
    )
    listed = ", ".join(f"OPERATOR {n} public.{symbol}" for n, (_, symbol, _) in enumerate(OPERATORS, 1))
    execute(
        f"CREATE OPERATOR CLASS shout_ops DEFAULT FOR TYPE shout USING btree AS {listed},"
        " FUNCTION 1 cmp_shout(shout, shout)"
    )


#: The operators of a type like citext, which is an extension that not every server has.
OPERATORS = [
    (name, symbol, f"lower($1::text) {symbol} lower($2::text)")
    for name, symbol in (("lt", "<"), ("le", "<="), ("eq", "="), ("ge", ">="), ("gt", ">"))
]


@pytest.mark.parametrize("with_key", [True, False], ids=["with a key", "whole rows"])
def test_values_of_many_types(registered, execute, types, with_key):
    """All pairs in one view: a column of each type."""
    columns = [f"c{n}" for n in range(len(PAIRS))]
    for table, place in (("before", 1), ("after", 2)):
        typed = ", ".join(f"{c} {pair[0]}" for c, pair in zip(columns, PAIRS, strict=True))
        execute(f"CREATE TABLE {table} (id int, {typed})")
        for i in (1, 2):
            execute(f"INSERT INTO {table} VALUES ({i}, {', '.join(pair[place] for pair in PAIRS)})")
    key = "id" if with_key else "1 AS id"
    listed = ", ".join(columns)
    found = change(f"SELECT {key}, {listed} FROM before", f"SELECT {key}, {listed} FROM after", key=["id"])
    assert not found.why_not
    by_text = {column.name for column in found.columns if column.by_text}
    assert by_text == {c for c, pair in zip(columns, PAIRS, strict=True) if pair[4]}
    if with_key:
        assert found.counts.by_column == {c: 2 for c, pair in zip(columns, PAIRS, strict=True) if pair[3]}
    else:
        assert (found.key, found.counts.added, found.counts.removed) == ((), 2, 2)


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if not pair[3]], ids=lambda pair: pair[0])
def test_rows_of_what_is_the_same_are_the_same_as_a_whole(registered, execute, types, pair):
    type_, before, after, *_ = pair
    execute(f"CREATE TABLE shown (v {type_}, n {type_})")
    execute(f"INSERT INTO shown VALUES ({before}, {after}), ({before}, {after})")
    found = change("SELECT 1 AS one, v FROM shown", "SELECT 1 AS one, n AS v FROM shown")
    assert not found.why_not
    assert (found.key, found.counts.differ, found.counts.old) == ((), False, 2)


def test_another_type_is_compared_by_text(registered, execute):
    execute("CREATE TABLE goods AS SELECT g AS id, g AS n FROM generate_series(1, 3) g")
    found = change(
        "SELECT id, n FROM goods",
        "SELECT id::bigint AS id, n + 0.0 AS n FROM goods",
    )
    assert [(c.name, c.by_text) for c in found.retyped_columns] == [("id", True), ("n", True)]
    assert (found.key, found.counts.changed) == (("id",), 3)  # 2 and 2.0 are other texts
    (sample, *_) = found.samples
    assert (texts(sample.old), texts(sample.new)) == (["1", "1"], ["1", "1.0"])


def test_another_length_is_another_type_and_no_other_comparison(registered, execute):
    execute("CREATE TABLE goods AS SELECT 1 AS id, 'a'::char(3) AS name, 1.5::numeric(5, 2) AS n")
    found = change(
        "SELECT id, name, n FROM goods", "SELECT id, name::char(5) AS name, n::numeric(9, 4) AS n FROM goods"
    )
    assert [(c.name, c.by_text) for c in found.retyped_columns] == [("name", False), ("n", False)]
    assert not found.counts.differ


def test_another_collation(registered, execute):
    execute("CREATE TABLE goods AS SELECT 1 AS id, 'a'::text AS name")
    found = change("SELECT id, name FROM goods", 'SELECT id, name COLLATE "C" AS name FROM goods')
    assert [(c.name, c.by_text) for c in found.retyped_columns] == [("name", True)]
    assert not found.counts.differ


def test_a_whole_row_of_another_view(registered, execute):
    """The row types of both sides have other names while they are staged."""
    execute("CREATE TABLE goods AS SELECT g AS id, 'x' AS name FROM generate_series(1, 3) g")
    declare("Base", "SELECT id, name FROM goods")
    declare("Top", "SELECT id, b AS whole FROM views.base AS b")
    sync_views()
    declare("Base", "SELECT id, CASE id WHEN 2 THEN 'y' ELSE name END AS name FROM goods")
    found = compare("base", "top")
    assert found["base"].counts.by_column == {"name": 1}
    assert found["top"].counts.by_column == {"whole": 1}
    assert found["top"].retyped_columns == []


def test_odd_names_of_columns(registered, execute):
    execute('CREATE TABLE odd ("100%" int, "a ""b""" text, "select" int, "c1" int)')
    execute("INSERT INTO odd VALUES (1, 'x', 1, 1), (2, 'y', 2, 2)")
    found = change(
        "SELECT * FROM odd",
        'SELECT "100%", "a ""b""" || \'%s\' AS "a ""b""", "select", c1 FROM odd WHERE c1 % 2 = 1',
        key=["100%"],
    )
    assert (found.counts.removed, found.counts.by_column) == (1, {'a "b"': 1})


def test_long_values_are_cut(registered, execute):
    execute("CREATE TABLE goods AS SELECT 1 AS id, repeat('é', 5000) AS name")
    found = change("SELECT id, name FROM goods", "SELECT id, name || 'x' AS name FROM goods")
    ((_, old, new),) = found.samples
    assert (old[1].length, new[1].length, new[1].is_cut, len(new[1].text)) == (5000, 5001, True, 512)


def test_operators_of_others_are_not_used(registered, execute):
    """An operator of another schema would fit better than PostgreSQL's own."""
    execute(
        "CREATE FUNCTION public.same(varchar, varchar) RETURNS boolean"
        " LANGUAGE sql IMMUTABLE AS 'SELECT true'"
    )
    execute("CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.same)")
    execute("CREATE TABLE goods AS SELECT 1 AS id, 'a'::varchar AS name")
    found = change("SELECT id, name FROM goods", "SELECT id, 'b'::varchar AS name FROM goods")
    assert found.counts.by_column == {"name": 1}
