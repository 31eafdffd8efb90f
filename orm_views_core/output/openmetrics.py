"""Statuses as gauges, in the text that Prometheus and its node exporter read. Pure.

https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence

from orm_views_core.status.states import DatabaseStatus, ViewStatus

Sample = tuple[dict[str, str], float]
Value = Callable[[ViewStatus], float | None]


def _age(view: ViewStatus) -> float | None:
    return _seconds(view.freshness.age) if view.freshness else None


def _promised(view: ViewStatus) -> float | None:
    return _seconds(view.freshness.refresh_every) if view.freshness else None


def _overdue(view: ViewStatus) -> float | None:
    if _promised(view) is None or view.freshness is None or view.freshness.age is None:
        return None
    return _seconds(view.freshness.overdue) or 0.0


def _stale(view: ViewStatus) -> float | None:
    """Return 1 or 0; None where nobody knows how old the rows are, because no sync has recorded the view."""
    freshness = view.freshness
    if freshness is None or (freshness.populated and freshness.age is None):
        return None
    return float(freshness.is_stale)


def _seconds(time: dt.timedelta | None) -> float | None:
    return None if time is None else time.total_seconds()


def _duration(view: ViewStatus) -> float | None:
    return view.installed.state.seconds if view.installed and view.installed.state else None


#: The gauges of a view, with what their comments say. What a view has no value for is left out.
_GAUGES: Sequence[tuple[str, str, Value]] = (
    ("orm_views_age_seconds", "How old the rows of a materialised view are.", _age),
    ("orm_views_refresh_every_seconds", "How old they may get.", _promised),
    ("orm_views_overdue_seconds", "By how much they are older than that.", _overdue),
    (
        "orm_views_stale",
        "Whether they are older than that, or should be there and are not.",
        _stale,
    ),
    ("orm_views_refresh_duration_seconds", "How long the last refresh took.", _duration),
    (
        "orm_views_rows",
        "How many rows there are, as the planner estimates.",
        lambda view: view.installed.rows if view.installed else None,
    ),
    (
        "orm_views_size_bytes",
        "Bytes on disk, indexes included.",
        lambda view: view.installed.size if view.installed else None,
    ),
    (
        "orm_views_changed_rows",
        "A hint: how many rows of what it reads have changed since, as PostgreSQL's statistics have it.",
        lambda view: view.freshness.changed_rows if view.freshness else None,
    ),
)


def openmetrics(databases: Sequence[DatabaseStatus]) -> Iterator[str]:
    """Yield the lines: how every view stands, and the gauges of each."""
    up = [({"database": found.database}, float(found.error is None)) for found in databases]
    yield from _family("orm_views_up", "Whether the database answers.", up)
    views = [(found.database, view) for found in databases for view in found.views if view.name]
    states = [(_labels(alias, view, state=view.state.value), 1.0) for alias, view in views]
    yield from _family("orm_views_state", "How a view stands: 1 for the state that it has.", states)
    for name, comment, value_of in _GAUGES:
        found = ((_labels(alias, view), value_of(view)) for alias, view in views)
        yield from _family(name, comment, [(labels, value) for labels, value in found if value is not None])
    yield "# EOF"


def _labels(database: str, view: ViewStatus, **more: str) -> dict[str, str]:
    return {"database": database, "view": str(view.name), **more}


def _family(name: str, comment: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# TYPE {name} gauge"
    yield f"# HELP {name} {comment}"
    said: set[str] = set()
    for labels, value in samples:
        series = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        if series in said:
            continue  # two classes claim one name, and twice the same would make all of it invalid
        said.add(series)
        yield f"{name}{{{series}}} {value:.15g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
