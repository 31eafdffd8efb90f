"""TODO."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orm_views_core.refresh.freshness import in_seconds
from orm_views_core.status.states import DatabaseStatus, State, ViewStatus


def status_matches(view: ViewStatus, text: str) -> bool:
    """Say whether people mean this view by a name or a label."""
    return text == view.label or (view.name is not None and text in {str(view.name), view.name.name})


def status_table(database: DatabaseStatus) -> Iterator[tuple[State | None, str]]:
    """Yield a line for each view, as ``showmigrations`` does for migrations, with its state for styling."""
    if database.error:
        yield State.INVALID, f"  {database.error}"
        return
    if not database.views:
        yield None, "  (no views)"
    rows = [
        (view.state.value, str(view.name or "?"), view.kind.label if view.kind else "", view.label)
        for view in database.views
    ]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(4)]
    for cells, view in zip(rows, database.views, strict=True):
        mark = "[X]" if view.state is State.SYNCED else "[-]" if view.state is State.UNMANAGED else "[ ]"
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        why = "" if view.state is State.SYNCED else f"  {view.reason} {view.advice}".rstrip()
        yield view.state, f" {mark} {line.rstrip() if not why else line}{why}"


def status_as_dict(database: DatabaseStatus) -> dict[str, Any]:
    """Return a database's views as JSON has them."""
    return {
        "database": database.database,
        "error": str(database.error) if database.error else None,
        "views": [_view_as_dict(view) for view in database.views],
    }


def _view_as_dict(view: ViewStatus) -> dict[str, Any]:
    installed, state = view.installed, view.installed.state if view.installed else None
    return {
        "view": str(view.name) if view.name else None,
        "class": view.label or None,
        "source": str(view.definition.source) if view.definition and view.definition.source else None,
        "kind": view.kind.label if view.kind else None,
        "readable": bool(view.definition and view.definition.is_readable),
        "hidden": bool(view.definition and view.definition.hidden),
        "state": view.state.value,
        "reason": view.reason,
        "advice": view.advice,
        "size_bytes": installed.size if installed else None,
        "synced": state.synced.isoformat() if state else None,
        "refreshed": state.refreshed.isoformat() if state and state.refreshed else None,
        "seconds": state.seconds if state else None,
        "why_not_concurrently": view.why_not_concurrently or None,
        "freshness": _freshness_as_dict(view),
    }


def _freshness_as_dict(view: ViewStatus) -> dict[str, Any] | None:
    fresh = view.freshness
    if fresh is None:
        return None
    return {
        "refresh_every_seconds": in_seconds(fresh.refresh_every),
        "age_seconds": in_seconds(fresh.age),
        "stale": fresh.is_stale,
        "overdue_seconds": in_seconds(fresh.overdue),
        "changed_rows_hint": fresh.changed_rows,
    }
