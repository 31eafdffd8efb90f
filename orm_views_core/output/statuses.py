"""Statuses of views as text and as JSON, for the commands. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orm_views_core.definitions.definition import SkippedView
from orm_views_core.refresh.freshness import Freshness, in_seconds
from orm_views_core.status.states import Condition, DatabaseStatus, State, ViewStatus


def status_matches(view: ViewStatus, text: str) -> bool:
    """Return whether a text is the view's name, its name with the schema, or its class's label."""
    return text == view.label or (view.name is not None and text in {str(view.name), view.name.name})


def status_table(database: DatabaseStatus) -> Iterator[tuple[State | None, str]]:
    """Yield a line for each view in the style of ``showmigrations``, and the state that colours the line."""
    if database.error:
        yield State.UNREADABLE, f"  {database.error}"
        return
    if not (database.views or database.skipped):
        yield None, "  (no views)"
    rows = [
        (view.state.value, str(view.name or "?"), view.kind.label if view.kind else "", view.label)
        for view in database.views
    ]
    skipped = [("skipped", str(v.name or "?"), v.kind.label, v.label) for v in database.skipped]
    widths = [max(map(len, column)) for column in zip(*rows, *skipped, strict=True)]
    for cells, view in zip(rows, database.views, strict=True):
        is_synced = view.state is State.SYNCED
        mark = "[X]" if is_synced else "[ ]" if view.state.needs_attention else "[-]"
        line = _in_columns(cells, widths)
        why = "" if is_synced else " ".join(_sentences(view.conditions))
        yield view.state, f" {mark} {line}  {why}".rstrip()
    for cells, left_out in zip(skipped, database.skipped, strict=True):
        yield None, f" [-] {_in_columns(cells, widths)}  {left_out.reason}"


def _in_columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))


def _sentences(conditions: Sequence[Condition]) -> Iterator[str]:
    """Yield why a view has its state, and what to do; then the same of each other state that it is in."""
    for number, condition in enumerate(conditions):
        also = f"Also {condition.state.value}: " if number else ""
        yield f"{also}{condition.reason} {condition.advice}".rstrip()


def status_as_dict(database: DatabaseStatus) -> dict[str, Any]:
    """Return the statuses of a database's views as a JSON object."""
    return {
        "database": database.database,
        "error": str(database.error) if database.error else None,
        "views": [_view_as_dict(view) for view in database.views],
        "skipped": skipped_as_list(database.skipped),
    }


def skipped_as_list(views: Sequence[SkippedView]) -> list[dict[str, Any]]:
    """Return the views that are skipped, because their classes are for other engines, for a JSON object."""
    return [
        {
            "view": str(view.name) if view.name else None,
            "class": view.label,
            "kind": view.kind.label,
            "reason": view.reason,
        }
        for view in views
    ]


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
        "also": [_condition_as_dict(condition) for condition in view.conditions[1:]],
        "size_bytes": installed.size if installed else None,
        "synced": state.synced.isoformat() if state else None,
        "refreshed": state.refreshed.isoformat() if state and state.refreshed else None,
        "seconds": state.seconds if state else None,
        "why_not_concurrently": view.why_not_concurrently or None,
        "freshness": _freshness_as_dict(view.freshness) if view.freshness else None,
    }


def _condition_as_dict(condition: Condition) -> dict[str, str]:
    return {"state": condition.state.value, "reason": condition.reason, "advice": condition.advice}


def _freshness_as_dict(fresh: Freshness) -> dict[str, Any]:
    return {
        "refresh_every_seconds": in_seconds(fresh.refresh_every),
        "age_seconds": in_seconds(fresh.age),
        "stale": fresh.is_stale,
        "overdue_seconds": in_seconds(fresh.overdue),
        "changed_rows_hint": fresh.changed_rows,
    }
