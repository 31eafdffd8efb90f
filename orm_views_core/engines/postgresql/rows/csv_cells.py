"""The cells of CSV: what a spreadsheet would take for a formula is made a text by a quote in front.

Only texts are altered. Values of types for numbers, dates and lengths of time stay as they are, whatever they
begin with, and the numbers of JSON.
https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

from django.db import DatabaseError, transaction
from django.db.backends.utils import CursorWrapper

from .cells import in_statement, whole_text
from .columns import TypedColumn
from .fetching import braced
from .query import Query

#: What formulas begin with. Spreadsheets take full-width characters for the same.
_ASCII, _FULL_WIDTH = "=+-@\t\r\n", "＝＋－＠"  # noqa: RUF001 - full-width on purpose
FORMULA = (*_ASCII, *_FULL_WIDTH)
# The categories of dates, lengths of time, truth values, geometric shapes, addresses, ranges and rows. The
# text of none of them begins like a formula, or it is a number.
_NEVER = frozenset("DTBGIRC")
_JSON = ("json", "jsonb")
#: Arrays begin with a brace, apart from these. https://www.postgresql.org/docs/current/datatype-oid.html
_BARE_ARRAYS = ("int2vector", "oidvector")

_DEFUSED = "CASE WHEN {begins} THEN pg_catalog.concat('''', {text}) ELSE {text} END"
_BEGINS = (
    'pg_catalog.left({text}, {length}) COLLATE pg_catalog."C"'
    " OPERATOR(pg_catalog.=) ANY (ARRAY[{beginnings}]::pg_catalog.text[])"
)
_BEGINS_WITH_CODE = "pg_catalog.ascii({text}) OPERATOR(pg_catalog.=) ANY (ARRAY[{codes}])"


def csv_cells(cursor: CursorWrapper, query: Query, *, as_texts: bool = False) -> str:
    """Return the statement of the cells of rows; ``{chosen}`` stands in it for the one that chooses them.

    Args:
        cursor: in a transaction.
        query: what is read.
        as_texts: whether all cells are texts. COPY makes texts of the others by itself.
    """
    texts, cells = [], []
    may_begin = {name for name in query.shown if may_begin_formula(query.columns[name])}
    width = _width_of_full_width(cursor) if may_begin else 0
    for number, name in enumerate(query.shown):
        typed, column, place = query.columns[name], in_statement(name), f"text_{number}"
        if name not in may_begin:
            texts.append(f"{whole_text(column) if as_texts else column} AS {place}")
            cells.append(place)
            continue
        texts.append(f"{column if typed.is_text else whole_text(column)} AS {place}")
        begins = _begins_formula(place, width, is_json=typed.column.base in _JSON)
        cells.append(_DEFUSED.format(text=place, begins=begins))
    # OFFSET keeps the planner from writing the expression of a text in each place where the text is used.
    inner = f"SELECT {braced(', '.join(texts))} FROM ({{chosen}}) AS chosen OFFSET 0"
    return f"SELECT {braced(', '.join(cells))} FROM ({inner}) AS written"


def may_begin_formula(typed: TypedColumn) -> bool:
    """Return whether the text of a column's values may begin like a formula without being a number."""
    column = typed.column
    if column.category == "N":
        # PostgreSQL counts names as numbers, such as those of operators. They have no order.
        return not column.is_ordered
    if column.category == "A":
        return column.base in _BARE_ARRAYS
    return column.category not in _NEVER and column.base != "uuid"


def _begins_formula(text: str, width: int | None, *, is_json: bool) -> str:
    """Return the SQL of whether a text begins like a formula.

    Args:
        text: the expression of the text.
        width: see :func:`_width_of_full_width`.
        is_json: whether a hyphen begins a number.
    """
    characters = _ASCII.replace("-", "") if is_json else _ASCII
    if width is None:
        codes = ", ".join(str(ord(each)) for each in characters + _FULL_WIDTH)
        return _BEGINS_WITH_CODE.format(text=text, codes=codes)
    by_length = {1: [f"pg_catalog.chr({ord(each)})" for each in characters]}
    if width:
        by_length.setdefault(width, []).extend(f"'{each}'" for each in _FULL_WIDTH)
    return " OR ".join(
        _BEGINS.format(text=text, length=length, beginnings=", ".join(found))
        for length, found in by_length.items()
    )


def _width_of_full_width(cursor: CursorWrapper) -> int | None:
    """Return how many characters a full-width one is; 0 if the encoding of the database has none.

    Returns:
        None for Unicode: numbers of characters are compared sooner than texts. A database without an encoding
        has a character for each byte.
    """
    # First alone: the encoding of the session may have no full-width characters, and the database have them.
    cursor.execute("SELECT pg_catalog.getdatabaseencoding() = 'UTF8'")
    (is_unicode,) = cursor.fetchone()
    if is_unicode:
        return None
    try:
        with transaction.atomic(using=cursor.db.alias):
            cursor.execute(f"SELECT pg_catalog.length('{_FULL_WIDTH}')")
            (length,) = cursor.fetchone()
            return int(length) // len(_FULL_WIDTH)
    except DatabaseError:
        return 0
