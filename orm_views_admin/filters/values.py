"""Values that people type into filters, as PostgreSQL writes them.

A value is understood as the page shows it, and as people write it in the active language. What could be both
is read as the page shows it. PostgreSQL decides about everything else: it knows its types.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Callable, Iterator

from django.utils import formats
from django.utils.translation import gettext as _

from orm_views_admin.ui.wording import listed
from orm_views_core.database.rows import RowColumn, Span

from .dates import read_day, read_time

_NUMBER = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|[+-]?inf(?:inity)?", re.ASCII | re.IGNORECASE
)
#: A whole number in groups of three digits. A number with one point is this in columns of whole numbers only.
_POINTED = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+", re.ASCII)
_WHOLE = ("smallint", "integer", "bigint", "oid")
#: The types whose values are moments, so that a day has many of them.
_MOMENTS = ("timestamp without time zone", "timestamp with time zone")
_TIMES = ("time without time zone", "time with time zone")
_MINUS = "\N{MINUS SIGN}"
#: The separators of thousands that are written with a blank: languages differ in which one.
_BLANKS = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
#: What PostgreSQL reads as a day or time in one way only, whatever its DateStyle.
_ISO = re.compile(r"[+-]?\d{4,}-\d\d?-\d\d?(?:[T ].*)?(?: BC)?", re.ASCII | re.IGNORECASE)
_CLOCK = re.compile(r"\d\d?:\d\d.*", re.ASCII)
_DAYS = ("today", "tomorrow", "yesterday")
_WORDS = ("infinity", "-infinity", "now", *_DAYS, "epoch")
_DAY = re.compile(r"(\d{4,}-\d\d?-\d\d?)( BC)?", re.ASCII | re.IGNORECASE)
#: The first and the last time of a day. PostgreSQL's times have microseconds.
_FIRST, _LAST = "00:00:00", "23:59:59.999999"
_YES_OR_NO = {
    **dict.fromkeys(("y", "yes", "t", "true", "on", "1"), "t"),
    **dict.fromkeys(("n", "no", "f", "false", "off", "0"), "f"),
}


class NotUnderstoodError(ValueError):
    """A value is not understood. ``str()`` says why, and what is expected."""


def understand(text: str, column: RowColumn) -> str:
    """Return a value as PostgreSQL writes it.

    Raises:
        NotUnderstoodError: if it cannot be a value of the column's type.
    """
    if column.category == "S":
        return text
    text = text.strip()
    if not text:
        raise NotUnderstoodError(_("Type a value."))
    read = _READERS.get(_category(column))
    found = read(text, column) if read else text
    if found is None:
        raise NotUnderstoodError(refusal(text, column))
    return found


def refusal(text: str, column: RowColumn) -> str:
    """Return that a text is no value of a column, and what is expected."""
    values = {"text": text, "type": column.type, "expected": _expected(column)}
    return _("“%(text)s” is no value of the type %(type)s. Expected is %(expected)s.") % values


def split_list(text: str) -> list[str]:
    """Return the values of a list, which are separated by commas. Those with a comma are in double quotes."""
    lines = csv.reader(text.splitlines(), skipinitialspace=True)
    return [value for line in lines for value in line if value.strip()]


def examples(category: str, type_name: str = "") -> Iterator[str]:
    """Yield examples of values of a category of types, first as the active language writes them."""
    if category == "N":
        number = 1234 if type_name in _WHOLE else 1234.5
        yield str(formats.number_format(number, use_l10n=True, force_grouping=True))
        yield str(number)
    elif category == "D":
        day = dt.date(2026, 6, 30)
        yield day.strftime(_day_formats()[0])
        yield day.isoformat()


def whole_day(value: str, column: RowColumn) -> Span | None:
    """Return the first and the last moment of a day; None if a value of a column is a single one.

    Args:
        value: as :func:`understand` returns it.
        column: its column.
    """
    if _base(column) not in _MOMENTS:
        return None
    if value.lower() in _DAYS:
        return Span(f"{value} {_FIRST}", f"{value} {_LAST}")
    if found := _DAY.fullmatch(value):
        era = found[2] or ""
        return Span(f"{found[1]} {_FIRST}{era}", f"{found[1]} {_LAST}{era}")
    return None


def _base(column: RowColumn) -> str:
    """Return the name of a column's type without modifiers; of a domain, that of the type below it."""
    return column.base or column.type


def _category(column: RowColumn) -> str:
    """Return the category of a column's type. PostgreSQL counts names such as ``regclass`` as numbers."""
    return column.category if column.is_ordered or column.category != "N" else ""


def _number(text: str, column: RowColumn) -> str | None:
    text = text.replace(_MINUS, "-")
    thousands = str(formats.get_format("THOUSAND_SEPARATOR"))
    if _base(column) in _WHOLE and thousands == "." and _POINTED.fullmatch(text):
        return text.replace(".", "")
    if _NUMBER.fullmatch(text):
        return text
    point = re.escape(str(formats.get_format("DECIMAL_SEPARATOR")))
    comma = f"[{_BLANKS if thousands in _BLANKS else re.escape(thousands)}'\N{RIGHT SINGLE QUOTATION MARK}]"
    found = re.fullmatch(rf"([+-]?)(\d{{1,3}}(?:{comma}\d{{3}})+|\d*)(?:{point}(\d+))?", text, re.ASCII)
    if not found or not (found[2] or found[3]):
        return text if _base(column) == "money" else None  # which is written as the server's locale has it
    whole = re.sub(r"\D", "", found[2]) or "0"
    return f"{found[1]}{whole}{f'.{found[3]}' if found[3] else ''}"


def _day_formats() -> list[str]:
    """Return how days are written in the active language, without the format of ISO 8601."""
    return [each for each in formats.get_format("DATE_INPUT_FORMATS") if each != "%Y-%m-%d"] or ["%Y-%m-%d"]


def _date(text: str, column: RowColumn) -> str | None:
    if text.lower() in _WORDS or _ISO.fullmatch(text):
        return text
    if _CLOCK.fullmatch(text):
        return text if _base(column) in _TIMES else None
    if moment := _parsed(text, _day_formats()):
        return moment.date().isoformat()
    if moment := _parsed(text, formats.get_format("DATETIME_INPUT_FORMATS")) or read_time(text):
        return moment.isoformat(" ")
    return day.isoformat() if (day := read_day(text)) else None


def _parsed(text: str, patterns: list[str]) -> dt.datetime | None:
    for pattern in patterns:
        try:
            return dt.datetime.strptime(text, pattern)
        except ValueError:
            continue
    return None


def _boolean(text: str, column: RowColumn) -> str | None:
    yes, no, *_rest = _("yes,no,maybe").split(",")  # translated by Django
    return (_YES_OR_NO | {yes.lower(): "t", no.lower(): "f"}).get(text.lower())


#: What reads the values of a category of types; None for a text that is no such value.
_READERS: dict[str, Callable[[str, RowColumn], str | None]] = {"N": _number, "D": _date, "B": _boolean}


def _expected(column: RowColumn) -> str:
    category = _category(column)
    shown = list(dict.fromkeys(examples(category, _base(column))))
    if category == "B":
        return _("yes or no")
    if column.choices:
        return _("one of: %(choices)s") % {"choices": listed(column.choices)}
    if category == "N":
        return _("a number such as %(examples)s") % {"examples": _(" or ").join(shown)}
    if category == "D" and _base(column) in _TIMES:
        return _("a time of day such as 13:45")
    if category == "D":
        return _("a date such as %(examples)s") % {"examples": _(" or ").join(shown)}
    return _("a value as the table shows it")
