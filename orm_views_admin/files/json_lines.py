"""JSON lines: an object for each row, in a line of its own.

Numbers have the digits that PostgreSQL writes, however many they are. JSON is embedded as it is stored.
https://jsonlines.org/
"""

from __future__ import annotations

from collections.abc import Callable
from json.encoder import encode_basestring
from typing import IO

from orm_views_core.database.rows import RowColumn
from orm_views_core.engines.postgresql.rows import RowExport

from .notes import Notes

NUMBERS = frozenset(("smallint", "integer", "bigint", "numeric", "real", "double precision"))
#: Numbers that JSON does not have.
_NONE = frozenset(("NaN", "Infinity", "-Infinity"))
_LINE_BREAKS = str.maketrans("\r\n", "  ")


def write_json_lines(export: RowExport, file: IO[bytes], notes: Notes) -> None:
    """Write rows as JSON lines in UTF-8."""
    columns = [(f"{encode_basestring(each.name)}: ", _writer_for(each)) for each in export.columns]
    for batch in export.read():
        lines = []
        for row in batch:
            values = [
                name + ("null" if text is None else write(text))
                for (name, write), text in zip(columns, row, strict=True)
            ]
            lines.append(f"{{{', '.join(values)}}}\n")
        file.write("".join(lines).encode())


def _writer_for(column: RowColumn) -> Callable[[str], str]:
    if column.base in NUMBERS:
        return _number
    if column.base == "boolean":
        return {"t": "true", "f": "false"}.__getitem__
    # Between its values JSON may have line breaks. Inside of its texts there are none.
    return _on_one_line if column.base in ("json", "jsonb") else encode_basestring


def _number(text: str) -> str:
    return f'"{text}"' if text in _NONE else text


def _on_one_line(text: str) -> str:
    return text.translate(_LINE_BREAKS) if "\n" in text or "\r" in text else text
