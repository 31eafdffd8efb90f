"""Rows as files: written a few at a time, so that a million of them take no more memory than some hundred."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

#: How many rows are read and written at once: a line for each would be as many writes to the network.
AT_ONCE = 500

#: What a spreadsheet takes for the beginning of a formula, in the width of East Asian scripts too.
#: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - they are meant


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        label: its name.
        content_type: what HTTP calls it.
        write: makes its text of the names of columns and of rows, piece by piece.
    """

    label: str
    content_type: str
    write: Callable[[Sequence[str], Iterable[Sequence[Any]]], Iterator[str]]


def download(
    request: HttpRequest, form: str, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """Return rows as a file.

    Args:
        request: what is answered.
        form: a key of ``FORMATS``.
        name: the name of the file without its ending.
        columns: the names of the columns.
        rows: the values of each row, in the order of the columns; asked for as they are written.
    """
    chosen = FORMATS[form]
    pieces = chosen.write(columns, rows)
    return StreamingHttpResponse(
        # What Django cannot wait for, it would read to the end before it sends anything.
        _awaited(pieces) if isinstance(request, ASGIRequest) else pieces,
        content_type=chosen.content_type,
        headers={"Content-Disposition": content_disposition_header(True, f"{name}.{form}")},
    )


async def _awaited(pieces: Iterator[str]) -> AsyncIterator[str]:
    """Yield the same, each made in the thread that the connections of an asynchronous request belong to."""
    while (piece := await sync_to_async(lambda: next(pieces, None))()) is not None:
        yield piece


def _write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Returned())
    yield writer.writerow(columns)
    for some in _batches(rows):
        yield "".join(writer.writerow([_cell(value) for value in row]) for row in some)


def _write_json(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    between = "[\n"
    for some in _batches(rows):
        yield between + ",\n".join(
            json.dumps(dict(zip(columns, row, strict=True)), default=_plain, ensure_ascii=False)
            for row in some
        )
        between = ",\n"
    yield "[]\n" if between == "[\n" else "\n]\n"


FORMATS = {
    "csv": Format("CSV", "text/csv; charset=utf-8", _write_csv),
    "json": Format("JSON", "application/json", _write_json),
}


class _Returned:
    """A file that keeps nothing and returns what is written to it."""

    def write(self, text: str) -> str:
        return text


def _batches(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    remaining = iter(rows)
    while some := list(islice(remaining, AT_ONCE)):
        yield some


def _cell(value: Any) -> Any:
    """Return a value for a spreadsheet, to which no text is a formula."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _plain(value) if isinstance(value, dt.datetime) else value


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)
