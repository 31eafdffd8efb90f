"""Rows as files. They are streamed in batches, so the memory used does not depend on their number."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import IO, Any, TypeVar

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, Http404, HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from orm_views_admin.ui.wording import listed
from orm_views_core.engines.postgresql.rows import FORMULA

#: The number of rows in a batch: writing each row by itself would be slow.
AT_ONCE = 500
#: The number of bytes of a file that are sent at once.
_PIECE = 64 * 1024

Piece = TypeVar("Piece", str, bytes)


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        content_type: the value of the Content-Type header.
        write: yields the text of a file in pieces, from the names of the columns and the rows.
    """

    content_type: str
    write: Callable[[Sequence[str], Iterable[Sequence[Any]]], Iterator[str]]


def download(
    request: HttpRequest, form: str, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """Return rows as a file.

    Args:
        request: the request.
        form: a key of ``FORMATS``.
        name: the name of the file without its extension.
        columns: the names of the columns.
        rows: the values of each row, in the order of the columns. They are read while the file is sent.
    """
    chosen = FORMATS[form]
    pieces = chosen.write(columns, rows)
    return StreamingHttpResponse(
        # Under ASGI, Django reads a synchronous iterator to its end before it sends anything.
        _awaited(pieces) if isinstance(request, ASGIRequest) else pieces,
        content_type=chosen.content_type,
        headers={"Content-Disposition": content_disposition_header(True, f"{name}.{form}")},
    )


def require_form(form: str) -> None:
    """Check that there is a format.

    Args:
        form: its key in an address.

    Raises:
        Http404: if there is none.
    """
    if form not in FORMATS:
        words = _("There is no format “%(form)s”. The formats are: %(forms)s.")
        raise Http404(words % {"form": form, "forms": listed(FORMATS)})


def send_file(
    request: HttpRequest, file: IO[bytes], name: str, size: int, content_type: str
) -> StreamingHttpResponse:
    """Return a file of a storage as a response, which closes it: also when the browser has gone.

    Args:
        request: the request.
        file: the open file.
        name: the name that it has when it is saved.
        size: its size in bytes.
        content_type: the value of the Content-Type header.
    """
    response: StreamingHttpResponse
    if isinstance(request, ASGIRequest):
        response = StreamingHttpResponse(
            _awaited(iter(partial(file.read, _PIECE), b"")),
            content_type=content_type,
            headers={"Content-Disposition": content_disposition_header(True, name)},
        )
        # As FileResponse does it.
        response._resource_closers.append(file.close)  # type: ignore[attr-defined]
    else:
        response = FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
    response.headers["Content-Length"] = str(size)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response


async def _awaited(pieces: Iterator[Piece]) -> AsyncIterator[Piece]:
    """Yield the pieces. Each is made in the thread that the request's database connections belong to."""
    while (piece := await sync_to_async(lambda: next(pieces, None))()) is not None:
        yield piece


def _write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(columns)
    for batch in _batches(rows):
        yield "".join(writer.writerow([_cell(value) for value in row]) for row in batch)


def _write_json(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    separator = "[\n"
    for batch in _batches(rows):
        yield separator + ",\n".join(
            json.dumps(
                dict(zip(columns, row, strict=True)), default=dt.datetime.isoformat, ensure_ascii=False
            )
            for row in batch
        )
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


FORMATS = {
    "csv": Format("text/csv; charset=utf-8", _write_csv),
    "json": Format("application/json", _write_json),
}


class _Echo:
    """A file whose ``write`` returns the text instead of storing it."""

    def write(self, text: str) -> str:
        return text


def _batches(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, AT_ONCE)):
        yield batch


def _cell(value: Any) -> Any:
    """Return a value for a spreadsheet; texts that would be formulas are quoted."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, dt.datetime) else value
