"""The filters and the search of the list of views: functions of entries and parameters, without queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orm_views_admin.tables.entries import Entry
from orm_views_admin.ui import wording
from orm_views_core.names import ViewKind

from .base import Facet, Filter

SEARCH = "q"
#: So many names of tables and columns are looked for in a search.
MOST_NAMES = 10
#: The value of the status filter that stands for all states that need attention.
ATTENTION = "attention"


@dataclass(frozen=True)
class EntryFilter(Filter):
    """A filter of entries.

    Attributes:
        value: returns the filtered property of an entry as it is written in the URL; "" if it has none.
    """

    value: Callable[[Entry], str] = field(kw_only=True)


STATUS = EntryFilter(
    "status", pgettext_lazy("filter by", "status"), value=lambda entry: entry.state.name.lower()
)
#: The filters beside the list. That by status is above it, as a row of badges.
_FACETS = (
    EntryFilter(
        "kind",
        pgettext_lazy("filter by", "kind"),
        {kind.name.lower(): wording.KINDS[kind] for kind in ViewKind},
        value=lambda entry: entry.status.kind.name.lower() if entry.status.kind else "",
    ),
    EntryFilter("app", pgettext_lazy("filter by", "app"), value=lambda entry: entry.app),
    EntryFilter(
        "database", pgettext_lazy("filter by", "database"), value=lambda entry: entry.status.database
    ),
    EntryFilter(
        "promise",
        pgettext_lazy("filter by", "freshness"),
        {"stale": _("stale"), "fresh": _("as fresh as promised")},
        value=lambda entry: entry.promise,
    ),
    EntryFilter(
        "fresh",
        pgettext_lazy("filter by", "last refresh"),
        {
            "hour": _("within an hour"),
            "day": _("within a day"),
            "week": _("within a week"),
            "older": _("longer ago"),
            "never": _("never"),
        },
        value=lambda entry: entry.age,
    ),
)
_FILTERS = (STATUS, *_FACETS)


def narrow(entries: Iterable[Entry], parameters: QueryDict, *, without: Filter | None = None) -> list[Entry]:
    """Return the entries that pass the search and all filters, or all filters but one."""
    whole = parameters.get(SEARCH, "").lower().strip()
    words = whole.split()
    chosen = [
        (by, value) for by in _FILTERS if by is not without and (value := parameters.get(by.parameter, ""))
    ]
    return [
        entry
        for entry in entries
        if all(_passes(entry, by, value) for by, value in chosen)
        and (whole in entry.hangs_on or all(_has(entry, word) for word in words))
    ]


def searched_names(parameters: QueryDict) -> list[str]:
    """Return the texts of the search that may be names of tables or columns, as they are written.

    A name may have blanks, so the whole search is one of them.
    """
    whole = parameters.get(SEARCH, "").replace("\0", "").strip()
    return list(dict.fromkeys([whole, *whole.split()][:MOST_NAMES])) if whole else []


def _has(entry: Entry, word: str) -> bool:
    return word in entry.hangs_on or word in entry.searched_text


def _passes(entry: Entry, by: EntryFilter, value: str) -> bool:
    if by is STATUS and value == ATTENTION:
        return entry.state.needs_attention
    return by.value(entry) == value


def facets(entries: Sequence[Entry], parameters: QueryDict) -> list[Facet]:
    """Return the filters by which entries differ or that are chosen, each with its links."""
    found = []
    for by in _FACETS:
        values = {by.value(entry) for entry in entries}
        if len(values) > 1 or parameters.get(by.parameter):
            left = Counter(by.value(entry) for entry in narrow(entries, parameters, without=by))
            found.append(by.facet(parameters, left.total(), {value: left[value] for value in values}))
    return found


def is_filtered(parameters: QueryDict) -> bool:
    """Return whether the list is searched or filtered."""
    return any(parameters.get(name) for name in (SEARCH, *(by.parameter for by in _FILTERS)))
