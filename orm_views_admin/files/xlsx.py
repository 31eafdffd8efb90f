"""XLSX, written row by row. A number that a spreadsheet would round is a text.

https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3 has the limits.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from orm_views_core.database.rows import RowColumn
from orm_views_core.engines.postgresql.rows import RowExport

from .json_lines import NUMBERS
from .notes import Notes

#: A sheet has 1,048,576 rows. The first one has the names of the columns.
MOST_ROWS = 1_048_575
#: How many characters a cell has, as UTF-16 counts them.
LONGEST = 32_767
_CUT = " … [cut: it has {length:,} characters]"
#: Spreadsheets keep 15 digits of a number, and no number as small or as large as PostgreSQL's.
_DIGITS, _LARGEST, _SMALLEST = 15, 1e300, 1e-300
_NUMBER = re.compile(r"-?(\d+)(?:\.(\d+))?(?:e[+-]?\d+)?", re.ASCII)
# What XML does not allow is written as _x0001_. So is what only looks like that.
# ECMA-376, part 1, 22.9.2.19 (ST_Xstring)
_ODD = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def write_xlsx(export: RowExport, file: IO[bytes], notes: Notes) -> None:
    """Write rows as a workbook with one sheet."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.worksheet._writer import WorksheetWriter
    from openpyxl.writer.excel import ExcelWriter

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Rows")

    def as_text(text: str) -> Any:
        """Return what is a text in a cell, whatever it looks like: a formula or an error."""
        written = _writable(text, notes)
        if written is text and text[:1] not in ("=", "#"):
            return text
        cell = WriteOnlyCell(sheet)
        # Not by its value, of which openpyxl cuts what is written out, and looks for formulas.
        cell._value, cell.data_type = written, "s"
        return cell

    # The sheet goes into the archive as it is made. openpyxl would make a file of its own first, which would
    # stay where it is when the process is killed.
    archive = _Archive(file, "w", ZIP_DEFLATED, allowZip64=True)
    out = archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True)
    try:
        sheet._writer = WorksheetWriter(sheet, out)
        sheet._writer.cleanup = lambda: None
        sheet._writer.write_top()
        _write_rows(export, sheet, as_text)
        sheet.close()
        out.close()
    except BaseException:
        for close in (sheet.close, out.close):
            with suppress(Exception):
                close()
        archive.fp = None  # so that nothing more is written
        raise
    ExcelWriter(book, archive).save()


def _write_rows(export: RowExport, sheet: Any, as_text: Callable[[str], Any]) -> None:
    sheet.append([as_text(column.name) for column in export.columns])
    writers = [_writer_for(column, as_text) for column in export.columns]
    for batch in export.read():
        for row in batch:
            cells = zip(writers, row, strict=True)
            sheet.append([None if text is None else write(text) for write, text in cells])


class _Archive(ZipFile):
    """An archive that has the sheet already when openpyxl writes everything else."""

    def write(self, filename: Any, arcname: Any = None, *args: Any, **kwargs: Any) -> None:
        """Write nothing: openpyxl calls this with the sheet only."""


def _writer_for(column: RowColumn, as_text: Callable[[str], Any]) -> Callable[[str], Any]:
    if column.base in NUMBERS:
        return lambda text: as_text(text) if (number := exact_number(text)) is None else number
    if column.base == "boolean":
        return {"t": True, "f": False}.__getitem__
    return as_text


def exact_number(text: str) -> int | float | None:
    """Return a number that a spreadsheet keeps as it is; None if it would make another one of it."""
    found = _NUMBER.fullmatch(text)
    digits = f"{found[1]}{found[2] or ''}".strip("0") if found else ""
    if not found or len(digits) > _DIGITS:
        return None
    if not digits:
        return None if text.startswith("-") else 0
    number = float(text)
    if not _SMALLEST < abs(number) < _LARGEST:
        return None
    return int(text) if text.lstrip("-").isdecimal() else number


def _writable(text: str, notes: Notes) -> str:
    """Return a text as a cell can have it. One that is too long is cut, and says so."""
    if len(text) > LONGEST // 2 and (length := len(text.encode("utf-16-le")) // 2) > LONGEST:
        notes.cut += 1
        end = _CUT.format(length=len(text))
        text = text[: LONGEST // 2 - len(end)] if length > len(text) else text[: LONGEST - len(end)]
        text += end
    text = _ODD.sub(lambda odd: f"_x{ord(odd[0]):04X}_", text)
    # Spreadsheets forget blanks around a text unless the file says that they matter. openpyxl does not say it
    # of a text that has nothing else.
    return f"_x{ord(text[0]):04X}_{text[1:]}" if text.isspace() else text
