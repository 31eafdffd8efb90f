"""What an expression of a stored SELECT is made of, while it is collected. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Source(NamedTuple):
    """A column of a relation by oid and number, or one of the two numbers below."""

    relation: int
    attribute: int


#: In place of the number of a column: all columns of the relation.
WHOLE = 0
#: In place of the number of a column: the columns that decide which rows the relation has, if it is a view.
ROWS = -1_000_000


@dataclass
class Made:
    """What an expression is made of.

    Attributes:
        shows: the columns whose values it shows.
        computed: the columns that it is computed from.
        used: the columns that only decide which rows are looked at on the way.
        through: the functions that may read any table.
    """

    shows: set[Source] = field(default_factory=set)
    computed: set[Source] = field(default_factory=set)
    used: set[Source] = field(default_factory=set)
    through: set[str] = field(default_factory=set)

    def add(self, part: Made, shown: bool) -> None:
        """Add a part of the expression.

        Args:
            shown: whether the expression shows what the part shows.
        """
        (self.shows if shown else self.computed).update(part.shows)
        self.computed |= part.computed
        self.used |= part.used
        self.through |= part.through

    def add_used(self, part: Made) -> None:
        """Add an expression that only decides which rows there are."""
        self.used |= part.shows | part.computed | part.used


@dataclass(frozen=True)
class Functions:
    """What is known of the functions and operators of a database.

    Attributes:
        opaque: the functions that may read any table, with their names, by oid.
        operators: the operators of such functions, with the functions' names, by oid.
        safe: the oids of those whose result tells nothing of their arguments.
    """

    opaque: Mapping[int, str] = field(default_factory=dict)
    operators: Mapping[int, str] = field(default_factory=dict)
    safe: Collection[int] = ()


def together(parts: Iterable[Made], *, shown: bool) -> Made:
    """Return what several expressions are made of together."""
    made = Made()
    for part in parts:
        made.add(part, shown)
    return made
