"""What a comparison is printed as, where anybody has chosen a name."""

from __future__ import annotations

from orm_views_core.comparison import Action, ComparedColumn, ComparedView, Comparison, Counts
from orm_views_core.database.rows import RowColumn
from orm_views_core.names import ViewName
from orm_views_core.output.comparisons import comparison_lines

ODD = "a\x1b[31m\n"


def test_names_and_types_are_on_one_line_without_escape_sequences():
    old, new = (RowColumn(ODD, type_, "", "U", True, (), type_) for type_ in (f'"{ODD}"', "text"))
    view = ComparedView(
        ViewName("views", ODD),
        Action.CHANGED,
        columns=(ComparedColumn(ODD, old, new, by_text=True),),
        why_no_key=f"The key ({ODD}) is not unique",
        counts=Counts(1, 1, 0, 0),
        unrepeatable=(ODD,),
    )
    lines = list(comparison_lines(Comparison("default", (view,))))
    assert all(line.isprintable() for line in lines)
    assert sum(r"a\x1b[31m\n" in line for line in lines) == 5
