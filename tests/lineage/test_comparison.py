"""A difference is called what it is."""

from __future__ import annotations

import pytest

from orm_views_core.lineage import ColumnLineage, RelationColumn, ViewLineage
from orm_views_core.names import ViewName

from .comparison import MISSED, TOO_MANY, WRONG_GRADE, WRONG_USES, Tally, compare_column, compare_uses, table
from .notation import Sources

VIEW, TABLE = ViewName("s", "v"), ViewName("s", "t")
X, Y, Z = (RelationColumn(TABLE, name) for name in "xyz")


def columns(*found):
    return frozenset(found)


@pytest.mark.parametrize(
    ("got", "kinds"),
    [
        (ColumnLineage("c", columns(X), columns(Y), through=("f()",)), []),
        (ColumnLineage("c", columns(X), through=("f()",)), [(MISSED, "s.t.y")]),
        (ColumnLineage("c", columns(X), columns(Y)), [(MISSED, "f()")]),
        (ColumnLineage("c", columns(X, Y), through=("f()",)), [(WRONG_GRADE, "s.t.y")]),
        (ColumnLineage("c", columns(), columns(X, Y), through=("f()",)), [(WRONG_GRADE, "s.t.x")]),
        (ColumnLineage("c", columns(X), columns(Y, Z), through=("f()",)), [(TOO_MANY, "s.t.z")]),
        (ColumnLineage("c", columns(X), columns(Y), through=("f()", "g()")), [(TOO_MANY, "g()")]),
        (
            ColumnLineage("c", may_show=columns(X, Y, Z), through=("f()",)),
            [(TOO_MANY, "s.t.x, s.t.y, s.t.z")],
        ),
        (ColumnLineage("c", columns(Z)), [(MISSED, "f(), s.t.x, s.t.y"), (TOO_MANY, "s.t.z")]),
    ],
)
def test_the_sources_of_a_column_are_compared(got, kinds):
    true = Sources(columns(X), columns(Y), frozenset(["f()"]))
    found = list(compare_column(VIEW, true, got))
    assert [(finding.kind, finding.what) for finding in found] == kinds
    assert {(finding.view, finding.column) for finding in found} <= {(VIEW, "c")}


@pytest.mark.parametrize(
    ("true", "got", "found"),
    [
        (columns(Z), columns(Z), []),
        (columns(Z), columns(), ["not said: s.t.z"]),
        (columns(), columns(Z), ["not true: s.t.z"]),
        (columns(X), columns(), []),
        (columns(), columns(X), []),
    ],
)
def test_what_a_view_uses_is_compared_but_for_its_sources(true, got, found):
    view = ViewLineage(VIEW, (ColumnLineage("c", columns(X)),), got)
    assert [(each.kind, each.what) for each in compare_uses(VIEW, true, columns(X), view)] == [
        (WRONG_USES, what) for what in found
    ]


def test_columns_are_counted_once_for_each_kind():
    true, got = Sources(columns(X, Y)), ColumnLineage("c", columns(Z), columns(X))
    tally = Tally(1, 3, [*compare_column(VIEW, true, got)])
    tally.add(Tally(1, 2))
    assert tally.row() == {
        "views": 2, "columns": 5, "exact": 4, MISSED: 1, WRONG_GRADE: 1, TOO_MANY: 1, WRONG_USES: 0,
    }  # fmt: skip
    assert tally.columns_with(MISSED, WRONG_GRADE) == 1


def test_the_table_has_a_line_for_each_row():
    lines = list(table({"one": Tally(1, 1_000).row(), "another": Tally().row()}))
    assert [line.split() for line in lines[1:]] == [
        ["one", "1", "1,000", "1,000", "0", "0", "0", "0"],
        ["another", *"0000000"],
    ]
    assert len({len(line) for line in lines}) == 1
