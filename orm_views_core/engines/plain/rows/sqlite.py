"""How SQLite writes and compares values. A value has its type from itself, not from its column.

https://www.sqlite.org/datatype3.html
"""

from __future__ import annotations

from orm_views_core.engines.sqlite.functions import CONTAINS
from orm_views_core.names import quote_identifier

from .dialects import IS_NUMBER, Filter
from .kinds import Kind
from .values import NUMBER

_IS_NUMBER = "typeof({column}) IN ('integer', 'real')"
_COMPARED_AS_TEXT = (Kind.DAY, Kind.MOMENT, Kind.TIME)
#: A length has at most so many digits, with a mark and a colon behind them.
_DIGITS = 22


class SQLiteDialect:
    """Texts are cast from values, and bytes are written in hexadecimal."""

    orders_any = True

    def quote(self, identifier: str) -> str:
        """Return the name in double quotes."""
        return quote_identifier(identifier).replace("%", "%%")

    def text(self, column: str, kind: Kind) -> str:
        """Return the expression of the text."""
        return f"CASE typeof({column}) WHEN 'blob' THEN hex({column}) ELSE CAST({column} AS TEXT) END"

    def cell(self, column: str, kind: Kind, limit: int) -> str:
        """Return the expression of length and beginning, in bytes: a text may have any, and ends at a NUL."""
        length = f"CASE typeof({column}) WHEN 'blob' THEN 2 * length({column}) ELSE length({column}) END"
        start = (
            f"CASE typeof({column}) WHEN 'blob' THEN hex(substr({column}, 1, {limit}))"
            f" ELSE ifnull(substr(CAST({column} AS BLOB), 1, {limit + 1}), '') END"
        )
        mark = f"CASE WHEN {_IS_NUMBER.format(column=column)} THEN '{IS_NUMBER}:' ELSE ':' END"
        return f"substr(CAST({length} || {mark} || {start} AS BLOB), 1, {limit + _DIGITS})"

    def compared(self, column: str, kind: Kind, operator: str, value: str) -> Filter:
        """Compare numbers as numbers where the type of the column, or the value itself, is a number."""
        is_number = _IS_NUMBER.format(column=column)
        as_number = f"{column} {operator} CAST(%s AS NUMERIC)"
        as_text = f"{self.text(column, kind)} {operator} %s"
        if kind is Kind.NUMBER:
            return Filter(f"({is_number} AND {as_number})", (value,))
        if kind is Kind.BOOLEAN:
            return Filter(as_number, (value,))
        if kind is Kind.TEXT or kind in _COMPARED_AS_TEXT:
            return Filter(f"{column} {operator} %s", (value,))
        if kind is Kind.ANY and NUMBER.fullmatch(value.strip()):
            return Filter(f"CASE WHEN {is_number} THEN {as_number} ELSE {as_text} END", (value, value))
        return Filter(as_text, (value,))

    def contains(self, column: str, kind: Kind, part: str) -> Filter:
        """Use a function of ours, which gets the text as bytes: a text may have any."""
        return Filter(f"{CONTAINS}(CAST({self.text(column, kind)} AS BLOB), %s)", (part,))

    def begins(self, column: str, kind: Kind, part: str) -> Filter:
        """Compare as many characters as the part has."""
        return Filter(f"substr({self.text(column, kind)}, 1, length(%s)) = %s", (part, part))


DIALECT = SQLiteDialect()
