"""The last runs of views, and how long refreshes and syncs usually take."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from django.db import DatabaseError
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from orm_views_core.database.sync_state import SyncState
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.status import read_sync_states

from .addresses import ViewAddress, by_database
from .models import Run, Target

#: The number of runs in a trend.
LAST = 10
#: Older runs are not read: they say little about the present duration.
_SINCE = dt.timedelta(days=90)


class EndedRun(NamedTuple):
    """A run that has ended: its duration, if that is known, and its ``Run.State``."""

    seconds: float | None
    state: str


#: The last ended runs of a view, the oldest first.
Trend = Sequence[EndedRun]


def about(address: ViewAddress) -> Q:
    """Return the condition for the runs of a view."""
    return Q(database=address.database, schema=address.name.schema, name=address.name.name)


def read_trends(addresses: Collection[ViewAddress] | None = None) -> dict[ViewAddress, Trend]:
    """Return the refreshes of some views that have any, or of all views, with one query."""
    if addresses is not None and not addresses:
        return {}
    runs, wanted = Run.objects.filter(kind=Run.Kind.REFRESH), Q()
    for database, names in by_database(addresses or ()).items():
        same = Q(database=database, schema__in={n.schema for n in names}, name__in={n.name for n in names})
        wanted |= same
    trends = _read_last(runs.filter(wanted))
    return {ViewAddress(t.database, ViewName(t.schema, t.name)): trend for t, trend in trends.items()}


def _read_last(runs: QuerySet[Run]) -> dict[Target, list[EndedRun]]:
    rank = Window(
        RowNumber(),
        partition_by=[F("database"), F("schema"), F("name")],
        order_by=[F("queued_at").desc(), F("pk").desc()],
    )
    ended = runs.filter(queued_at__gte=timezone.now() - _SINCE).exclude(state__in=Run.ACTIVE)
    last = ended.annotate(rank=rank).filter(rank__lte=LAST).order_by("-rank")
    trends: defaultdict[Target, list[EndedRun]] = defaultdict(list)
    for run in last.values_list("database", "schema", "name", "seconds", "state", named=True):
        trends[Target(run.database, run.schema, run.name)].append(EndedRun(run.seconds, run.state))
    return {**trends}


def usual_seconds(trend: Trend, state: SyncState | None = None) -> float | None:
    """Return how many seconds a run usually takes; None if that is unknown.

    It is the median of the successful runs of a trend. Without any, it is the duration of the last refresh
    according to the view's sync state, if that is given.
    """
    known = [run.seconds for run in trend if run.state == Run.State.SUCCEEDED and run.seconds is not None]
    if known:
        return statistics.median(known)
    return state.seconds if state else None


def usual_durations(runs: Iterable[Run]) -> dict[Target, float]:
    """Return how many seconds runs usually take, by target; without those whose duration is unknown.

    The number of queries depends on the number of databases, not on that of the runs.
    """
    targets = {run.target for run in runs}
    same = Q(
        database__in={target.database for target in targets}, name__in={target.name for target in targets}
    )
    trends = _read_last(Run.objects.filter(same))
    unknown = [
        ViewAddress(target.database, ViewName(target.schema, target.name))
        for target in targets
        if target.name and usual_seconds(trends.get(target, ())) is None
    ]
    states: dict[Target, SyncState] = {}
    for database, views in by_database(unknown).items():
        with suppress(OrmViewsError, DatabaseError):  # without the database, the duration stays unknown
            read = read_sync_states(database, views)
            states |= {Target(database, *name): state for name, state in read.items()}
    usual = {target: usual_seconds(trends.get(target, ()), states.get(target)) for target in targets}
    return {target: seconds for target, seconds in usual.items() if seconds is not None}
