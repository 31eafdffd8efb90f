"""Refreshes as text and as JSON, for the commands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from orm_views_core.refresh.freshness import Freshness, in_seconds, in_words
from orm_views_core.refresh.planner import PlannedRefresh
from orm_views_core.refresh.results import RefreshResult, why_unfilled
from orm_views_core.status.states import DatabaseStatus


def refresh_as_dict(result: RefreshResult) -> dict[str, Any]:
    """Return the result of a refresh as a JSON object."""
    return {
        "database": result.database,
        "view": str(result.name),
        "class": result.label or None,
        "outcome": result.outcome.value,
        "error": str(result.error) if result.error else None,
        "unrecorded": result.unrecorded or None,
        "concurrently": result.concurrently,
        "why_not": result.why_not or None,
        "started": result.started.isoformat() if result.started else None,
        "finished": result.finished.isoformat() if result.finished else None,
        "missed_seconds": in_seconds(result.missed),
        "seconds": round(result.seconds, 3),
        "waited_seconds": round(result.waited, 3),
        "rows_before": result.rows_before,
        "rows_after": result.rows_after,
        "rows_exact": result.rows_exact,
        "size_bytes_before": result.size_before,
        "size_bytes_after": result.size_after,
    }


def planned_refresh_as_dict(step: PlannedRefresh) -> dict[str, Any]:
    """Return a planned refresh as a JSON object."""
    return {
        "database": step.definition.database,
        "view": str(step.definition.name),
        "class": step.definition.label,
        "installed": step.installed is not None,
        "concurrently": step.concurrently,
        "why_not": step.why_not or None,
        "waits_for": sorted(map(str, step.waits_for)),
        "last_seconds": step.seconds,
        "no_rows": sorted(map(str, step.no_rows)),
        "refused": step.refused or None,
    }


def who_waits(concurrently: bool, why_not: str) -> str:
    """Return “concurrently”, or that readers wait, and why."""
    if concurrently:
        return "concurrently"
    return f"readers wait: {why_not}" if why_not else "readers wait, as requested"


def how_refreshed(result: RefreshResult, *, details: bool = False) -> tuple[str, str]:
    """Return the outcome of a refresh as one word, and the rest of its line.

    Args:
        details: also the number of rows, and the size in bytes.
    """
    if not result.ok:
        return result.outcome.value, ""
    parts = [f"{result.seconds:.3f}s"]
    if result.joined and result.started is not None:
        moment = f"{result.started:%Y-%m-%d %H:%M:%S} UTC"
        parts = [f"coalesced with a refresh that was already running; rows as of {moment}"]
        if missed := result.missed:
            parts.append(f"{missed.total_seconds():.3f}s before this request")
    if result.unrecorded:
        parts.append(result.unrecorded)
    if details and result.rows_after is not None:
        about = "" if result.rows_exact else "about "
        parts.append(f"{about}{result.rows_after} rows")
    if details and result.size_after is not None:
        parts.append(f"{result.size_after} bytes")
    return "joined" if result.joined else "OK", f" ({', '.join(parts)})"


def refresh_plan_lines(planned: Iterable[PlannedRefresh]) -> Iterator[str]:
    """Yield a numbered line for each planned refresh: the view, whether readers wait, and what it follows."""
    for number, step in enumerate(planned, 1):
        usual = "" if step.seconds is None else f"; the last time it took {step.seconds:g} s"
        after = f"; after {', '.join(map(str, sorted(step.waits_for)))}" if step.waits_for else ""
        how = who_waits(step.concurrently, step.why_not) if step.installed else "missing: sync it first"
        if step.installed and step.no_rows:
            how = f"cannot be refreshed: {why_unfilled(step.no_rows)}"
        if step.installed and step.refused:
            how = f"cannot be refreshed: {step.refused.rstrip('.')}"
        yield f"  {number}. {step.definition.name} ({how}{usual}{after})"


def stale_views(databases: Iterable[DatabaseStatus]) -> list[str]:
    """Return the names of the stale views, each with by how much its rows are older than promised."""
    ages = [(view.name, view.freshness) for database in databases for view in database.views]
    return [f"{name} ({_overdue(freshness)})" for name, freshness in ages if freshness and freshness.is_stale]


def _overdue(freshness: Freshness) -> str:
    overdue = freshness.overdue
    return "no rows yet" if overdue is None else f"{in_words(overdue)} older than promised"
