"""The truth is read as it is written."""

from __future__ import annotations

import pytest

from orm_views_core.lineage import RelationColumn
from orm_views_core.names import ViewName

from .notation import ALL, Sources, read_file, read_truth, unquote


def column(relation, name, schema="s"):
    return RelationColumn(ViewName(schema, relation), name)


def sources(shows=(), computed_from=(), through=()):
    return Sources(frozenset(shows), frozenset(computed_from), frozenset(through))


def read(*lines):
    return read_truth(lines, "s")


def test_a_file_has_what_comes_first_and_its_views():
    text = """-- About it.
CREATE TABLE a (x int);

-- view one materialised since 16 needs libxml
-- x: = a.x
SELECT x FROM a;
-- It is that easy.

-- view "two {"
-- uses: a.x
CREATE VIEW "two {" AS SELECT FROM a WHERE x = 1;
"""
    first, (one, two) = read_file(text, "s")
    assert first == "-- About it.\nCREATE TABLE a (x int);"
    assert one.name == ViewName("s", "one")
    assert (one.is_materialised, one.since, one.needs_libxml) == (True, 16, True)
    assert one.columns == {"x": sources([column("a", "x")])}
    statements = 'CREATE MATERIALIZED VIEW "s"."one" AS SELECT x FROM a;\n-- It is that easy.'
    assert one.statements == statements
    assert two.name == ViewName("s", "two {")
    assert (two.is_materialised, two.since, two.needs_libxml) == (False, 14, False)
    assert two.columns == {}
    assert two.uses == {column("a", "x")}
    assert two.statements == two.sql == 'CREATE VIEW "two {" AS SELECT FROM a WHERE x = 1;'


def test_signs_go_before_what_they_are_about():
    columns, uses = read(
        "a: = t.x, u.y ~ u.z ! p.fmt(text,integer), lo_get(oid); b: -", "c: ~ t.x, t.y; d: ! pg_stats"
    )
    assert columns == {
        "a": sources(
            [column("t", "x"), column("u", "y")], [column("u", "z")], ["p.fmt(text,integer)", "lo_get(oid)"]
        ),
        "b": sources(),
        "c": sources((), [column("t", "x"), column("t", "y")]),
        "d": sources(through=["pg_stats"]),
    }
    assert list(columns) == ["a", "b", "c", "d"]
    assert uses == set()


def test_uses_add_up():
    assert read("uses: t.x, t.y", "a: -", "uses: t.z")[1] == {column("t", name) for name in "xyz"}


def test_a_quoted_uses_is_a_column():
    assert read('"uses": = t.x') == ({"uses": sources([column("t", "x")])}, frozenset())


def test_a_line_that_ends_with_a_comma_goes_on():
    assert read("a: = t.x,", "  t.y ~ t.z", "b: -") == read("a: = t.x, t.y ~ t.z; b: -")


def test_a_schema_may_be_written():
    assert read("a: = other.t.x")[0] == {"a": sources([column("t", "x", "other")])}


def test_a_star_stands_for_all_columns_and_a_quoted_one_for_itself():
    columns, _ = read('a: ~ t.*; b: = t."*"')
    assert columns == {"a": sources((), [column("t", ALL)]), "b": sources([column("t", "*")])}
    there = {column("t", ALL): [column("t", "x"), column("t", "*")]}

    def expand(written):
        return frozenset(each for one in written for each in there.get(one, [one]))

    assert columns["a"].expand(expand) == sources((), [column("t", "x"), column("t", "*")])


def test_what_is_shown_is_not_computed_from_too():
    (both,) = read("a: = t.x ~ t.x, t.y")[0].values()
    assert both.expand(frozenset) == sources([column("t", "x")], [column("t", "y")])


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("plain", "plain"),
        ('"a b"', "a b"),
        ('""""', '"'),
        ('"; : , = ~ ! . ("', "; : , = ~ ! . ("),
        (r'U&"new\000Aline"', "new\nline"),
        (r'"\"', "\\"),
        ('"😀"', "😀"),
    ],
)
def test_names_are_quoted_as_in_sql(written, name):
    assert unquote(written) == name
    assert read(f"{written}: = {written}.{written}")[0] == {name: sources([column(name, name)])}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("a = t.x", "a colon should follow 'a'"),
        ("a: t.x", "one of = ~ ! - should come before 't.x'"),
        ("a:", "one of = ~ ! - should come before ''"),
        ("a: = x", "'x' is no table.column"),
        ("a: = t.x,", "'' is no table.column"),
        ("a: = t.x t.y", "'t.xt.y' is no table.column"),
        ("a: = d.s.t.x", "'d.s.t.x' is no table.column"),
        ("a: -; a: -", "'a' is there twice"),
        ('a: = t."x', "nothing like this is known"),
    ],
)
def test_a_slip_is_refused(line, why):
    with pytest.raises(ValueError, match=r"\A" + why.replace(".", r"\.")):
        read(line)


def test_a_slip_in_a_file_names_the_view():
    with pytest.raises(ValueError, match="The truth of one cannot be read: a colon"):
        read_file("-- view one\n-- a = t.x\nSELECT 1;", "s")
