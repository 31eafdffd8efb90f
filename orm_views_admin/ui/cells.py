"""The values of a preview as HTML.

What is shown is PostgreSQL's own text, so it is neither rounded nor translated. NULL, empty texts and blanks
are marked. Long values are folded.
"""

from __future__ import annotations

import datetime as dt
import re

from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from orm_views_core.database.rows import Cell, RowColumn

from .blanks import describe_blanks, describe_hidden, split_blanks
from .indented import indent_array, indent_json
from .wording import number

#: The characters of a value that are shown at once, and the lines. The rest is unfolded by a click.
SHORT, FEW_LINES = 80, 4
_JSON = ("json", "jsonb")
#: A date, and perhaps a time with its fraction and the hours and minutes of its zone.
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:( \d\d:\d\d:\d\d)(\.\d{1,6})?(?:([+-]\d\d)(:\d\d)?)?)?", re.ASCII)


def render_cell(cell: Cell, column: RowColumn, whole_url: str = "") -> SafeString:
    """Return a value as HTML.

    Args:
        cell: the value.
        column: its column.
        whole_url: the page of the whole value, if this is only its beginning.
    """
    text = cell.text
    if text is None:
        return _mark("NULL")
    if not text:
        return _mark(_("empty text"))
    if not cell.is_cut and len(text) <= SHORT and text.count("\n") < FEW_LINES:
        return _short(text, column)
    before, core, after = split_blanks(text)
    first = " ".join(core[: 4 * SHORT].split())
    return format_html(
        '<details class="ov-long"><summary>{}{}</summary>{}{}'
        '<pre dir="auto" class="ov-value">\n{}</pre>{}</details>',
        _mark(describe_blanks(before)) if before else "",
        format_html("<bdi>{}…</bdi>", first[: SHORT - 10]) if core else "",
        _mark(describe_blanks(after)) if after and core and not cell.is_cut else "",
        _hidden(text),
        _indented(text, column),
        _whole(cell, whole_url) if cell.is_cut else "",
    )


def render_mask() -> SafeString:
    """Return what is shown in the place of a value that was not read, because it is personal."""
    return _mark(_("masked"))


def is_number(column: RowColumn) -> bool:
    """Return whether the values of a column are numbers, which are aligned on the right.

    The names of objects, such as those of ``regclass``, are numbers to PostgreSQL. They have no order.
    """
    return column.category == "N" and column.is_ordered


def _mark(word: str) -> SafeString:
    """Return a word that describes a value, so marked that it cannot be taken for the value."""
    return format_html('<span class="ov-null">{}</span>', word)


def _short(text: str, column: RowColumn) -> SafeString:
    if column.category == "D" and (moment := _MOMENT.fullmatch(text)):
        return _moment(moment)
    if column.category == "N" or text.isalnum():  # of most values nothing needs to be looked at
        return format_html('<bdi class="ov-value">{}</bdi>', text)
    before, core, after = split_blanks(text)
    return format_html(
        '{}<bdi class="ov-value">{}</bdi>{}{}',
        _mark(describe_blanks(before)) if before else "",
        text,
        _mark(describe_blanks(after)) if after else "",
        _hidden(core),
    )


def _hidden(text: str) -> SafeString:
    words = describe_hidden(text)
    return _mark(words) if words else mark_safe("")


def _moment(found: re.Match[str]) -> SafeString:
    """Return a date or a time of a day; its title is the local time in words.

    HTML's element for times takes milliseconds. A time with more digits is not marked as one.
    """
    text, (day, clock, fraction, hours, minutes) = found[0], found.groups("")
    zone = f"{hours}{minutes or ':00'}" if hours else ""
    try:
        when = dt.datetime.fromisoformat(f"{day}{clock}{fraction.ljust(7, '0') if fraction else ''}{zone}")
    except ValueError:  # it may be of a type of its own
        return format_html('<bdi class="ov-value">{}</bdi>', text)
    title = _words(when, is_day=not clock)
    if len(fraction) > 4:
        return format_html('<bdi class="ov-value" title="{}">{}</bdi>', title, text)
    machine = f"{day}{clock.replace(' ', 'T')}{fraction}{zone}"
    return format_html('<time class="ov-value" datetime="{}" title="{}">{}</time>', machine, title, text)


def _words(when: dt.datetime, *, is_day: bool) -> str:
    if is_day:
        return str(formats.date_format(when, "DATE_FORMAT"))
    if timezone.is_naive(when):
        return str(formats.date_format(when, "DATETIME_FORMAT"))
    try:
        local = timezone.localtime(when)
    except OverflowError:  # the first and the last day that Python knows, in another time zone
        return when.isoformat(" ")
    return f"{formats.date_format(local, 'DATETIME_FORMAT')} ({timezone.get_current_timezone_name()})"


def _indented(text: str, column: RowColumn) -> str:
    if column.type in _JSON:
        return indent_json(text)
    return indent_array(text) if column.category == "A" else text


def _whole(cell: Cell, url: str) -> SafeString:
    count = {"count": number(cell.length)}
    if not url:
        return format_html("<p>{}</p>", _("The beginning of %(count)s characters.") % count)
    return format_html('<p><a href="{}">{}</a></p>', url, _("Show the whole (%(count)s characters)") % count)
