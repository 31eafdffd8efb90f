"""The last runs of views, and how long refreshes and syncs usually take.

Like is compared with like: a refresh with refreshes of the same view that went the same way, a step of a sync
with the same step of earlier syncs.
"""

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
from orm_views_core.plan.steps import Action
from orm_views_core.status import read_sync_states

from .addresses import ViewAddress, by_database
from .models import Run, RunStep, StepState, Target

#: The number of runs in a trend.
LAST = 10
#: Older runs are not read: they say little about the present duration.
_SINCE = dt.timedelta(days=90)
#: The number of syncs of a database that are looked through for the steps of another one.
_SYNCS = 20
#: The steps that may take long. Of a sync with a new one of them nobody knows how long it takes.
_BUILDS = {action.value for action in (Action.CREATE, Action.REBUILD, Action.INDEX)}


class EndedRun(NamedTuple):
    """A run that has ended.

    Attributes:
        seconds: its duration; None if that is unknown.
        state: its ``Run.State``.
        concurrently: whether readers could go on reading; None if that was not recorded.
    """

    seconds: float | None
    state: str
    concurrently: bool | None = None


#: The last ended runs of a view, the oldest first.
Trend = Sequence[EndedRun]


def about(address: ViewAddress) -> Q:
    """Return the condition for the runs of a view."""
    return Q(database=address.database, schema=address.name.schema, name=address.name.name)


def read_trends(
    addresses: Collection[ViewAddress] | None = None, *, without: Collection[int] = ()
) -> dict[ViewAddress, Trend]:
    """Return the refreshes of some views that have any, or of all views, with one query.

    Args:
        addresses: the views; all when None.
        without: the primary keys of runs to leave out.
    """
    if addresses is not None and not addresses:
        return {}
    runs, wanted = Run.objects.filter(kind=Run.Kind.REFRESH).exclude(pk__in=without), Q()
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
    for database, schema, name, *facts in last.values_list("database", "schema", "name", *EndedRun._fields):
        trends[Target(database, schema, name)].append(EndedRun(*facts))
    return {**trends}


def usual_seconds(
    trend: Trend, state: SyncState | None = None, *, concurrently: bool | None = None
) -> float | None:
    """Return how many seconds a refresh usually takes; None if that is unknown.

    It is the median of the successful refreshes of a trend that went the same way. Without any successful
    ones, it is the duration of the last refresh according to the view's sync state, if that is given.

    Args:
        trend: the last refreshes of the view.
        state: its sync state.
        concurrently: whether readers go on reading; None for as at the last successful refresh.
    """
    known = [run for run in trend if run.state == Run.State.SUCCEEDED and run.seconds is not None]
    if not known:
        return state.seconds if state else None
    wanted = known[-1].concurrently if concurrently is None else concurrently
    alike = [run.seconds for run in known if run.seconds is not None and run.concurrently in (wanted, None)]
    return statistics.median(alike) if alike else None


def usual_durations(runs: Iterable[Run]) -> dict[int, float]:
    """Return how many seconds runs usually take, by their primary keys; without those of which it is unknown.

    No run is compared with itself. The number of queries depends on that of the databases, not of the runs.
    """
    found = list(runs)
    syncs = [run for run in found if run.kind == Run.Kind.SYNC and run.steps]
    refreshes = [run for run in found if run.kind == Run.Kind.REFRESH]
    past = _read_syncs({run.database for run in syncs})
    usual = {run.pk: _usual_sync(run, past.get(run.database, ())) for run in syncs}
    usual |= _usual_refreshes(refreshes)
    return {pk: seconds for pk, seconds in usual.items() if seconds is not None}


def _usual_refreshes(runs: Collection[Run]) -> dict[int, float | None]:
    addresses = {run.pk: ViewAddress(run.database, ViewName(run.schema, run.name)) for run in runs}
    trends = read_trends(set(addresses.values()), without=[run.pk for run in runs])
    # The sync state of a view has the duration of its last refresh, which may be a run that has ended.
    waiting = {addresses[run.pk] for run in runs if run.is_active}
    unknown = {address for address in waiting if usual_seconds(trends.get(address, ())) is None}
    states: dict[ViewAddress, SyncState] = {}
    for database, views in by_database(unknown).items():
        with suppress(OrmViewsError, DatabaseError):  # without the database, the duration stays unknown
            read = read_sync_states(database, views)
            states |= {ViewAddress(database, name): state for name, state in read.items()}
    return {
        run.pk: usual_seconds(trends.get(at, ()), states.get(at), concurrently=run.concurrently)
        for run, at in zip(runs, addresses.values(), strict=True)
    }


#: What a step does, and what it changes.
StepKey = tuple[str, str]


class _PastSync(NamedTuple):
    pk: int
    seconds: float | None
    steps: list[RunStep]


def _read_syncs(databases: Collection[str]) -> dict[str, list[_PastSync]]:
    """Return the last successful syncs of some databases, with one query."""
    if not databases:
        return {}
    rank = Window(RowNumber(), partition_by=[F("database")], order_by=[F("queued_at").desc(), F("pk").desc()])
    done = Run.objects.filter(kind=Run.Kind.SYNC, state=Run.State.SUCCEEDED, database__in=databases)
    recent = done.filter(queued_at__gte=timezone.now() - _SINCE).exclude(steps=[])
    syncs: defaultdict[str, list[_PastSync]] = defaultdict(list)
    for database, *facts in (
        recent.annotate(rank=rank).filter(rank__lte=_SYNCS).values_list("database", "pk", "seconds", "steps")
    ):
        syncs[database].append(_PastSync(*facts))
    return {**syncs}


def usual_steps(databases: Collection[str]) -> dict[str, dict[StepKey, float]]:
    """Return how many seconds the steps of earlier syncs usually took, by database, with one query."""
    return {database: _usual_steps(past) for database, past in _read_syncs(databases).items()}


def _usual_steps(past: Iterable[_PastSync]) -> dict[StepKey, float]:
    seconds: defaultdict[StepKey, list[float]] = defaultdict(list)
    for sync in past:
        for step in sync.steps:
            if step.get("state") == StepState.DONE:
                # What was sent together with other steps has no duration, and takes next to no time.
                seconds[_key(step)].append(step.get("seconds") or 0.0)
    return {key: statistics.median(each) for key, each in seconds.items()}


def _key(step: RunStep) -> StepKey:
    return step.get("action", ""), step.get("target", "")


def _usual_sync(run: Run, past: Iterable[_PastSync]) -> float | None:
    """Return how many seconds a sync usually takes: as one that did the same, or as its steps together."""
    others, keys = [sync for sync in past if sync.pk != run.pk], {_key(step) for step in run.steps}
    same = [
        sync.seconds
        for sync in others
        if sync.seconds is not None and {_key(step) for step in sync.steps} == keys
    ]
    if same:
        return statistics.median(same)
    known = _usual_steps(others)
    if any(action in _BUILDS for action, _ in keys - known.keys()):
        return None
    # Those that build nothing alone do not tell how long it takes to plan and to wait for locks.
    return sum(known.get(key, 0.0) for key in keys if key[0] in _BUILDS) or None
