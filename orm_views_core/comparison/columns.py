"""Which columns are compared, and how their values are written and compared in a statement. Pure.

A value is the same if its type says so: 1.0 and 1.00 are the same number, and NaN is equal to NaN. NULL is
equal to NULL. What has no default equality (json, xml, and the geometric types, whose ``=`` compares areas)
is compared by its text, and so is a column that gets another type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from orm_views_core.database.rows import RowColumn
from orm_views_core.engines.postgresql.rows.cells import whole_text
from orm_views_core.engines.postgresql.rows.columns import TypedColumn
from orm_views_core.names import quote_identifier

from .values import ComparedColumn

_TEXT_EQUALS = "OPERATOR(pg_catalog.=)"
_IN_C = 'COLLATE pg_catalog."C"'
#: The groups of types that cannot be collected in an array of their own type: arrays, and rows.
_NO_KEY = ("A", "C")


@dataclass(frozen=True)
class Pair:
    """A column of either definition, and what a statement says of it.

    Attributes:
        alias: its name within a statement.
        old: the expression of its old value; "" if it is added.
        new: the expression of its new value; "" if it is removed.
        equals: the operator that compares both; "" if it is not in both.
        can_be_key: whether it may be part of a key.
    """

    column: ComparedColumn
    alias: str
    old: str
    new: str
    equals: str
    can_be_key: bool

    @property
    def differs(self) -> str:
        """The expression of whether the values ``o`` and ``n`` differ."""
        old, new = f"o.{self.alias}", f"n.{self.alias}"
        # PostgreSQL would look for the operator of IS DISTINCT FROM along the search path.
        is_there = f"{old} IS DISTINCT FROM NULL OR {new} IS DISTINCT FROM NULL"
        return f"(({old} {self.equals} {new}) IS NOT TRUE AND ({is_there}))"


def pair_columns(
    old: Mapping[str, TypedColumn], new: Mapping[str, TypedColumn], schemas: Mapping[str, str]
) -> list[Pair]:
    """Return the columns of two definitions: those of the new one, and then those that only the old one has.

    Args:
        old: the columns of the old definition.
        new: those of the new one.
        schemas: the real schema of each staging schema, which the names of row types may have.
    """
    names = [*new, *(name for name in old if name not in new)]
    return [_pair(number, name, old.get(name), new.get(name), schemas) for number, name in enumerate(names)]


def _pair(
    number: int, name: str, old: TypedColumn | None, new: TypedColumn | None, schemas: Mapping[str, str]
) -> Pair:
    alias, column = f"c{number}", quote_identifier(name)
    as_is, as_will_be = _described(old, schemas), _described(new, schemas)
    if old is None or new is None:
        compared = ComparedColumn(name, as_is, as_will_be)
        return Pair(compared, alias, column if old else "", column if new else "", "", False)
    is_same_type = old.cast == new.cast and old.column.collation == new.column.collation
    if is_same_type and new.comparison is not None:
        can_be_key = new.column.category not in _NO_KEY
        compared = ComparedColumn(name, as_is, as_will_be)
        return Pair(compared, alias, column, column, new.comparison.equals, can_be_key)
    # Two collations in one comparison would be refused.
    text = f"({whole_text(column)}) {_IN_C}"
    compared = ComparedColumn(name, as_is, as_will_be, by_text=True)
    return Pair(compared, alias, text, text, _TEXT_EQUALS, True)


def _described(typed: TypedColumn | None, schemas: Mapping[str, str]) -> RowColumn | None:
    """Return a column with the type's name as it would be in its real place."""
    if typed is None:
        return None
    type_ = typed.column.type
    for stage, schema in schemas.items():
        type_ = type_.replace(f"{stage}.", f"{schema}.")
    return replace(typed.column, type=type_)


def in_both(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the columns that are compared."""
    return [pair for pair in pairs if pair.equals]
