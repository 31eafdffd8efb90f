"""Understands what the statements of a comparison return. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from orm_views_core.database.rows import Cell
from orm_views_core.engines.postgresql.rows.cells import as_cell
from orm_views_core.sentences import NOTHING, Sentence, listed, says

from .columns import Pair, in_both
from .statements import Part
from .values import SAMPLED_FROM, Change, Counts, Sample

#: A row of a statement: its place, the counts, the change, and the cells of the old and of the new row.
Row = tuple[Any, ...]


class Results(NamedTuple):
    """What a statement has found; the attributes are those of ``ComparedView``."""

    key: tuple[str, ...]
    counts: Counts
    samples: tuple[Sample, ...]


def results(
    pairs: Sequence[Pair], key: Sequence[Pair], part: Part, rows: Sequence[Row], *, counts_bytes: bool
) -> Results:
    """Return what a statement has found.

    Args:
        pairs: the columns.
        key: those that identify a row; none if rows were compared as a whole.
        part: which rows were compared.
        rows: what the statement has returned.
        counts_bytes: whether the database counts bytes as characters.
    """
    samples = [
        Sample(
            Change(change),
            _cells(old, [bool(pair.old) for pair in pairs], pairs, part, counts_bytes),
            _cells(new, [bool(pair.new) for pair in pairs], pairs, part, counts_bytes),
        )
        for _, counts, change, old, new in rows
        if counts is None
    ]
    if key:
        before, after, _joined, _without_key, added, removed, changed, *differ = _counts(rows)
        names = [pair.column.name for pair in in_both(pairs) if pair not in key]
        by_column = {name: count for name, count in zip(names, differ, strict=True) if count}
        found = Counts(before, after, added, removed, changed, by_column)
    else:
        before, after, added, removed = _counts(rows)
        found = Counts(before, after, added, removed)
    found = found.scaled(SAMPLED_FROM) if part.is_sample else found
    return Results(tuple(pair.column.name for pair in key), found, tuple(samples))


def lacks_samples(found: Results, part: Part) -> bool:
    """Return whether there are more rows that differ, and fewer samples of them than there may be."""
    counts = {
        Change.ADDED: found.counts.added,
        Change.REMOVED: found.counts.removed,
        Change.CHANGED: found.counts.changed or 0,
    }
    return any(
        sum(sample.change is change for sample in found.samples) < min(count, part.samples)
        for change, count in counts.items()
    )


def why_no_key(key: Sequence[Pair], rows: Sequence[Row]) -> Sentence:
    """Return why columns do not identify the rows; "" if they do, as far as rows of both sides meet.

    The rows that have a partner on the other side are as many as those of either side that have one, unless a
    key is there twice.

    Args:
        key: the columns.
        rows: what the statement has returned.
    """
    before, after, joined, without_key, added, removed, *_ = _counts(rows)
    columns = listed(pair.column.name for pair in key)
    if without_key:
        return says("The key (%(columns)s) is NULL in %(n)s rows", columns=columns, n=without_key)
    met = joined - added - removed
    in_old, in_new = met != after - added, met != before - removed
    if in_old and in_new:
        return says("The key (%(columns)s) is not unique in the old and the new rows", columns=columns)
    if in_old:
        return says("The key (%(columns)s) is not unique in the old rows", columns=columns)
    if in_new:
        return says("The key (%(columns)s) is not unique in the new rows", columns=columns)
    return NOTHING


def _counts(rows: Sequence[Row]) -> list[int]:
    return next(list(row[1]) for row in rows if row[1] is not None)


def _cells(
    selected: Sequence[str | None] | None,
    has: Sequence[bool],
    pairs: Sequence[Pair],
    part: Part,
    counts_bytes: bool,
) -> tuple[Cell | None, ...]:
    """Return the cells of a row; None for what it has not, and for what was not read."""
    if selected is None:
        return (None,) * len(pairs)
    return tuple(
        as_cell(text, counts_bytes=counts_bytes) if there and pair.column.name not in part.masked else None
        for text, there, pair in zip(selected, has, pairs, strict=True)
    )
