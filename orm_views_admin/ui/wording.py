"""Words, signs and colours for what core says in enums, and quantities as people read them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from orm_views_admin.datetimes import from_field
from orm_views_core.names import ViewKind
from orm_views_core.plan.steps import Action
from orm_views_core.refresh.freshness import Freshness
from orm_views_core.status import State

DASH = "\N{EN DASH}"


@dataclass(frozen=True)
class Look:
    """How something is shown: a word, a colour's name (a CSS class) and an icon's path on a 16 by 16 grid."""

    word: Any
    colour: str
    icon: str


CHECK = "M6.2 12.6 1.8 8.2l1.6-1.6 2.8 2.8 6.4-6.4 1.6 1.6z"
_TRIANGLE = "M8 1.2 15.4 14.4H.6zM7.1 6v4h1.8V6zm0 5v1.8h1.8V11z"
CROSS = "m3.4 1.8 4.6 4.6 4.6-4.6 1.6 1.6L9.6 8l4.6 4.6-1.6 1.6L8 9.6l-4.6 4.6-1.6-1.6L6.4 8 1.8 3.4z"
_PENCIL = "M11.2 1 15 4.8 5.4 14.4 1 15l.6-4.4zM10.4 4l1.6 1.6 1-1L11.4 3z"
_PLUS = "M6.9 1.5h2.2v5.4h5.4v2.2H9.1v5.4H6.9V9.1H1.5V6.9h5.4z"
_MINUS = "M1.5 6.9h13v2.2h-13z"
_RING = "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1m0 2a5 5 0 1 0 0 10A5 5 0 0 0 8 3"
_BARS = "M1.5 2.5h13v2h-13zm0 4.5h13v2h-13zm0 4.5h13v2h-13z"
CLOCK = f"{_RING}m-.8 1.5h1.6v3.2l2.3 1.4-.8 1.3-3.1-1.9z"

_STATES = {
    State.SYNCED: Look(_("synced"), "success", CHECK),
    State.STALE: Look(_("stale"), "warning", CLOCK),
    State.CHANGED: Look(_("changed"), "warning", _PENCIL),
    State.DRIFTED: Look(_("drifted"), "warning", _TRIANGLE),
    State.MISSING: Look(_("missing"), "error", _PLUS),
    State.ORPHANED: Look(_("orphaned"), "warning", _MINUS),
    State.UNMANAGED: Look(_("unmanaged"), "info", _RING),
    State.WRONG_KIND: Look(_("wrong kind"), "error", _TRIANGLE),
    State.NOT_POPULATED: Look(_("not populated"), "warning", _BARS),
    State.INVALID: Look(_("invalid"), "error", CROSS),
}

_ACTIONS = {
    Action.SCHEMA: (_("schema"), "success"),
    Action.CREATE: (_("create"), "success"),
    Action.REPLACE: (_("replace"), "warning"),
    Action.REBUILD: (_("rebuild"), "warning"),
    Action.DROP: (_("drop"), "error"),
    Action.ADOPT: (_("adopt"), "info"),
    Action.OPTIONS: (_("set options"), "info"),
    Action.INDEX: (_("re-index"), "info"),
    Action.GRANT: (_("grant"), "info"),
    Action.REVOKE: (_("revoke"), "info"),
    Action.COMMENT: (_("comment"), "info"),
}

_KINDS = {ViewKind.VIEW: _("plain"), ViewKind.MATERIALISED_VIEW: _("materialised")}


def look_of(state: State) -> Look:
    """Return how a status is shown."""
    return _STATES[state]


def state_badge(state: State) -> SafeString:
    """Return a status as HTML: icon, word and colour."""
    return badge(look_of(state))


def badge(look: Look) -> SafeString:
    """Return a look as HTML: icon, word and colour."""
    return format_html(
        '<span class="ov-badge ov-{}"><svg class="ov-icon" viewBox="0 0 16 16" aria-hidden="true">'
        '<path d="{}"/></svg>{}</span>',
        look.colour,
        look.icon,
        look.word,
    )


def promise(freshness: Freshness | None) -> str:
    """Return how old a view's rows may get; "" where nothing is promised."""
    if freshness is None or freshness.refresh_every is None:
        return ""
    return gettext("at most %(time)s old") % {"time": duration(freshness.refresh_every.total_seconds())}


def action_word(action: Action) -> str:
    """Return the word for a step of a plan."""
    return str(_ACTIONS[action][0])


def action_badge(action: Action) -> SafeString:
    """Return a step of a plan as HTML: sign, word and colour."""
    word, colour = _ACTIONS[action]
    return format_html(
        '<span class="ov-badge ov-{}"><span class="ov-sign" aria-hidden="true">{}</span>{}</span>',
        colour,
        action.sign,
        word,
    )


def kind_word(kind: ViewKind | None) -> str:
    """Return the word for a kind of view."""
    return str(_KINDS[kind]) if kind else DASH


def breakable(name: str) -> SafeString:
    """Return a name as HTML that may go on to the next line after its dots and underscores."""
    return format_html_join("", "{}<wbr>", ((part,) for part in re.split(r"(?<=[._/])", name)))


def duration(seconds: float | None) -> str:
    """Return a duration in the units that a person would choose."""
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


def size(size_in_bytes: int | None) -> str:
    """Return a size in the unit that a person would choose."""
    return "" if size_in_bytes is None else filesizeformat(size_in_bytes)


def number(value: int) -> str:
    """Return a number with its thousands set apart, as the language does it."""
    return formats.number_format(value, use_l10n=True, force_grouping=True)


def moment(when: dt.datetime | None) -> SafeString | str:
    """Return a time as a ``<time>`` that says how long ago it was; the exact time is its title."""
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
    """Return a time of a field or of core's, as the language writes it."""
    return formats.date_format(timezone.localtime(from_field(when)), how)


def _ago(age: dt.timedelta) -> str:
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
