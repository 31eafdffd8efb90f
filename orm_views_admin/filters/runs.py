"""The filters of the history. The number of queries does not depend on the number of runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import Run, ViewChange
from orm_views_admin.permissions import of_visible_views, visible
from orm_views_admin.trends import about
from orm_views_admin.ui.run_wording import WHERE

from .base import Facet, Filter

#: The values of the result filter that stand for several states.
ACTIVE, WRONG = "active", "wrong"
_GROUPS = {ACTIVE: Run.ACTIVE, WRONG: (Run.State.FAILED, Run.State.SKIPPED, Run.State.LOST)}
_PERIODS = {
    "hour": dt.timedelta(hours=1),
    "day": dt.timedelta(days=1),
    "week": dt.timedelta(days=7),
    "month": dt.timedelta(days=30),
}
#: The largest number of values of a field that are listed: the most frequent ones.
_MOST_CHOICES = 12

_STATE = Filter(
    "state",
    pgettext_lazy("filter by", "result"),
    {ACTIVE: _("under way"), WRONG: _("went wrong"), **dict(Run.State.choices)},
)
#: The filters by the value of a field; the parameter is the field's name.
_FIELDS = (
    _STATE,
    Filter("kind", pgettext_lazy("filter by", "kind"), dict(Run.Kind.choices)),
    Filter(
        "origin",
        pgettext_lazy("filter by", "origin"),
        {origin.value: words for origin, words in WHERE.items()},
    ),
    Filter("database", pgettext_lazy("filter by", "database")),
    Filter("who", pgettext_lazy("filter by", "who")),
)
_TIME = Filter(
    "since",
    pgettext_lazy("filter by", "time"),
    {
        "hour": _("the last hour"),
        "day": _("the last 24 hours"),
        "week": _("the last 7 days"),
        "month": _("the last 30 days"),
    },
)
_FILTERS = (*_FIELDS, _TIME)


def narrow(
    parameters: QueryDict, addresses: Sequence[ViewAddress], user: Any, *, without: Filter | None = None
) -> QuerySet[Run]:
    """Return the runs that concern some views and pass all filters, or all filters but one, the newest first.

    Those of views that a user may not see are left out.

    Args:
        parameters: those of the page.
        addresses: the views; none stands for all runs.
        user: who reads the page.
        without: the filter that is not applied.
    """
    concerned = visible(user, addresses)
    runs: QuerySet[Run] = Run.objects.filter(of_visible_views(user))
    if addresses:
        runs = runs.filter(reduce(or_, map(_concerning, concerned))) if concerned else runs.none()
    for by in _FILTERS:
        value = parameters.get(by.parameter, "")
        if by is not without and value:
            runs = _only(runs, by, value)
    return runs


def _concerning(address: ViewAddress) -> Q:
    """Return the condition for the refreshes of a view, and for the syncs that changed it."""
    changes = ViewChange.objects.of(address.database, address.name).exclude(run=None).order_by()
    return about(address) | Q(pk__in=changes.values("run"))


def _only(runs: QuerySet[Run], by: Filter, value: str) -> QuerySet[Run]:
    if by is _TIME:
        return runs.filter(queued_at__gte=timezone.now() - _PERIODS[value]) if value in _PERIODS else runs
    if "\0" in value:  # PostgreSQL's text types do not allow it
        return runs.none()
    if by is _STATE and value in _GROUPS:
        return runs.filter(state__in=_GROUPS[value])
    return runs.filter(**{by.parameter: value})


def facets(parameters: QueryDict, addresses: Sequence[ViewAddress], user: Any) -> list[Facet]:
    """Return the filters by which runs differ or that are chosen, each with its links."""
    found = []
    for by in _FIELDS:
        chosen = parameters.get(by.parameter, "")
        counts = _count(narrow(parameters, addresses, user, without=by), by.parameter)
        if len(counts) < 2 and not chosen:
            continue
        total = sum(counts.values())
        if by is _STATE:
            groups = {name: sum(counts.get(state, 0) for state in states) for name, states in _GROUPS.items()}
            counts |= {name: count for name, count in groups.items() if count}
        elif by.words is None:
            frequent = [value for value in counts if value][:_MOST_CHOICES]
            counts = {value: counts.get(value, 0) for value in (*frequent, chosen)}
        found.append(by.facet(parameters, total, {chosen: 0, **counts}))
    return [*found, _time_facet(parameters, addresses, user)]


def _count(runs: QuerySet[Run], field: str) -> dict[str, int]:
    """Return the number of runs by the value of a field, the most frequent value first."""
    return dict(runs.order_by().values_list(field).annotate(count=Count("*")).order_by("-count"))


def _time_facet(parameters: QueryDict, addresses: Sequence[ViewAddress], user: Any) -> Facet:
    now = timezone.now()
    counts = narrow(parameters, addresses, user, without=_TIME).aggregate(
        total=Count("*"),
        **{name: Count("pk", filter=Q(queued_at__gte=now - period)) for name, period in _PERIODS.items()},
    )
    return _TIME.facet(parameters, counts.pop("total"), counts)


def is_filtered(parameters: QueryDict) -> bool:
    """Return whether runs are filtered by anything but their view."""
    return any(parameters.get(by.parameter) for by in _FILTERS)
