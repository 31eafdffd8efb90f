"""CSV, which PostgreSQL writes itself."""

from __future__ import annotations

from typing import IO

from orm_views_core.engines.postgresql.rows import FORMULA, RowExport, csv_line

from .notes import Notes

# Programs take a mark of the order of bytes away from the beginning of a file.
_DEFUSED = ("\ufeff", *FORMULA)


def write_csv(export: RowExport, file: IO[bytes], notes: Notes) -> None:
    """Write rows as CSV in UTF-8, with the names of the columns first."""
    names = [column.name for column in export.columns]
    file.write(csv_line([f"'{name}" if name.startswith(_DEFUSED) else name for name in names]))
    export.write_csv(file.write)
