"""Values of conditions, as the engines compare them: numbers, and days and times as ISO 8601 has them."""

from __future__ import annotations

import datetime as dt
import re

from orm_views_core.database.rows import RowColumn
from orm_views_core.exceptions import BadConditionError
from orm_views_core.quoting import unquoted
from orm_views_core.sentences import says

from .kinds import Kind, KindColumn

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_BOOLEANS = {"t": "1", "true": "1", "1": "1", "f": "0", "false": "0", "0": "0"}
_MOMENT = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:[T ](\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?"
    r" ?(Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_CLOCK = re.compile(r"(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?", re.ASCII)
#: The days that people name without a date, as days from today.
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}


def as_sent(text: str, column: KindColumn, zone: dt.tzinfo | None) -> str:
    """Return a value as it is sent to the engine.

    Args:
        text: the value as a condition has it.
        column: the column that it is compared with.
        zone: the time zone of the moments in the database; None for that of the process.

    Raises:
        BadConditionError: it is no value of the column's kind.
    """
    try:
        found = _read(text, column.kind, zone)
    except (ValueError, OverflowError):  # the 31st of June
        found = None
    if found is None:
        raise _bad(text, column.column)
    return found


def _read(text: str, kind: Kind, zone: dt.tzinfo | None) -> str | None:
    """Return a value as it is sent; None if it is none of the kind."""
    stripped = text.strip()
    if kind is Kind.NUMBER:
        return stripped if NUMBER.fullmatch(stripped) else None
    if kind is Kind.BOOLEAN:
        return _BOOLEANS.get(stripped.lower())
    if kind is Kind.TIME:
        return _time(stripped, zone)
    if kind in (Kind.DAY, Kind.MOMENT):
        moment = _moment(stripped, zone)
        if moment is None:
            return None
        return moment.date().isoformat() if kind is Kind.DAY else moment.isoformat(" ")
    return stripped.upper() if kind is Kind.BINARY else text


def _moment(text: str, zone: dt.tzinfo | None) -> dt.datetime | None:
    now = dt.datetime.now(zone).replace(tzinfo=None)
    word, _, rest = text.partition(" ")
    if word.lower() == "now" and not rest:
        return now
    if word.lower() in _DAYS:
        day = now.date() + dt.timedelta(days=_DAYS[word.lower()])
        text = f"{day.isoformat()} {rest}".rstrip()
    found = _MOMENT.fullmatch(text)
    if not found:
        return None
    year, month, day_, hour, minute, second, fraction, offset = found.groups()
    day = dt.date(int(year), int(month), int(day_))
    clock = dt.time(int(hour or 0), int(minute or 0), int(second or 0), int((fraction or "").ljust(6, "0")))
    moment = dt.datetime.combine(day, clock)
    if offset is None:
        return moment
    return moment.replace(tzinfo=_offset(offset)).astimezone(zone).replace(tzinfo=None)


def _offset(text: str) -> dt.tzinfo:
    if text == "Z":
        return dt.timezone.utc
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return dt.timezone(-offset if text.startswith("-") else offset)


def _time(text: str, zone: dt.tzinfo | None) -> str | None:
    if found := _CLOCK.fullmatch(text):
        hour, minute, second, fraction = found.groups()
        time = dt.time(int(hour), int(minute), int(second or 0), int((fraction or "").ljust(6, "0")))
        return time.isoformat()
    moment = _moment(text, zone)
    return moment.time().isoformat() if moment else None


def _bad(value: str, column: RowColumn) -> BadConditionError:
    what = says(
        "%(value)r is not a value of the type %(type)s, which the column %(column)r has",
        value=value,
        type=column.type,
        column=column.name,
    )
    return BadConditionError(
        unquoted(says("%(what)s.", what=what)), column=column.name, type_=column.type, value=value
    )
