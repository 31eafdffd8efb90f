"""The filters of the page that says who has read rows. The number of queries does not depend on their number.

Conditions on columns are in the URL as those of previews are: ``?column.customer_id.equals=5``. They divide
the accesses into three parts, see :class:`Part`, because an access without a condition on a column may have
shown any row.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.datetimes import to_field
from orm_views_admin.models import RowAccess
from orm_views_admin.models.accesses import clean, has_one_key, key_of
from orm_views_admin.permissions import of_visible_views
from orm_views_admin.trends import about
from orm_views_admin.ui.querystrings import with_parameters
from orm_views_core.database.rows import Operator
from orm_views_core.names import ViewName

from .asked import has_condition
from .base import Choice, Facet, Filter
from .columns import OPERATORS, asked_filters
from .dates import read_day
from .values import split_list

#: The parameters of the form.
SEARCH, FROM, UNTIL = "q", "from", "until"
#: The value of the time filter for the last seven days.
WEEK = "week"
#: The largest number of values of a field that are listed, and of values of a condition that are looked for.
_MOST_CHOICES, _MOST_VALUES = 12, 20
#: The operators of a condition that finds rows with certain values only.
_EXACT = (Operator.EQUALS, Operator.IN)


class Part(enum.Enum):
    """A part of the accesses; the value is that of the parameter.

    ASKED: they asked for what the conditions of the page say.
    MAYBE: they had no condition on such a column, or one of which it is not known which rows fulfil it.
    OTHER: they asked for other values of such a column.
    """

    ASKED = ""
    MAYBE = "maybe"
    OTHER = "other"


class Wanted(NamedTuple):
    """A condition of the page.

    Attributes:
        column: the name of the column.
        operator: how it is compared.
        values: the texts of its values.
        parameter: its name and its value in the URL.
    """

    column: str
    operator: Operator
    values: tuple[str, ...]
    parameter: tuple[str, str]

    @property
    def asked(self) -> Q:
        """The condition for the accesses that asked for these rows."""
        keys = [key_of(value) for value in self.values[:_MOST_VALUES]]
        if self.operator not in _EXACT:
            return has_condition(self.column, self.operator, keys=keys)
        ways = (has_condition(self.column, each, keys=[key]) for each in _EXACT for key in keys)
        return reduce(or_, ways, Q(pk=None))

    @property
    def exact(self) -> Q:
        """The condition for the accesses whose rows had certain values of the column, which are all known.

        It holds for none if a value that is looked for may be written in other ways.
        """
        is_known = len(self.values) <= _MOST_VALUES and all(map(has_one_key, self.values))
        if self.operator not in (*_EXACT, Operator.IS_NULL) or not is_known:
            return Q(pk=None)
        whole = [has_condition(self.column, each, is_whole=True) for each in _EXACT]
        return reduce(or_, whole, has_condition(self.column, Operator.IS_NULL))


def wanted_conditions(parameters: QueryDict) -> list[Wanted]:
    """Return the conditions on columns of a page."""
    found = []
    for name, text in asked_filters(parameters):
        column, dot, last = name.rpartition(".")
        operator = OPERATORS.get(last) if dot else None
        if operator is None:
            column, operator = name, Operator.CONTAINS
        values = split_list(text) if operator is Operator.IN else [text]
        texts = () if operator.takes == 0 else tuple(clean(value) for value in values)
        found.append(Wanted(clean(column), operator, texts, (f"column.{name}", text)))
    return found


def in_part(part: Part, wanted: Sequence[Wanted]) -> Q:
    """Return the condition for a part of the accesses; without conditions on columns, for all."""
    if not wanted:
        return Q()
    asked = reduce(and_, (each.asked for each in wanted))
    if part is Part.ASKED:
        return asked
    other = reduce(or_, (each.exact & ~each.asked for each in wanted))
    return other if part is Part.OTHER else ~asked & ~other


_FIELDS = (
    Filter("who", pgettext_lazy("filter by", "who")),
    Filter("kind", pgettext_lazy("filter by", "how"), dict(RowAccess.Kind.choices)),
    Filter(
        "personal", pgettext_lazy("filter by", "personal data"), {"yes": _("shown"), "no": _("not shown")}
    ),
)
_VIEW = Filter("view", pgettext_lazy("filter by", "view"))
_TIME = Filter(
    "since",
    pgettext_lazy("filter by", "time"),
    {"day": _("today"), WEEK: _("the last 7 days"), "month": _("the last 30 days")},
)
_PART = Filter(
    "rows",
    pgettext_lazy("filter by", "rows"),
    {
        Part.ASKED.value: _("asked for these rows"),
        Part.MAYBE.value: _("may include them"),
        Part.OTHER.value: _("asked for others"),
    },
)
_LOOKUPS = {"who": "who", "kind": "kind", "personal": "with_personal"}


def narrow(
    user: Any,
    parameters: QueryDict,
    addresses: Sequence[ViewAddress],
    *,
    without: Filter | None = None,
) -> QuerySet[RowAccess]:
    """Return the accesses that a user may see and that pass all filters, or all but one, the newest first.

    Args:
        user: the user.
        parameters: those of the page.
        addresses: the views; none stands for all.
        without: the filter that is not applied.
    """
    found: QuerySet[RowAccess] = RowAccess.objects.filter(of_visible_views(user))
    if without is not _VIEW:
        found = found.filter(reduce(or_, map(about, addresses), Q()))
    if without is not _PART:
        found = found.filter(in_part(chosen_part(parameters), wanted_conditions(parameters)))
    if without is not _TIME and (begin := _begins().get(parameters.get(_TIME.parameter, ""))):
        found = found.filter(at__gte=begin)
    for by in _FIELDS:
        value = parameters.get(by.parameter, "").replace("\0", "")
        if by is not without and value:
            found = found.filter(
                **{_LOOKUPS[by.parameter]: value == "yes" if by.parameter == "personal" else value}
            )
    return found.filter(_between(parameters)).filter(_searched(parameters))


def chosen_part(parameters: QueryDict) -> Part:
    """Return the part of the accesses that is asked for."""
    value = parameters.get(_PART.parameter, "")
    return next((part for part in Part if part.value == value), Part.ASKED)


def _searched(parameters: QueryDict) -> Q:
    text = parameters.get(SEARCH, "").replace("\0", "").strip()
    return Q(about__icontains=text) | Q(who__icontains=text) | Q(name__icontains=text) if text else Q()


def day_of(parameters: QueryDict, name: str) -> dt.date | None:
    """Return the day of a field of the form; None if it has none, or one that is not understood."""
    text = parameters.get(name, "").strip()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return read_day(text)


def _between(parameters: QueryDict) -> Q:
    found = Q()
    if first := day_of(parameters, FROM):
        found &= Q(at__gte=_midnight(first))
    last = day_of(parameters, UNTIL)
    if last and last < dt.date.max:
        found &= Q(at__lt=_midnight(last + dt.timedelta(days=1)))
    return found


def _midnight(day: dt.date) -> dt.datetime:
    """Return the first moment of a day in the current time zone, as the model stores it."""
    return to_field(timezone.make_aware(dt.datetime.combine(day, dt.time.min)))


def _begins() -> dict[str, dt.datetime]:
    """Return when each period of the time filter begins."""
    now = timezone.now()
    return {
        "day": _midnight((timezone.localtime(now) if timezone.is_aware(now) else now).date()),
        WEEK: now - dt.timedelta(days=7),
        "month": now - dt.timedelta(days=30),
    }


def count_parts(user: Any, parameters: QueryDict, addresses: Sequence[ViewAddress]) -> dict[Part, int] | None:
    """Return the number of accesses in each part; None without conditions on columns."""
    if not (wanted := wanted_conditions(parameters)):
        return None
    counts = narrow(user, parameters, addresses, without=_PART).aggregate(
        total=Count("*"),
        **{part.name: Count("pk", filter=in_part(part, wanted)) for part in (Part.ASKED, Part.OTHER)},
    )
    asked, other = counts[Part.ASKED.name], counts[Part.OTHER.name]
    return {Part.ASKED: asked, Part.MAYBE: counts["total"] - asked - other, Part.OTHER: other}


def part_url(parameters: QueryDict, part: Part) -> str:
    """Return the query string of the page with another part of the accesses."""
    return with_parameters(parameters, **{_PART.parameter: part.value})


def facets(
    user: Any,
    parameters: QueryDict,
    addresses: Sequence[ViewAddress],
    parts: Mapping[Part, int] | None,
) -> list[Facet]:
    """Return the filters by which accesses differ or that are chosen, each with its links.

    Args:
        user: the user.
        parameters: those of the page.
        addresses: the views; none stands for all.
        parts: what :func:`count_parts` has returned.
    """
    found = []
    if parts is not None:
        chosen_one, words = chosen_part(parameters), _PART.words or {}
        choices = [
            Choice(words[part.value], count, part_url(parameters, part), part is chosen_one)
            for part, count in parts.items()
        ]
        found.append(Facet(_PART.title, choices))
    begins = _begins()
    counts = narrow(user, parameters, addresses, without=_TIME).aggregate(
        total=Count("*"),
        **{name: Count("pk", filter=Q(at__gte=begin)) for name, begin in begins.items()},
    )
    found.append(_TIME.facet(parameters, counts.pop("total"), counts))
    found.extend(_view_facet(user, parameters, addresses))
    for by in _FIELDS:
        chosen = parameters.get(by.parameter, "")
        rows = narrow(user, parameters, addresses, without=by).order_by().values_list(_LOOKUPS[by.parameter])
        by_value = dict(rows.annotate(count=Count("*")).order_by("-count"))
        if by.parameter == "personal":
            by_value = {"yes" if value else "no": count for value, count in by_value.items()}
        if len(by_value) < 2 and not chosen:
            continue
        total = sum(by_value.values())
        frequent = [value for value in by_value if value][:_MOST_CHOICES]
        found.append(
            by.facet(parameters, total, {value: by_value.get(value, 0) for value in (*frequent, chosen)})
        )
    return found


def _view_facet(user: Any, parameters: QueryDict, addresses: Sequence[ViewAddress]) -> list[Facet]:
    rows = narrow(user, parameters, addresses, without=_VIEW).order_by()
    by_view = rows.values_list("database", "schema", "name").annotate(count=Count("*")).order_by("-count")
    counts = {ViewAddress(alias, ViewName(schema, name)): count for alias, schema, name, count in by_view}
    if len(counts) < 2 and not addresses:
        return []
    chosen = addresses[:1] if len(addresses) == 1 else ()
    shown = list(dict.fromkeys([*list(counts)[:_MOST_CHOICES], *chosen]))
    several = len({address.database for address in shown}) > 1
    words = {
        address.key: f"{address.name} ({address.database})" if several else str(address.name)
        for address in shown
    }
    facet = Filter(_VIEW.parameter, _VIEW.title, words)
    return [facet.facet(parameters, sum(counts.values()), {each.key: counts.get(each, 0) for each in shown})]


def is_filtered(parameters: QueryDict) -> bool:
    """Return whether accesses are filtered by anything but their view."""
    names = [by.parameter for by in (*_FIELDS, _TIME)]
    return any(parameters.get(name) for name in (*names, SEARCH, FROM, UNTIL)) or bool(
        asked_filters(parameters)
    )
