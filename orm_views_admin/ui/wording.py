"""Translated words, icons and colours for core's enums, and formatted quantities and times."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from unicodedata import east_asian_width

from django.template.defaultfilters import filesizeformat
from django.utils import formats, timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from orm_views_admin.datetimes import from_field
from orm_views_admin.plan_words import action_word
from orm_views_admin.standings import AnyState, RunState, Standing
from orm_views_core.names import ViewKind
from orm_views_core.plan.steps import Action
from orm_views_core.refresh.freshness import Freshness
from orm_views_core.sentences import Sentence
from orm_views_core.status import State

DASH = "\N{EN DASH}"
#: What stands for the name of a view that the user may not see.
UNSEEN = _("a view that you may not see")
#: Names that take more columns may be broken after dots, underscores and slashes.
_LONG_NAME = 24


@dataclass(frozen=True)
class Look:
    """How a state is shown.

    Attributes:
        word: the translated word.
        colour: the last part of a CSS class: "success", "info", "warning" or "error".
        icon: the path of an SVG icon on a grid of 16 by 16.
    """

    word: object
    colour: str
    icon: str


CHECK = "M6.2 12.6 1.8 8.2l1.6-1.6 2.8 2.8 6.4-6.4 1.6 1.6z"
_TRIANGLE = "M8 1.2 15.4 14.4H.6zM7.1 6v4h1.8V6zm0 5v1.8h1.8V11z"
CROSS = "m3.4 1.8 4.6 4.6 4.6-4.6 1.6 1.6L9.6 8l4.6 4.6-1.6 1.6L8 9.6l-4.6 4.6-1.6-1.6L6.4 8 1.8 3.4z"
_PENCIL = "M11.2 1 15 4.8 5.4 14.4 1 15l.6-4.4zM10.4 4l1.6 1.6 1-1L11.4 3z"
_PLUS = "M6.9 1.5h2.2v5.4h5.4v2.2H9.1v5.4H6.9V9.1H1.5V6.9h5.4z"
_MINUS = "M1.5 6.9h13v2.2h-13z"
_RING = "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1m0 2a5 5 0 1 0 0 10A5 5 0 0 0 8 3"
_BAR = f"{_RING}M3.2 4.6l1.4-1.4 8.2 8.2-1.4 1.4z"
QUESTION = "M4.5 5.5a3.5 3.5 0 1 1 4.5 3.3v1.7H7V7h1a1.5 1.5 0 1 0-1.5-1.5zM7 11.8h2v2H7z"
_BARS = "M1.5 2.5h13v2h-13zm0 4.5h13v2h-13zm0 4.5h13v2h-13z"
_EYE = (
    "M8 3C4.4 3 1.7 5.2.4 8 1.7 10.8 4.4 13 8 13s6.3-2.2 7.6-5C14.3 5.2 11.6 3 8 3m0 1.8a3.2 3.2 0 1 1 0 6.4"
    " 3.2 3.2 0 0 1 0-6.4m0 1.6a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2"
)
CLOCK = f"{_RING}m-.8 1.5h1.6v3.2l2.3 1.4-.8 1.3-3.1-1.9z"

#: How each state looks.
_STATES: dict[AnyState, Look] = {
    State.UNREADABLE: Look(_("cannot be read"), "error", _BAR),
    State.INVALID: Look(_("invalid"), "error", CROSS),
    State.EXPOSES: Look(_("shows personal data"), "error", _EYE),
    State.WRONG_KIND: Look(_("wrong kind"), "error", _TRIANGLE),
    State.MISSING: Look(_("missing"), "error", _PLUS),
    State.DRIFTED: Look(_("drifted"), "warning", _TRIANGLE),
    State.CHANGED: Look(_("changed"), "warning", _PENCIL),
    State.NOT_POPULATED: Look(_("not populated"), "warning", _BARS),
    State.ORPHANED: Look(_("orphaned"), "warning", _MINUS),
    State.STALE: Look(_("stale"), "warning", CLOCK),
    State.SYNCED: Look(_("synced"), "success", CHECK),
    State.UNMANAGED: Look(_("unmanaged"), "info", _RING),
    RunState.FAILED: Look(_("failed"), "error", CROSS),
    RunState.LOST: Look(_("lost"), "error", QUESTION),
    RunState.WAITING: Look(_("waiting"), "info", CLOCK),
}

#: The colours of actions. All other actions have the colour "info".
_ACTION_COLOURS = {
    **dict.fromkeys((Action.SCHEMA, Action.CREATE), "success"),
    **dict.fromkeys((Action.REPLACE, Action.REBUILD), "warning"),
    Action.DROP: "error",
}

KINDS = {ViewKind.VIEW: _("plain"), ViewKind.MATERIALISED_VIEW: _("materialised")}


def look_of(state: AnyState) -> Look:
    """Return the word, colour and icon of a state."""
    return _STATES[state]


def look_of_standing(standing: Standing) -> Look:
    """Return how a state of a view is shown: with how often it has failed, if that is more than once."""
    look = look_of(standing.state)
    if standing.state is not RunState.FAILED or standing.times == 1:
        return look
    words = ngettext("failed %(times)s time", "failed %(times)s times", standing.times)
    return replace(look, word=words % {"times": number(standing.times)})


def badge(look: Look) -> SafeString:
    """Return an icon and a word on a coloured background, as HTML."""
    return format_html(
        '<span class="ov-badge ov-{}"><svg class="ov-icon" viewBox="0 0 16 16" aria-hidden="true">'
        '<path d="{}"/></svg>{}</span>',
        look.colour,
        look.icon,
        look.word,
    )


def promise(freshness: Freshness | None) -> str:
    """Return the declared maximum age of a view's rows in words; "" if there is none."""
    if freshness is None or freshness.refresh_every is None:
        return ""
    return gettext("at most %(time)s old") % {"time": duration(freshness.refresh_every.total_seconds())}


