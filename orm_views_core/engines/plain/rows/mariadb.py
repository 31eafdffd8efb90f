"""How MariaDB writes and compares values."""

from __future__ import annotations

from .dialects import Filter
from .kinds import Kind

_TYPES = {
    Kind.NUMBER: "DECIMAL(65, 30)",
    Kind.BOOLEAN: "SIGNED",
    Kind.DAY: "DATE",
    Kind.MOMENT: "DATETIME(6)",
    Kind.TIME: "TIME(6)",
}
_CHARACTERS = "CHAR CHARACTER SET utf8mb4"
#: A length has at most so many digits, and a colon behind it.
_DIGITS = 21


class MariaDBDialect:
    """Texts are cast from values, and bytes are written in hexadecimal."""

    orders_any = False

    def quote(self, identifier: str) -> str:
        """Return the name in backticks."""
        return "`" + identifier.replace("`", "``").replace("%", "%%") + "`"

    def text(self, column: str, kind: Kind) -> str:
        """Return the expression of the text."""
        return f"HEX({column})" if kind is Kind.BINARY else f"CAST({column} AS {_CHARACTERS})"

    def cell(self, column: str, kind: Kind, limit: int) -> str:
        """Return the expression of length and beginning."""
        text = self.text(column, kind)
        start = f"HEX(LEFT({column}, {limit}))" if kind is Kind.BINARY else f"LEFT({text}, {limit})"
        whole = f"CONCAT(CHAR_LENGTH({text}), ':', {start})"
        return f"LEFT(CAST(CAST({whole} AS {_CHARACTERS}) AS BINARY), {limit + _DIGITS})"

    def compared(self, column: str, kind: Kind, operator: str, value: str) -> Filter:
        """Compare as the type of the column does, with its collation."""
        if kind in _TYPES:
            return Filter(f"{column} {operator} CAST(%s AS {_TYPES[kind]})", (value,))
        compared = column if kind is Kind.TEXT else self.text(column, kind)
        return Filter(f"{compared} {operator} %s", (value,))

    def contains(self, column: str, kind: Kind, part: str) -> Filter:
        """Look for the part in small letters."""
        return Filter(f"LOCATE(LOWER(%s), LOWER({self.text(column, kind)})) > 0", (part,))

    def begins(self, column: str, kind: Kind, part: str) -> Filter:
        """Compare as many characters as the part has, as bytes: a collation may know no capitals."""
        start = f"LEFT({self.text(column, kind)}, CHAR_LENGTH(%s))"
        same = f"CAST({start} AS BINARY) = CAST(CAST(%s AS {_CHARACTERS}) AS BINARY)"
        return Filter(same, (part, part))


DIALECT = MariaDBDialect()
