"""The filters of the history: some queries, as many for a million runs as for ten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import Run
from orm_views_admin.ui.querystrings import with_parameters
from orm_views_admin.ui.trends import about

from .views import Choice, Facet

#: The state that stands for all that have not ended, and the one for all that went wrong.
ACTIVE, WRONG = "active", "wrong"
_GROUPS = {
    ACTIVE: Run.ACTIVE,
    WRONG: (Run.State.FAILED, Run.State.SKIPPED, Run.State.LOST),
}
_MOST_CHOICES = 12


@dataclass(frozen=True)
class Filter:
    """A property that runs can be narrowed down by.

    Attributes:
        words: what each value is called, in the order of the list; None for the values as they are.
    """

    parameter: str
    title: Any
    words: dict[str, Any] | None = None


FILTERS = (
    Filter("state", _("result"), {state.value: state.label for state in Run.State}),
    Filter("kind", _("kind"), {kind.value: kind.label for kind in Run.Kind}),
    Filter("origin", _("origin"), {origin.value: origin.label for origin in Run.Origin}),
    Filter("database", _("database")),
    Filter("who", _("who")),
)
_TITLES = {ACTIVE: _("under way"), WRONG: _("went wrong")}

TIME = "since"
_TIMES = {
    "hour": (_("the last hour"), dt.timedelta(hours=1)),
    "day": (_("the last 24 hours"), dt.timedelta(days=1)),
    "week": (_("the last 7 days"), dt.timedelta(days=7)),
    "month": (_("the last 30 days"), dt.timedelta(days=30)),
}


def narrow(parameters: QueryDict, addresses: Sequence[ViewAddress], *, but: str = "") -> QuerySet[Run]:
    """Return the runs of some views (of all when there are none) that pass every filter but one."""
    runs = Run.objects.all()
    if addresses:
        chosen = Q()
        for address in addresses:
            chosen |= about(address)
        runs = runs.filter(chosen)
    for by in FILTERS:
        wanted = parameters.get(by.parameter, "")
        if by.parameter == but or not wanted:
            continue
        if "\0" in wanted:  # which PostgreSQL takes in no text
            return runs.none()
        if by.parameter == "state" and wanted in _GROUPS:
            runs = runs.filter(state__in=_GROUPS[wanted])
        else:
            runs = runs.filter(**{by.parameter: wanted})
    since = parameters.get(TIME, "")
    if but != TIME and since in _TIMES:
        runs = runs.filter(queued_at__gte=timezone.now() - _TIMES[since][1])
    return runs


def facets(parameters: QueryDict, addresses: Sequence[ViewAddress]) -> list[Facet]:
    """Return the filters that have a choice, each with how many runs it would leave."""
    found = []
    for by in FILTERS:
        chosen = parameters.get(by.parameter, "")
        counts: dict[str, int] = dict(
            narrow(parameters, addresses, but=by.parameter)
            .order_by()
            .values_list(by.parameter)
            .annotate(count=Count("*"))
            .order_by("-count")
        )
        total = sum(counts.values())
        words = by.words
        if words is None:
            common = [value for value in counts if value][:_MOST_CHOICES]
            words = {value: value for value in sorted({*common, chosen} - {""})}
        if len(counts) < 2 and not chosen:
            continue
        choices = [_choice(by.parameter, "", _("All"), total, parameters, chosen)]
        if by.parameter == "state":
            for group, states in _GROUPS.items():
                count = sum(counts.get(state, 0) for state in states)
                if count or chosen == group:
                    choices.append(_choice(by.parameter, group, _TITLES[group], count, parameters, chosen))
        choices += [
            _choice(by.parameter, value, word, counts.get(value, 0), parameters, chosen)
            for value, word in words.items()
            if counts.get(value) or value == chosen
        ]
        found.append(Facet(by.parameter, by.title, choices))
    return [*found, _times(parameters, addresses)]


def _times(parameters: QueryDict, addresses: Sequence[ViewAddress]) -> Facet:
    now = timezone.now()
    counted = {
        name: Count("pk", filter=Q(queued_at__gte=now - length)) for name, (_word, length) in _TIMES.items()
    }
    counts = narrow(parameters, addresses, but=TIME).aggregate(total=Count("*"), **counted)
    chosen = parameters.get(TIME, "")
    choices = [_choice(TIME, "", _("All"), counts["total"], parameters, chosen)]
    choices += [
        _choice(TIME, name, word, counts[name], parameters, chosen)
        for name, (word, _length) in _TIMES.items()
    ]
    return Facet(TIME, _("time"), choices)


def _choice(parameter: str, value: str, word: Any, count: int, parameters: QueryDict, chosen: str) -> Choice:
    url = with_parameters(parameters, **{parameter: value, "page": None})
    return Choice(word, count, url, value == chosen)


def is_filtered(parameters: QueryDict) -> bool:
    """Say whether anything but the views is chosen."""
    return any(parameters.get(name) for name in (TIME, *(by.parameter for by in FILTERS)))