def action_badge(action: Action) -> SafeString:
    """Return the badge of the action of a plan's step as HTML."""
    return format_html(
        '<span class="ov-badge ov-{}"><span class="ov-sign" aria-hidden="true">{}</span>{}</span>',
        _ACTION_COLOURS.get(action, "info"),
        action.sign,
        action_word(action),
    )


def kind_word(kind: ViewKind | None) -> str:
    """Return the word for a kind of view; a dash if the kind is unknown."""
    return str(KINDS[kind]) if kind else DASH


def breakable(name: str) -> SafeString:
    """Return a name as HTML, isolated from the direction of the text around it.

    A line may break after each dot, underscore and slash of a long name, and nowhere in a short one.
    """
    if sum(1 + (east_asian_width(letter) in "WF") for letter in name) <= _LONG_NAME:
        return format_html('<bdi class="ov-short">{}</bdi>', name)
    parts = re.split(r"(?<=[._/])(?=.)", name)
    return format_html(
        "<bdi>{}</bdi>", format_html_join(SafeString("<wbr>"), "{}", ((part,) for part in parts))
    )


def with_names(words: str, **names: object) -> SafeString:
    """Return words as HTML, with names in the place of “%(key)s”, each isolated like a name alone.

    A sentence of core is no name: it is translated.
    """
    html = {key: _isolated(name) for key, name in names.items()}
    return SafeString(escape(words) % html)


def _isolated(name: object) -> SafeString:
    if isinstance(name, SafeString):
        return name
    return format_html("{}", name) if isinstance(name, Sentence) else breakable(str(name))


def name_list(names: Iterable[object]) -> SafeString:
    """Return names as HTML, with commas between them, each isolated like a name alone."""
    return format_html_join(gettext(", "), "{}", ((breakable(str(name)),) for name in names))


def listed(words: Iterable[object]) -> str:
    """Return words with what the active language writes between the items of a list."""
    return gettext(", ").join(map(str, words))


def counted(count: int, state: object) -> str:
    """Return how many there are in a state: “3 missing”."""
    words = pgettext("how many views or runs are in a state", "%(count)s %(state)s")
    return words % {"count": number(count), "state": state}


def duration(seconds: float | None) -> str:
    """Return a duration in milliseconds, seconds, minutes or hours; "" if it is unknown."""
    if seconds is None:
        return ""
    if seconds < 1:
        return gettext("%(number)s ms") % {"number": formats.number_format(round(seconds * 1000))}
    if seconds < 60:
        return gettext("%(number)s s") % {"number": formats.number_format(round(seconds, 1), 1)}
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:
        return gettext("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": seconds}
    hours, minutes = divmod(minutes, 60)
    return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}


def round_duration(seconds: float) -> str:
    """Return a round duration in the largest unit that fits: “200 ms”, “10 s”, “5 min”, “1 h”."""
    units = (
        (3600, gettext("%(number)s h")),
        (60, gettext("%(number)s min")),
        (1, gettext("%(number)s s")),
        (0.001, gettext("%(number)s ms")),
    )
    if not seconds:
        return formats.number_format(0)
    length, words = next(unit for unit in units if seconds >= unit[0] or unit is units[-1])
    number = round(seconds / length, 2)
    return words % {"number": formats.number_format(int(number) if number.is_integer() else number)}


def size(size_in_bytes: int | None) -> str:
    """Return a size with its unit; "" if it is unknown."""
    return "" if size_in_bytes is None else filesizeformat(size_in_bytes)


def number(value: int) -> str:
    """Return a number with the thousands separators of the active language."""
    return formats.number_format(value, use_l10n=True, force_grouping=True)


def row_count(rows: int | None, *, is_exact: bool = False) -> str:
    """Return a number of rows; an estimate has a tilde in front, and an unknown number is a dash."""
    if rows is None:
        return DASH
    return number(rows) if is_exact else f"~ {number(rows)}"


def moment(when: dt.datetime | None) -> SafeString | str:
    """Return a ``<time>`` element that says how long ago a time was; its title is the exact time."""
    if when is None:
        return ""
    when = from_field(when)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        when.isoformat(timespec="seconds"),
        exact(when),
        _ago(dt.datetime.now(dt.timezone.utc) - when) or exact(when, "SHORT_DATE_FORMAT"),
    )


def exact(when: dt.datetime, how: str = "DATETIME_FORMAT") -> str:
    """Return a time, of a model's field or of core, in a format of the active language."""
    return formats.date_format(timezone.localtime(from_field(when)), how)


def _ago(age: dt.timedelta) -> str:
    """Return an age in words; "" from two weeks on."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return gettext("just now")
    if minutes < 60:
        return ngettext("%(n)s minute ago", "%(n)s minutes ago", minutes) % {"n": minutes}
    if (hours := minutes // 60) < 24:
        return ngettext("%(n)s hour ago", "%(n)s hours ago", hours) % {"n": hours}
    if (days := hours // 24) < 14:
        return ngettext("%(n)s day ago", "%(n)s days ago", days) % {"n": days}
    return ""
