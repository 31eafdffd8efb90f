"""What runs tell about views and databases: refreshes or syncs failed or were lost, or a refresh waits."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Count, Max, Min, OuterRef, Q, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.datetimes import to_field
from orm_views_admin.disclosure import run_error_for, without_unseen
from orm_views_admin.models import Run
from orm_views_admin.standings import RunState, Standing
from orm_views_admin.ui.wording import exact, number
from orm_views_core.names import ViewName
from orm_views_core.sentences import translate
from orm_views_core.status import ViewStatus

_STATES = {Run.State.FAILED: RunState.FAILED, Run.State.LOST: RunState.LOST}
_VIEW = ("database", "schema", "name")


class Troubles(NamedTuple):
    """What runs tell.

    Attributes:
        views: the states that views are in because of their refreshes. Other views are left out.
        syncs: likewise, of databases because of their syncs, by alias.
    """

    views: Mapping[ViewAddress, Sequence[Standing]]
    syncs: Mapping[str, Sequence[Standing]]


class _Failures(NamedTuple):
    """The refreshes of a view, or the syncs of a database, that ended in one way since the last success.

    Attributes:
        address: the view; one without a name stands for the database.
        state: :attr:`Run.State.FAILED` or :attr:`Run.State.LOST`.
        times: how many they are.
        first: when the first of them was asked for, as model fields store it.
        run: the primary key of the last one.
    """

    address: ViewAddress
    state: str
    times: int
    first: dt.datetime
    run: int


def read_troubles(
    statuses: Collection[ViewStatus], active: Iterable[Run], user: Any, *, wanted: Q | None = None
) -> Troubles:
    """Return what runs tell of some views, and of databases.

    The number of queries does not depend on the number of views.

    Args:
        statuses: those of the views.
        active: the runs that have not ended.
        user: who reads the page. It decides how much is said of errors.
        wanted: a condition for the runs that matter; None if all do.
    """
    found: defaultdict[ViewAddress, list[Standing]] = defaultdict(list)
    views = {ViewAddress(each.database, each.name): each for each in statuses if each.name}
    failures = _since_success(views, wanted or Q())
    runs = Run.objects.in_bulk([each.run for each in failures]) if failures else {}
    syncs: defaultdict[str, list[Standing]] = defaultdict(list)
    for each in failures:
        if (run := runs.get(each.run)) is None:
            continue  # it has been pruned just now
        if each.address.name.name:
            found[each.address].append(_failed(each, run, user))
        else:
            syncs[each.address.database].append(_failed_sync(each, run, user))
    for run in active:
        if run.kind == Run.Kind.EXPORT:
            continue
        address = ViewAddress.of(run)
        if address in views and (why := without_unseen(user, _why_it_waits(run), run.database)):
            found[address].append(Standing(RunState.WAITING, why, request=str(run.request)))
    return Troubles(found, syncs)


def _since_success(views: Mapping[ViewAddress, ViewStatus], wanted: Q) -> list[_Failures]:
    """Return the failures of some views, and of syncs, since the last success.

    First the last success of each target is looked up once, and then what failed after it is counted. To ask
    of each failure whether a success came later would take the square of their number.
    """
    failed = Run.objects.without_exports().filter(wanted, state__in=tuple(_STATES)).order_by()
    last_of_each = failed.values("kind", *_VIEW).annotate(last=Max("pk")).values("last")
    same = {field: OuterRef(field) for field in ("kind", *_VIEW)}
    succeeded = Run.objects.filter(state__in=(Run.State.SUCCEEDED, Run.State.JOINED), **same)
    success = Subquery(succeeded.order_by("-queued_at").values("queued_at")[:1])
    targets = Run.objects.filter(pk__in=last_of_each).annotate(success=success)
    after = Q()
    for kind, database, schema, name, at in targets.values_list("kind", *_VIEW, "success"):
        status = views.get(ViewAddress(database, ViewName(schema, name)))
        if kind == Run.Kind.REFRESH and (status is None or not status.can_refresh):
            continue
        # A refresh or a sync that wrote no run may have succeeded since.
        known = [time for time in (at, _refreshed(status) if status else None) if time]
        since = Q(queued_at__gt=max(known)) if known else Q()
        after |= Q(kind=kind, database=database, schema=schema, name=name) & since
    if not after:
        return []
    counts = failed.filter(after).values_list(*_VIEW, "state")
    measures = (Count("pk"), Min("queued_at"), Max("pk"))
    return [
        _Failures(ViewAddress(database, ViewName(schema, name)), *facts)
        for database, schema, name, *facts in counts.annotate(*measures)
    ]


def _refreshed(status: ViewStatus) -> dt.datetime | None:
    """Return the time as of which the rows of a view are, as model fields store it."""
    state = status.installed.state if status.installed else None
    return to_field(state.refreshed) if state and state.refreshed else None


def _failed(failures: _Failures, run: Run, user: Any) -> Standing:
    state = _STATES[Run.State(failures.state)]
    if state is RunState.LOST:
        words = ngettext(
            "How its refresh of %(since)s ended is unknown: its process is gone.",
            "Since %(since)s, %(times)s refreshes have ended in an unknown way: their processes are gone.",
            failures.times,
        )
        advice = _("Refresh it.")
    else:
        words = ngettext(
            "Its refresh of %(since)s failed.",
            "Since %(since)s, its refresh has failed %(times)s times.",
            failures.times,
        )
        advice = _("See the last run, correct its cause, and refresh it.")
    reason = words % {
        "times": number(failures.times),
        "since": exact(failures.first, "SHORT_DATETIME_FORMAT"),
    }
    error = run_error_for(user, run).strip() if state is RunState.FAILED else ""
    return Standing(
        state,
        f"{reason}\n{error}".strip(),
        advice,
        times=failures.times,
        request=str(run.request),
    )


def _failed_sync(failures: _Failures, run: Run, user: Any) -> Standing:
    words = ngettext(
        "The sync of database “%(alias)s” of %(since)s did not succeed.",
        "Since %(since)s, no sync of database “%(alias)s” has succeeded (%(times)s were tried).",
        failures.times,
    )
    since = exact(failures.first, "SHORT_DATETIME_FORMAT")
    reason = words % {"alias": run.database, "times": number(failures.times), "since": since}
    error = run_error_for(user, run).strip()
    state = _STATES[Run.State(failures.state)]
    return Standing(state, f"{reason}\n{error}".strip(), times=failures.times, request=str(run.request))


def _why_it_waits(run: Run) -> str:
    """Return why the refresh of a view waits, a sentence; "" if it does not, as far as its run tells."""
    if run.state == Run.State.QUEUED:
        return _("Since %(since)s, its refresh waits for its turn.") % {
            "since": exact(run.queued_at, "SHORT_DATETIME_FORMAT")
        }
    if run.state == Run.State.RUNNING and run.waiting_for:
        return _("Its refresh waits: %(what)s.") % {"what": translate(run.said("waiting_for"))}
    return ""
