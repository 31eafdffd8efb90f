"""What views are made of, and what hangs on them, as text and as JSON, for the commands. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from orm_views_core.database.lineage import ColumnLineage, Columns, ViewLineage
from orm_views_core.lineage.answers import Answer
from orm_views_core.lineage.asked import Asked
from orm_views_core.lineage.questions import Way, ways
from orm_views_core.lineage.written import write_column, write_name, write_relation
from orm_views_core.names import ViewName, printable

_WIDTH = 110
#: In the place of a column, where the rows of a view are meant. A column of that name is printed in quotes.
_ROWS = "(its rows)"


def answer_lines(answer: Answer) -> Iterator[str]:
    """Yield the lines of an answer: a block for each view, and a sentence where there is nothing to tell."""
    if answer.asked is None:
        yield from _all_lines(answer)
        return
    if answer.upstream is not None:
        yield from _upstream_lines(answer, answer.asked)
    if answer.downstream is not None:
        if answer.upstream is not None:
            yield ""
        yield from _downstream_lines(answer, answer.asked, answer.downstream)


def _all_lines(answer: Answer) -> Iterator[str]:
    if not answer.upstream:
        yield f"Database '{answer.database}' has no views."
        return
    for number, view in enumerate(answer.upstream):
        if number:
            yield ""
        yield _titled(answer, view.view)
        yield from _table(view)


def _upstream_lines(answer: Answer, asked: Asked) -> Iterator[str]:
    if not asked.is_view:
        yield f"{_counted(asked)} is a table, made of no other relation. --downstream says what hangs on it."
    elif not answer.upstream:
        yield f"{_name(asked.relation)} is a view of PostgreSQL itself. What it is made of is not told."
    else:
        for view in answer.upstream:
            yield f"{_titled(answer, view.view)} is made of:"
            yield from _table(view)


def _downstream_lines(answer: Answer, asked: Asked, found: Sequence[ViewLineage]) -> Iterator[str]:
    if not found:
        yield f"Nothing hangs on {_counted(asked)}."
        return
    yield f"On {_counted(asked)} hang:"
    for view in found:
        yield ""
        yield _titled(answer, view.view)
        yield from _table(view, "reads its rows, and no column")


def _table(view: ViewLineage, nothing: str = "has no columns") -> Iterator[str]:
    """Yield the lines of a view's columns, aligned, and of what decides which rows it has."""
    rows = [row for column in view.columns for row in _column_rows(column)]
    if view.uses:
        rows.append((_ROWS, "use", _listed(view.uses)))
    if not rows:
        yield f"  {nothing}"
        return
    first, second = (max(len(row[i]) for row in rows) for i in (0, 1))
    for name, way, words in rows:
        start = f"  {name:<{first}}  {way:<{second}}  "
        for line in _wrapped(words, _WIDTH - len(start)):
            yield f"{start}{line}".rstrip()
            start = " " * len(start)


def _column_rows(column: ColumnLineage) -> Iterator[tuple[str, str, list[str]]]:
    name = printable(write_name(column.column))
    for way, columns in ways(column):
        yield name, way.value, _listed(columns)
        name = ""
    if column.because:
        what, said = ("", "") if column.may_show else ("any column, ", Way.MAY_SHOW.value)
        yield name, said, printable(f"{what}because {column.because}").split(" ")
    elif not column.sources:
        yield name, "no column", []


def _wrapped(words: Sequence[str], width: int) -> Iterator[str]:
    """Yield lines with as many words as there is room for."""
    line = ""
    for word in words:
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _listed(columns: Columns) -> list[str]:
    """Return columns as words of a line."""
    *most, last = sorted(printable(write_column(column)) for column in columns)
    return [*(f"{each}," for each in most), last]


def _name(relation: ViewName) -> str:
    return printable(write_relation(relation))


def _titled(answer: Answer, view: ViewName) -> str:
    return f"{_name(view)} ({answer.labels.get(view, 'not ours')})"


def _counted(asked: Asked) -> str:
    partition = f" ({_name(asked.partition)} is a partition of it)" if asked.partition else ""
    return f"{printable(str(asked))}{partition}"


def answers_as_list(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Return the same for JSON: an object for each column of each view, and one for what the view uses.

    What a view is made of comes first, and then what hangs on it. The objects name their database when there
    are several.
    """
    objects = []
    for answer in answers:
        database = {"database": answer.database} if len(answers) > 1 else {}
        for view in (*(answer.upstream or ()), *(answer.downstream or ())):
            objects += [{**database, **each} for each in view_as_dicts(view)]
    return objects


def view_as_dicts(view: ViewLineage) -> Iterator[dict[str, Any]]:
    """Yield what each column of a view is made of, and what its rows use, for JSON."""
    for column in view.columns:
        yield column_as_dict(view.view, column.column, column)
    yield {"view": write_relation(view.view), "uses": _names(view.uses)}


class Made(Protocol):
    """What a column is made of."""

    @property
    def shows(self) -> Columns: ...
    @property
    def computed_from(self) -> Columns: ...
    @property
    def may_show(self) -> Columns: ...
    @property
    def because(self) -> str: ...


def column_as_dict(view: ViewName, column: str, made: Made) -> dict[str, Any]:
    """Return what a column of a view is made of, for JSON."""
    return {
        "view": write_relation(view),
        "column": column,
        "shows": _names(made.shows),
        "computed_from": _names(made.computed_from),
        "may_show": _names(made.may_show),
        "because": made.because,
    }


def _names(columns: Columns) -> list[str]:
    return sorted(map(write_column, columns))
