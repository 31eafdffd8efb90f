"""What a plan does to the rows of views, as text and as JSON, for the commands. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from orm_views_core.comparison import Action, Change, ComparedView, Comparison, Sample
from orm_views_core.database.rows import Cell
from orm_views_core.names import printable

from .meanings import listed

_SIGNS = {Action.CHANGED: "~", Action.NEW: "+", Action.DROPPED: "-", Action.SAME: "="}
_ROW_SIGNS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}
_FEW = 3  # samples of each change
_LONGEST = 40  # characters of a value
_WIDEST = 12  # columns of a row
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def comparison_lines(
    comparison: Comparison, *, every: bool = False, now: dt.datetime | None = None
) -> Iterator[str]:
    """Yield the lines of a comparison: what happens to the rows of each view, and samples of them.

    Args:
        every: whether to show all samples, and all columns of them.
        now: the present time, for the age of stored rows.
    """
    yield f"Rows in database '{comparison.database}', compared in {comparison.seconds:.1f} s:"
    if not comparison.views:
        yield "  No view gets other rows."
    for view in comparison.views:
        yield f"  {'!' if view.why_not else _SIGNS[view.action]} {view.name}: {sentence(view)}"
        notes = [*_notes(view, now or dt.datetime.now(dt.timezone.utc)), *_samples(view, every)]
        yield from (f"      {line}" for line in notes)


def sentence(view: ComparedView) -> str:
    """Return what happens to the rows of a view, in one sentence without a full stop."""
    if view.why_not or view.counts is None:
        return f"not compared. {printable(view.why_not)}"
    counts, about = view.counts, "≈ " if view.is_estimate else ""
    if view.action is Action.NEW:
        return f"new, {_rows(counts.new)}"
    if view.action is Action.DROPPED:
        return f"dropped, with all of its {_rows(counts.old)}"
    if not counts.differ:
        return f"no row differs, of {about}{_rows(counts.new)}"
    parts = []
    if counts.added:
        parts.append(f"{about}{_rows(counts.added)} added")
    if counts.removed:
        parts.append(
            f"{about}{counts.removed:,} removed" if parts else f"{about}{_rows(counts.removed)} removed"
        )
    if counts.changed:
        parts.append(f"{about}{counts.changed:,} of {about}{_rows(counts.old)} changed")
    columns = [f"{printable(name)} in {about}{count:,}" for name, count in counts.by_column.items()]
    return ", ".join(parts) + (f": {', '.join(columns)}" if columns else "")


def _notes(view: ComparedView, now: dt.datetime) -> Iterator[str]:
    changes = [
        *(f"{printable(c.name)} is new" for c in view.added_columns),
        *(f"{printable(c.name)} goes" for c in view.removed_columns),
        *(f"{printable(c.name)} {_type(c.old)} → {_type(c.new)}" for c in view.retyped_columns),
    ]
    if changes:
        yield f"columns: {', '.join(changes)}"
    if view.counts is None or view.action in (Action.NEW, Action.DROPPED):
        return
    if view.key:
        yield f"rows with the same {listed([printable(column) for column in view.key])} are compared"
    else:
        because = f", because this is no key: {printable(view.why_no_key)}" if view.why_no_key else ""
        yield f"rows are compared as a whole{because}"
    if view.is_estimate:
        yield "≈ by 1 % of the rows, because all of them take too long"
    if by_text := [printable(column.name) for column in view.columns if column.by_text]:
        yield f"compared by text: {listed(by_text)}"
    if view.stored:
        age = _age(now - view.refreshed) if view.refreshed else "of unknown age"
        yield f"with the stored rows, which are {age}"
    if view.unrepeatable:
        names = listed([printable(column) for column in view.unrepeatable])
        yield f"NOT REPEATABLE: {names}. Computed twice, the new definition gives other values there."
    elif view.repeats is None:
        yield "whether the new definition gives the same rows each time could not be found out in time"
    elif view.action is Action.SAME:
        yield "compared with itself: the definition stays as it is, and gives the same rows each time"


def _samples(view: ComparedView, every: bool) -> Iterator[str]:
    for change in Change:
        found = [sample for sample in view.samples if sample.change is change]
        for sample in found if every else found[:_FEW]:
            yield f"{_ROW_SIGNS[change]} {_row(view, sample, every)}"
        if not every and len(found) > _FEW:
            yield f"{_ROW_SIGNS[change]} … -v 2 shows {len(found)}"


def _row(view: ComparedView, sample: Sample, every: bool) -> str:
    parts = []
    for n, column in enumerate(view.columns):
        old, new, name = sample.old[n], sample.new[n], printable(column.name)
        if sample.change is not Change.CHANGED:
            has = column.new if sample.change is Change.ADDED else column.old
            if has is not None:
                parts.append(f"{name}={_value(new if sample.change is Change.ADDED else old)}")
        elif column.name in view.key:
            parts.append(f"{name}={_value(new)}")
        elif column.in_both and old != new:
            parts.append(f"{name}: {_value(old)} → {_value(new)}")
        elif column.name in view.masked and column.name in (view.counts.by_column if view.counts else {}):
            parts.append(f"{name}: {_value(None)}")
    shown = parts if every else parts[:_WIDEST]
    return ", ".join([*shown, *(["…"] if len(shown) < len(parts) else [])])


def _value(cell: Cell | None) -> str:
    if cell is None:
        return "(masked)"
    if cell.text is None:
        return "NULL"
    text = cell.text[:_LONGEST]
    return printable(text) + ("…" if len(text) < cell.length else "") if text else "''"


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _type(column: Any) -> str:
    return printable(f"{column.type}{f' COLLATE {column.collation}' if column.collation else ''}")


def _age(age: dt.timedelta) -> str:
    for seconds, unit in _UNITS:
        if (count := int(age.total_seconds() // seconds)) > 0:
            return f"{count} {unit}{'' if count == 1 else 's'} old"
    return "of this moment"


def comparison_as_dict(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as a JSON object."""
    return {
        "seconds": round(comparison.seconds, 3),
        "views": [_view_as_dict(view) for view in comparison.views],
    }


