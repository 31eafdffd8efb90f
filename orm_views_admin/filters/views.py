"""The filters and the search of the list. Pure: entries and parameters in, entries and choices out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from orm_views_admin.tables.entries import Entry, age, promise
from orm_views_admin.ui import wording
from orm_views_admin.ui.querystrings import with_parameters
from orm_views_core.names import ViewKind
from orm_views_core.status import State

SEARCH = "q"


@dataclass(frozen=True)
class Choice:
    """One link of a filter."""

    word: Any
    count: int
    url: str
    selected: bool


@dataclass(frozen=True)
class Facet:
    """A filter with its links."""

    parameter: str
    title: Any
    choices: Sequence[Choice]


@dataclass(frozen=True)
class Filter:
    """A property that entries can be narrowed down by.

    Attributes:
        value: the property, as it stands in the URL; "" for an entry that has none.
        words: what each value is called, in the order of the list; None for the values as they are.
    """

    parameter: str
    title: Any
    value: Callable[[Entry], str]
    words: dict[str, Any] | None = None


#: The status that stands for all that need attention.
ATTENTION = "attention"

FILTERS = (
    Filter(
        "status",
        _("status"),
        lambda entry: entry.state.name.lower(),
        {state.name.lower(): wording.look_of(state).word for state in State},
    ),
    Filter(
        "kind",
        _("kind"),
        lambda entry: entry.status.kind.name.lower() if entry.status.kind else "",
        {kind.name.lower(): wording.kind_word(kind) for kind in ViewKind},
    ),
    Filter("app", _("app"), lambda entry: entry.app),
    Filter("database", _("database"), lambda entry: entry.database),
    Filter(
        "promise",
        _("freshness"),
        promise,
        {"stale": _("stale"), "fresh": _("as fresh as promised")},
    ),
    Filter(
        "fresh",
        _("last refresh"),
        age,
        {
            "hour": _("within an hour"),
            "day": _("within a day"),
            "week": _("within a week"),
            "older": _("longer ago"),
            "never": _("never"),
        },
    ),
)


def _passes(entry: Entry, by: Filter, wanted: str) -> bool:
    if by.parameter == "status" and wanted == ATTENTION:
        return entry.state.needs_attention
    return by.value(entry) == wanted


def narrow(entries: Iterable[Entry], parameters: QueryDict, *, but: str = "") -> list[Entry]:
    """Return the entries that pass the search and every filter but one."""
    words = parameters.get(SEARCH, "").lower().split()
    active = [
        (by, parameters.get(by.parameter, ""))
        for by in FILTERS
        if by.parameter != but and parameters.get(by.parameter)
    ]
    return [
        entry
        for entry in entries
        if all(_passes(entry, by, wanted) for by, wanted in active)
        and all(word in entry.haystack for word in words)
    ]


def facets(entries: Sequence[Entry], parameters: QueryDict) -> list[Facet]:
    """Return the filters that have a choice, each with how many entries it would leave."""
    found = []
    for by in FILTERS[1:]:  # the first, by status, is what the list begins with
        counts = Counter(by.value(entry) for entry in narrow(entries, parameters, but=by.parameter))
        values = {by.value(entry) for entry in entries}
        chosen = parameters.get(by.parameter, "")
        if len(values) < 2 and not chosen:
            continue
        words = by.words if by.words is not None else {value: value for value in sorted(values - {""})}
        choices = [_choice(by, "", _("All"), counts.total(), parameters, chosen)]
        choices += [
            _choice(by, value, word, counts[value], parameters, chosen)
            for value, word in words.items()
            if value in values
        ]
        found.append(Facet(by.parameter, by.title, choices))
    return found


def _choice(by: Filter, value: str, word: Any, count: int, parameters: QueryDict, chosen: str) -> Choice:
    url = with_parameters(parameters, **{by.parameter: value, "page": None})
    return Choice(word, count, url, value == chosen)


def active_parameters(parameters: QueryDict) -> bool:
    """Say whether anything is filtered or searched."""
    return any(parameters.get(name) for name in (SEARCH, *(by.parameter for by in FILTERS)))
