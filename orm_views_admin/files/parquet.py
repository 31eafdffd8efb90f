"""Parquet. A column has the type that its declaration has in Arrow, if there is one, and is text otherwise.

PostgreSQL's values go over as texts, and Arrow reads them: no driver rounds or replaces one on the way.
https://arrow.apache.org/docs/python/parquet.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import IO, Any

from orm_views_core.database.rows import RowColumn
from orm_views_core.engines.postgresql.rows import RowExport

from .notes import DoesNotFitError, Notes

#: How many bytes and rows a row group has at most, about.
_SIZE, _MOST = 8 * 1024 * 1024, 100_000
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)", re.ASCII)
_DIGITS, _MORE_DIGITS = 38, 76
#: What is sent in place of a value, by the name of the type.
_SENT = {
    "timestamp with time zone": "pg_catalog.timezone('UTC', {column})",
    "bytea": "pg_catalog.encode({column}, 'hex')",
}
Reader = Callable[[list[str | None]], Any]


def write_parquet(export: RowExport, file: IO[bytes], notes: Notes) -> None:
    """Write rows as Parquet.

    Raises:
        DoesNotFitError: when values are none of the types of their columns. Nothing that was written counts
            then.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = [pa.string() if c.name in notes.as_text else _type_of(c) for c in export.columns]
    # Not from a dictionary: it would be kept for all values of the file.
    schema = pa.schema([pa.field(c.name, type_) for c, type_ in zip(export.columns, types, strict=True)])
    readers = [_reader_for(type_) for type_ in types]
    sent = {
        c.name: _SENT[c.base]
        for c, type_ in zip(export.columns, types, strict=True)
        if c.base in _SENT and type_ != pa.string()
    }

    def batch_of(rows: Iterable[tuple[str | None, ...]]) -> Any:
        arrays, unfit = [], []
        for column, reader, texts in zip(export.columns, readers, zip(*rows, strict=True), strict=True):
            try:
                arrays.append(reader(list(texts)))
            except pa.ArrowInvalid:
                unfit.append(column.name)
        if unfit:
            raise DoesNotFitError(unfit)
        return pa.record_batch(arrays, schema=schema)

    with pq.ParquetWriter(file, schema) as writer:
        group: list[Any] = []
        size = rows = 0
        for texts in export.read(sent):
            batch = batch_of(texts)
            group.append(batch)
            size, rows = size + batch.nbytes, rows + batch.num_rows
            if size >= _SIZE or rows >= _MOST:
                writer.write_table(pa.Table.from_batches(group), row_group_size=rows)
                group, size, rows = [], 0, 0
        if group:
            writer.write_table(pa.Table.from_batches(group), row_group_size=rows)


def _type_of(column: RowColumn) -> Any:
    """Return the Arrow type of a column."""
    import pyarrow as pa

    types = {
        "boolean": pa.bool_(),
        "smallint": pa.int16(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "real": pa.float32(),
        "double precision": pa.float64(),
        "date": pa.date32(),
        "timestamp without time zone": pa.timestamp("us"),
        "timestamp with time zone": pa.timestamp("us", "UTC"),
        "bytea": pa.binary(),
    }
    if column.base in types:
        return types[column.base]
    if found := _NUMERIC.fullmatch(column.type):
        precision, scale = map(int, found.groups())
        if scale <= precision <= _DIGITS:
            return pa.decimal128(precision, scale)
        if scale <= precision <= _MORE_DIGITS:
            return pa.decimal256(precision, scale)
    return pa.string()


def _reader_for(type_: Any) -> Reader:
    """Return what makes an array of a type from texts; it raises ArrowInvalid for one that does not fit."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if type_ == pa.bool_():
        return lambda texts: pc.equal(pa.array(texts, pa.string()), "t")
    if type_ == pa.binary():
        return lambda texts: pa.array([None if t is None else bytes.fromhex(t) for t in texts], type_)
    if pa.types.is_timestamp(type_):
        # Texts are in UTC, and do not say so.
        return lambda texts: pc.cast(pc.cast(pa.array(texts, pa.string()), pa.timestamp("us")), type_)
    if type_ == pa.string():
        return lambda texts: pa.array(texts, type_)
    return lambda texts: pc.cast(pa.array(texts, pa.string()), type_)
