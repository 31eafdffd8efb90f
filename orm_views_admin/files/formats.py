"""The formats of exports, and whether the libraries that they need are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import IO

from orm_views_admin.models import Run
from orm_views_core.engines.postgresql.rows import RowExport
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.sentences import NOTHING, Sentence, listed, says

from .csv_file import write_csv
from .json_lines import write_json_lines
from .notes import Notes
from .parquet import write_parquet
from .xlsx import MOST_ROWS, write_xlsx


class NoSuchFormatError(OrmViewsError):
    """A format does not exist, or its library is not installed."""


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        key: its name in forms and in runs.
        word: its name for people.
        suffix: how the names of its files end.
        content_type: the value of the Content-Type header.
        write: writes rows into a file, and notes what the file lacks.
        library: the module that it needs; "" for none.
        extra: the extra of this package that installs the library.
        most_rows: how many rows a file has at most; None for any number.
    """

    key: str
    word: str
    suffix: str
    content_type: str
    write: Callable[[RowExport, IO[bytes], Notes], None]
    library: str = ""
    extra: str = ""
    most_rows: int | None = None

    @property
    def why_not(self) -> Sentence:
        """Why no file can be written now, a sentence; "" if one can."""
        if not self.library or find_spec(self.library):
            return NOTHING
        return says(
            "%(format)s needs %(library)s, which is not installed: %(command)s.",
            format=self.word,
            library=self.library,
            command=f'pip install "django-orm-views-admin[{self.extra}]"',
        )


FORMATS = {
    each.key: each
    for each in (
        Format("csv", "CSV", "csv", "text/csv; charset=utf-8", write_csv),
        Format("jsonl", "JSON lines", "jsonl", "application/x-ndjson", write_json_lines),
        Format(
            "xlsx",
            "XLSX",
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            write_xlsx,
            "openpyxl",
            "xlsx",
            MOST_ROWS,
        ),
        Format(
            "parquet",
            "Parquet",
            "parquet",
            "application/vnd.apache.parquet",
            write_parquet,
            "pyarrow",
            "parquet",
        ),
    )
}


def find_format(key: str) -> Format:
    """Return a format that a file can be written in.

    Raises:
        NoSuchFormatError: when there is none, or when its library is not installed.
    """
    if key not in FORMATS:
        forms = listed(FORMATS)
        words = says("There is no format “%(form)s”. The formats are: %(forms)s.", form=key, forms=forms)
        raise NoSuchFormatError(words)
    if why_not := FORMATS[key].why_not:
        raise NoSuchFormatError(why_not)
    return FORMATS[key]


def format_of(run: Run) -> Format | None:
    """Return the format of an export; None if there is none of its name any more."""
    return FORMATS.get(run.options.get("format", ""))


def suffix_of(run: Run) -> str:
    """Return how the name of the file of an export ends."""
    form = format_of(run)
    return form.suffix if form else "bin"
