"""Which relations are near one another, and the way of a column through views."""

from __future__ import annotations

import pytest

from orm_views_admin.ui.graph.relations import Relations
from orm_views_admin.ui.graph.way import find_way, goes_to
from orm_views_core.lineage import ColumnLineage, RelationColumn, ViewLineage, Way
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.status import Condition, State, ViewStatus


def name(text):
    return ViewName("s", text)


def column(text):
    relation, _, of_it = text.partition(".")
    return RelationColumn(name(relation), of_it)


def relations(**reads):
    """Views of ours with what they read, each a text of names of one letter."""
    ours = {
        name(view): ViewStatus("default", name(view), "", ViewKind.VIEW, (Condition(State.SYNCED, ""),))
        for view in reads
    }
    return Relations(ours, {}, {name(view): {name(each) for each in read} for view, read in reads.items()})


CHAIN = relations(b="a", c="b", d="c", e="d", f="e", x="b", y="z")


@pytest.mark.parametrize(
    ("of", "steps", "found"),
    [("d", 0, "d"), ("d", 1, "dce"), ("d", 2, "dcebf"), ("b", 1, "bacx"), ("a", 2, "abcx"), ("y", 9, "yz")],
)
def test_what_is_near_is_up_to_so_many_steps_away_in_one_direction(of, steps, found):
    assert [each.name for each in CHAIN.near(name(of), steps)] == list(found)


def test_views_that_read_one_another_are_near_each_other():
    circle = relations(a="b", b="a")
    assert set(circle.near(name("a"), 2)) == {name("a"), name("b")}


def test_names_are_what_has_to_do_with_our_views():
    assert {each.name for each in CHAIN.names} == set("abcdefxyz")
    others = Relations({}, {name("o"): ViewKind.VIEW}, {name("o"): {name("t")}})
    assert others.names == frozenset()


def test_edges_lead_from_what_is_read_to_what_reads_it():
    assert CHAIN.edges_among([name("b"), name("c"), name("e")]) == [(name("b"), name("c"))]


def lineage(**views):
    """Views by name, each with its columns by name; what they are made of is given by way."""
    return {
        name(view): ViewLineage(
            name(view),
            tuple(ColumnLineage(each, *(frozenset(map(column, s)) for s in sets)) for each, sets in columns),
            frozenset(map(column, uses)),
        )
        for view, (columns, uses) in views.items()
    }


DIRECT = lineage(
    v=([("a", (["t.a"],)), ("b", ([], ["t.a", "t.b"])), ("c", ([], [], ["t.c"]))], ["t.d"]),
    w=([("a", (["v.a"],)), ("sum", ([], ["v.a", "v.b"]))], ["v.c"]),
    x=([("last", (["w.sum"],)), ("both", (["w.a"], ["w.sum"]))], []),
    y=([("n", ([],))], ["x.both"]),
)


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ("x.last", {"w.sum": 0, "v.a": 1, "v.b": 1, "t.a": 1, "t.b": 1}),
        ("v.a", {"t.a": 0, "w.a": 0, "w.sum": 1, "x.last": 1, "x.both": 0}),
        ("t.c", {"v.c": 2}),
        ("v.c", {"t.c": 2}),
        ("y.n", {}),
        ("t.unread", {}),
    ],
)
def test_the_way_of_a_column_leads_both_ways_and_what_changes_it_counts(start, found):
    """Through x.both a column comes in two ways; the one that changes less counts."""
    kinds = [Way.SHOWS, Way.COMPUTED_FROM, Way.MAY_SHOW]
    way = find_way(DIRECT, column(start))
    assert way.columns == {column(each): kinds[kind] for each, kind in found.items()}


@pytest.mark.parametrize(
    ("start", "rows"), [("t.d", "v"), ("t.c", "w"), ("v.a", "y"), ("t.a", "y"), ("x.last", ""), ("t.b", "y")]
)
def test_views_that_only_use_a_column_hang_on_it_with_their_rows(start, rows):
    assert find_way(DIRECT, column(start)).rows == {name(each) for each in rows}


def test_a_column_goes_to_those_that_are_made_of_it_at_once():
    assert set(goes_to(DIRECT)[column("v.a")]) == {
        (column("w.a"), Way.SHOWS),
        (column("w.sum"), Way.COMPUTED_FROM),
    }


def test_columns_of_views_that_read_one_another_have_a_way():
    circle = lineage(a=([("n", (["b.n"],))], []), b=([("n", (["a.n"],))], []))
    assert find_way(circle, column("a.n")).columns == {column("b.n"): Way.SHOWS}
