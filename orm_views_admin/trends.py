"""The last refreshes of views, and how long refreshes and syncs usually take."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from django.db import DatabaseError
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from orm_views_core.database.sync_state import SyncState
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.status import read_sync_states

from .addresses import ViewAddress
from .models import Run

#: The number of refreshes in a trend.
LAST = 10
#: Older refreshes are not read: they say little about the present duration.
_SINCE = dt.timedelta(days=90)


class Refresh(NamedTuple):
    """A finished refresh: its duration, if that is known, and its ``Run.State``."""

    seconds: float | None
    state: str


#: The last finished refreshes of a view, the oldest first.
Trend = Sequence[Refresh]


def about(address: ViewAddress) -> Q:
    """Return the condition for the runs of a view."""
    return Q(database=address.database, schema=address.name.schema, name=address.name.name)


def read_trends(address: ViewAddress | None = None) -> dict[ViewAddress, Trend]:
    """Return the trends of all views that have one, or of one view, with one query."""
    runs = Run.objects.filter(kind=Run.Kind.REFRESH, queued_at__gte=timezone.now() - _SINCE).exclude(
        state__in=Run.ACTIVE
    )
    if address is not None:
        runs = runs.filter(about(address))
    rank = Window(
        RowNumber(),
        partition_by=[F("database"), F("schema"), F("name")],
        order_by=[F("queued_at").desc(), F("pk").desc()],
    )
    last = runs.annotate(rank=rank).filter(rank__lte=LAST).order_by("-rank")
    trends: defaultdict[ViewAddress, list[Refresh]] = defaultdict(list)
    for run in last.values_list("database", "schema", "name", "seconds", "state", named=True):
        view = ViewAddress(run.database, ViewName(run.schema, run.name))
        trends[view].append(Refresh(run.seconds, run.state))
    return {**trends}


def usual_seconds(trend: Trend, state: SyncState | None = None) -> float | None:
    """Return how many seconds a refresh of a view usually takes; None if that is unknown.

    It is the median of the successful refreshes in the view's trend. Without any, it is the duration of the
    last refresh according to the view's sync state, if that is given.
    """
    known = [
        refresh.seconds
        for refresh in trend
        if refresh.state == Run.State.SUCCEEDED and refresh.seconds is not None
    ]
    if known:
        return statistics.median(known)
    return state.seconds if state else None


def usual_durations(runs: Sequence[Run]) -> dict[int, float | None]:
    """Return how many seconds runs usually take, by primary key.

    The number of queries depends on the number of databases, not on that of the runs.
    """
    addresses = {run.pk: ViewAddress(run.database, run.view_name) for run in runs if run.view_name}
    trends = read_trends()
    unknown: defaultdict[str, list[ViewName]] = defaultdict(list)
    for address in addresses.values():
        if usual_seconds(trends.get(address, ())) is None:
            unknown[address.database].append(address.name)
    states: dict[ViewAddress, SyncState] = {}
    for database, names in unknown.items():
        with suppress(OrmViewsError, DatabaseError):  # without the database, the duration stays unknown
            read = read_sync_states(database, names)
            states |= {ViewAddress(database, name): state for name, state in read.items()}
    refreshes = {pk: usual_seconds(trends.get(view, ()), states.get(view)) for pk, view in addresses.items()}
    # A request has at most one sync of each database.
    return refreshes | {run.pk: run.usual_seconds for run in runs if run.pk not in addresses}