def _view_as_dict(view: ComparedView) -> dict[str, Any]:
    counts = view.counts
    return {
        "view": str(view.name),
        "action": view.action.value,
        "why_not": view.why_not or None,
        "is_estimate": view.is_estimate,
        "key": list(view.key),
        "why_no_key": view.why_no_key or None,
        "old_rows": counts.old if counts else None,
        "new_rows": counts.new if counts else None,
        "added": counts.added if counts else None,
        "removed": counts.removed if counts else None,
        "changed": counts.changed if counts else None,
        "changed_by_column": dict(counts.by_column) if counts else {},
        "columns": [
            {
                "name": column.name,
                "old_type": column.old.type if column.old else None,
                "new_type": column.new.type if column.new else None,
                "by_text": column.by_text,
                "masked": column.name in view.masked,
            }
            for column in view.columns
        ],
        "not_repeatable": list(view.unrepeatable),
        "repeats": view.repeats,
        "stored": view.stored,
        "refreshed": view.refreshed.isoformat() if view.refreshed else None,
        "samples": [
            {
                "change": sample.change.value,
                "old": _texts(view, sample.old) if sample.change is not Change.ADDED else None,
                "new": _texts(view, sample.new) if sample.change is not Change.REMOVED else None,
            }
            for sample in view.samples
        ],
        "seconds": round(view.seconds, 3),
    }


def _texts(view: ComparedView, cells: tuple[Cell | None, ...]) -> dict[str, str | None]:
    """Return the texts of the cells that were read, by column."""
    pairs = zip(view.columns, cells, strict=True)
    return {column.name: cell.text for column, cell in pairs if cell is not None}
