"""The text of values, in statements and in what they return.

concat() gives the text of a type's output function, which is what psql shows. A cast to text may give another
one: ``true`` for ``t``, or ``char(n)`` without its blanks.
https://www.postgresql.org/docs/current/functions-string.html
"""

from __future__ import annotations

from orm_views_core.database.rows import Cell
from orm_views_core.names import quote_identifier

#: How many bytes of a cell leave the server for a page. A page of 50 rows and 10 columns has at most 1 MB.
SHORT = 2048
#: How many bytes of a single cell leave the server: 16 MiB. PostgreSQL's longest values have 1 GB.
LONGEST_CELL = 16 * 1024 * 1024

# No encoding of a server has characters of more than 4 bytes.
# https://www.postgresql.org/docs/current/multibyte.html
_CUT = (
    "CASE WHEN pg_catalog.octet_length(pg_catalog.left({text}, {limit})) OPERATOR(pg_catalog.<=) {limit}"
    " THEN pg_catalog.left({text}, {limit}) ELSE pg_catalog.left({text}, {limit_in_characters}) END"
)
_MOST_BYTES = 4


def in_statement(identifier: str) -> str:
    """Quote a name for a statement with parameters, in which a per cent sign begins a placeholder."""
    return quote_identifier(identifier).replace("%", "%%")


def whole_text(column: str) -> str:
    """Return the expression of a column's text, which is NULL where the value is.

    ``IS NULL`` is true of a row whose fields are all NULL, ``IS NOT DISTINCT FROM NULL`` is not.

    Args:
        column: the column, quoted.
    """
    return f"CASE WHEN {column} IS DISTINCT FROM NULL THEN pg_catalog.concat({column}) END"


def beginning(text: str, limit: int) -> str:
    """Return the expression of a text's length, a colon, and the text or as much of it as fits into a limit.

    It is one column for each cell, because a SELECT has at most 1,664, and a view up to 1,600.

    Args:
        text: the expression of the text.
        limit: in bytes.
    """
    cut = _CUT.format(text=text, limit=limit, limit_in_characters=limit // _MOST_BYTES)
    return f"CASE WHEN {text} IS NOT NULL THEN pg_catalog.concat(pg_catalog.length({text}), ':', {cut}) END"


def as_cell(selected: str | None, *, counts_bytes: bool = False) -> Cell:
    """Return the cell that a statement has selected as :func:`beginning`.

    Args:
        counts_bytes: whether the database has counted bytes. Then the length is that of the text that was
            read, and of as many characters as there are further bytes.
    """
    if selected is None:
        return Cell(None)
    length, _, text = selected.partition(":")
    surplus = len(text.encode()) - len(text) if counts_bytes else 0
    return Cell(text, int(length) - surplus)
