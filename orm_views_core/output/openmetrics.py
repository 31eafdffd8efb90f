"""Statuses as gauges in the OpenMetrics text format, for Prometheus and its node exporter. Pure.

https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

from orm_views_core.status.states import DatabaseStatus, ViewStatus

#: The gauges of a view, and their help texts. A gauge without a value is left out.
_HELP = {
    "orm_views_age_seconds": "The age of the rows of a materialised view.",
    "orm_views_refresh_every_seconds": "The age that the rows may have.",
    "orm_views_overdue_seconds": "By how much the rows are older than they may be.",
    "orm_views_stale": "Whether a refresh is due: the rows are older than they may be, or are missing.",
    "orm_views_refresh_duration_seconds": "How long the last refresh took.",
    "orm_views_rows": "The number of rows, an estimate of the planner.",
    "orm_views_size_bytes": "The size on disk, with indexes.",
    "orm_views_changed_rows": "A hint: how many rows of what it reads have changed since its last refresh.",
}


def openmetrics(databases: Sequence[DatabaseStatus]) -> Iterator[str]:
    """Yield the lines: whether each database answers, the state of every view, and the view's gauges."""
    up = [({"database": status.database}, float(status.error is None)) for status in databases]
    yield from _family("orm_views_up", "Whether the database answers.", up)
    views = [
        ({"database": status.database, "view": str(view.name)}, view)
        for status in databases
        for view in status.views
        if view.name
    ]
    states = [({**labels, "state": view.state.value}, 1.0) for labels, view in views]
    yield from _family("orm_views_state", "The state of a view: 1 for the state that it has.", states)
    gauges = [(labels, _gauges(view)) for labels, view in views]
    for name, help_text in _HELP.items():
        samples = [(labels, values.get(name)) for labels, values in gauges]
        yield from _family(name, help_text, samples)
    yield "# EOF"


def _gauges(view: ViewStatus) -> Mapping[str, float | None]:
    values: dict[str, float | None] = {}
    if installed := view.installed:
        values["orm_views_refresh_duration_seconds"] = installed.usual_seconds
        values["orm_views_rows"] = installed.rows
        values["orm_views_size_bytes"] = installed.size
    if fresh := view.freshness:
        age, promised = _seconds(fresh.age), _seconds(fresh.refresh_every)
        has_both = age is not None and promised is not None
        values["orm_views_age_seconds"] = age
        values["orm_views_refresh_every_seconds"] = promised
        values["orm_views_overdue_seconds"] = (_seconds(fresh.overdue) or 0.0) if has_both else None
        # Nobody knows the age of rows that no sync or refresh has recorded.
        values["orm_views_stale"] = None if fresh.populated and age is None else float(fresh.is_stale)
        values["orm_views_changed_rows"] = fresh.changed_rows
    return values


def _seconds(time: dt.timedelta | None) -> float | None:
    return None if time is None else time.total_seconds()


def _family(
    name: str, help_text: str, samples: Iterable[tuple[Mapping[str, str], float | None]]
) -> Iterator[str]:
    yield f"# TYPE {name} gauge"
    yield f"# HELP {name} {help_text}"
    written: set[str] = set()
    for labels, value in samples:
        series = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        # Two classes may claim one name. A series that occurs twice would make the whole text invalid.
        if value is not None and series not in written:
            written.add(series)
            yield f"{name}{{{series}}} {value:.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
