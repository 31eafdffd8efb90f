"""Rows of views as values: cells, and conditions that choose rows. Pure.

A value is the text that PostgreSQL's output function gives for it, which is what psql shows. So it is the
same with every driver, and Python need not be able to hold it. Other engines cast it to text.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from typing import NamedTuple

from .relations import Column

_DIGEST = 16


@dataclass(frozen=True)
class Cell:
    """A value, or its beginning, as the engine's own text.

    Attributes:
        text: the text, or the beginning of a long one; None for NULL.
        length: how many characters the whole text has.
    """

    text: str | None
    length: int = 0

    @property
    def is_null(self) -> bool:
        """Whether the value is NULL."""
        return self.text is None

    @property
    def is_cut(self) -> bool:
        """Whether there is more text than was read."""
        return self.text is not None and len(self.text) < self.length


def digest(cell: Cell) -> str:
    """Return what tells a cell from another one, for a link that reads its value again."""
    text = "" if cell.text is None else cell.text
    told = f"{cell.is_null} {cell.length} {text}"
    return hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()[:_DIGEST]


class Operator(enum.Enum):
    """How a condition compares a column with its values.

    CONTAINS and BEGINS compare the text that is shown. The others compare as the column's type does, or the
    text if the type cannot be compared.

    Attributes:
        EQUALS: equal to the value.
        NOT_EQUALS: not equal to the value. NULL is not equal to any value, so rows with NULL are found.
        CONTAINS: the text has the value in it, in capitals or not.
        BEGINS: the text begins with the value.
        AT_LEAST: the value, or more.
        AT_MOST: the value, or less.
        IN: equal to one of the values.
        IS_NULL: NULL.
        IS_NOT_NULL: not NULL.
    """

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    CONTAINS = "contains"
    BEGINS = "begins"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    IN = "in"
    IS_NULL = "is_null"
    IS_NOT_NULL = "is_not_null"

    @property
    def takes(self) -> int | None:
        """The number of values that it compares with; None for one or more."""
        if self in (Operator.IS_NULL, Operator.IS_NOT_NULL):
            return 0
        return None if self is Operator.IN else 1


class Span(NamedTuple):
    """The values from a first one to a last one, as a value of EQUALS, NOT_EQUALS and IN.

    Attributes:
        first: the first value, as a text.
        last: the last value.
    """

    first: str
    last: str


@dataclass(frozen=True)
class Condition:
    """What rows have to fulfil.

    Attributes:
        column: the name of the column.
        operator: how it is compared.
        values: what it is compared with, as the texts that are shown.
    """

    column: str
    operator: Operator
    values: tuple[str | Span, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of all values; a span has two."""
        return tuple(text for each in self.values for text in (each if isinstance(each, Span) else (each,)))


@dataclass(frozen=True)
class RowColumn(Column):
    """A column of rows, with what a page needs to know of its type.

    Attributes:
        category: PostgreSQL's letter for a group of types, such as ``N`` for numbers. A domain has that of
            the type below it. https://www.postgresql.org/docs/current/catalog-pg-type.html
        is_ordered: whether its values have an order of their own.
        choices: all values that it can have, in their order; () if they are too many to list.
        base: the type without modifiers, such as ``numeric`` for ``numeric(5,2)``. A domain has that of the
            type below it.
    """

    category: str = ""
    is_ordered: bool = False
    choices: tuple[str, ...] = ()
    base: str = ""


def operators_for(column: RowColumn) -> tuple[Operator, ...]:
    """Return the operators that conditions on a column can have."""
    left_out = set()
    if not column.is_ordered or column.category == "B":
        left_out = {Operator.AT_LEAST, Operator.AT_MOST}
    if column.category == "B":
        left_out |= {Operator.CONTAINS, Operator.BEGINS, Operator.IN}
    return tuple(operator for operator in Operator if operator not in left_out)


@dataclass(frozen=True)
class RowPage:
    """Some rows of a view.

    Attributes:
        columns: all columns of the view.
        rows: the cells of each row, in the order of ``columns``.
        has_more: whether more rows follow; how many is not counted.
        masked: the names of the columns whose values were not read. In the rows they are None.
        quick: the names of the columns for which an index finds the rows that have a value, if they were
            asked for; None where the engine does not tell.
    """

    columns: tuple[RowColumn, ...]
    rows: tuple[tuple[Cell | None, ...], ...]
    has_more: bool
    masked: frozenset[str] = frozenset()
    quick: frozenset[str] | None = frozenset()


@dataclass(frozen=True)
class RowCount:
    """How many rows a view has, as counted or as the planner estimates.

    Attributes:
        rows: the number; None when neither could be had.
        exact: whether the rows were counted.
    """

    rows: int | None
    exact: bool
