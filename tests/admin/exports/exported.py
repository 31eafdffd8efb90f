"""Writing the rows of a view into a file, and reading them again."""

from __future__ import annotations

import io
import json
import re
import sys
from json.scanner import py_make_scanner
from typing import Any

from orm_views_admin.files.formats import FORMATS
from orm_views_admin.files.notes import DoesNotFitError, Notes
from orm_views_core.engines.postgresql.rows import TimeLimit, exporting
from orm_views_core.names import ViewName

LIMIT = TimeLimit(60, "the limit of a test")
_CSV = re.compile(r'("(?:[^"]|"")*"|[^,\n]*)(,|\n)')
_XSTRING = re.compile("_x([0-9A-Fa-f]{4})_")


def written(form: str, name: ViewName, most: int = 10_000, **asked: Any) -> tuple[bytes, Any, Notes]:
    """The bytes of a file, what is known of its rows, and its notes."""
    notes = Notes()
    for _ in range(1000):
        file = io.BytesIO()
        try:
            with exporting("default", name, most=most, limit=LIMIT, number=7, **asked) as export:
                FORMATS[form].write(export, file, notes)
            return file.getvalue(), export, notes
        except DoesNotFitError as error:
            notes.as_text += error.columns
    raise AssertionError(notes)


def csv_rows(data: bytes) -> list[list[str | None]]:
    """The cells of CSV, with the names first. What is empty without quotes is None."""
    rows: list[list[str | None]] = [[]]
    text, place = data.decode(), 0
    while place < len(text):
        found = _CSV.match(text, place)
        assert found, text[place : place + 100]
        cell, place = found[1], found.end()
        value = cell[1:-1].replace('""', '"') if cell.startswith('"') else cell or None
        rows[-1].append(value)
        if found[2] == "\n":
            rows.append([])
    return rows[:-1]


def json_rows(data: bytes) -> list[dict[str, Any]]:
    """The objects of JSON lines."""
    lines = data.decode().split("\n")
    assert lines.pop() == ""
    return [loaded(line) for line in lines]


def loaded(text: str) -> Any:
    """JSON, however deep, in which numbers are the texts that they have in the file."""
    decoder = json.JSONDecoder(parse_int=Digits, parse_float=Digits)
    decoder.scan_once = py_make_scanner(decoder)  # that in C has a limit of its own
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        return decoder.decode(text)
    finally:
        sys.setrecursionlimit(before)


class Digits(str):
    """A number as it is written."""


def xlsx_rows(data: bytes) -> list[list[Any]]:
    """The cells of a sheet, with the names first, as spreadsheets read them."""
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), read_only=True)
    (sheet,) = book.worksheets
    rows = []
    for row in sheet.iter_rows():
        assert not any(cell.data_type in ("f", "e", "d") for cell in row)
        rows.append([_decoded(cell.value) for cell in row])
    book.close()
    return rows


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _XSTRING.sub(lambda code: chr(int(code[1], 16)), value)


def parquet_table(data: bytes) -> Any:
    """The table of a Parquet file."""
    import pyarrow.parquet as pq

    return pq.read_table(io.BytesIO(data))
