"""Days and times as the pages write them: the formats of the active language, read backwards."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from django.utils import dateformat, formats, timezone

_NUMBERS = {
    **dict.fromkeys("dj", r"(?P<day>\d{1,2})"),
    **dict.fromkeys("mn", r"(?P<month>\d{1,2})"),
    **dict.fromkeys("GHgh", r"(?P<hour>\d{1,2})"),
    "Y": r"(?P<year>\d{4})",
    "i": r"(?P<minute>\d\d)",
    "s": r"(?P<second>\d\d)",
}
_PARTS = ("year", "month", "day", "hour", "minute", "second")
#: The letters of Django's formats for a month in words, a day of the week, and a half of the day.
_MONTHS, _WEEKDAYS, _HALVES = "FNMEb", "lD", "aA"


def read_day(text: str) -> dt.date | None:
    """Return the day that a text is in one of the active language's formats; None if it is in none."""
    for name in ("DATE_FORMAT", "SHORT_DATE_FORMAT"):
        if moment := _read(text, str(formats.get_format(name))):
            return moment.date()
    return None


def read_time(text: str) -> dt.datetime | None:
    """Return the day and time that a text is in one of the active language's formats; None if it is in none.

    It has the current time zone if the name of that is behind it in parentheses, as in the title of a value.
    """
    zone = f" ({timezone.get_current_timezone_name()})"
    for name in ("DATETIME_FORMAT", "SHORT_DATETIME_FORMAT"):
        if moment := _read(text.removesuffix(zone), str(formats.get_format(name))):
            is_local = text.endswith(zone)
            return moment.replace(tzinfo=timezone.get_current_timezone()) if is_local else moment
    return None


def _read(text: str, pattern: str) -> dt.datetime | None:
    """Return what a text is in a format of Django's; upper and lower case are the same."""
    found = re.fullmatch("".join(_expressions(pattern)), _plain(text), re.ASCII)
    if not found:
        return None
    parts = {name: part for name, part in found.groupdict().items() if part}
    numbers = {name: int(part) for name, part in parts.items() if part.isdigit()}
    if word := parts.get("word"):
        numbers["month"] = _months(pattern)[word]
    if half := parts.get("half"):
        numbers["hour"] = numbers.get("hour", 0) % 12 + 12 * _halves()[half]
    if clock := parts.get("clock"):
        numbers["hour"] = _named_hours()[clock]
    year, month, day, hour, minute, second = (numbers.get(part, 0) for part in _PARTS)
    try:
        return dt.datetime(year, month, day, hour, minute, second)
    except ValueError:  # a part of the day is missing, or there is no such day
        return None


def _expressions(pattern: str) -> Iterator[str]:
    """Yield the regular expressions of a format's letters. Nothing matches a letter that is not known."""
    half = f"(?P<half>{_any_of(_halves())})"
    letters = iter(pattern)
    for letter in letters:
        if letter == "\\":
            yield _literal(next(letters, ""))
        elif letter in _NUMBERS:
            yield _NUMBERS[letter]
        elif letter in _MONTHS:
            yield f"(?P<word>{_any_of(_months(pattern))})"
        elif letter in _WEEKDAYS:
            yield f"(?:{_any_of(_weekdays())})"
        elif letter in _HALVES:
            yield half
        elif letter == "P":
            clock = rf"(?P<hour>\d{{1,2}})(?::(?P<minute>\d\d))? {half}"
            yield f"(?:{clock}|(?P<clock>{_any_of(_named_hours())}))"
        elif letter.isascii() and letter.isalpha():
            yield "(?!)"
        else:
            yield _literal(letter)


def _literal(letter: str) -> str:
    return re.escape(" " if letter.isspace() else letter.casefold())


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _any_of(words: Mapping[str, object]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _months(pattern: str) -> dict[str, int]:
    """Return the numbers of the months by their names, short ones and those that follow a number as well.

    Those that a format has come first: a name of one month may be the short name of another. A name that
    stands for several months is left out.
    """
    own = _named(letter for letter in _MONTHS if letter in pattern)
    return {name: min(found) for name, found in {**_named(_MONTHS), **own}.items() if len(found) == 1}


def _named(letters: Iterable[str]) -> dict[str, set[int]]:
    """Return the numbers of the months that have a name in one of several letters of formats."""
    months: defaultdict[str, set[int]] = defaultdict(set)
    for letter, number in product(letters, range(1, 13)):
        months[_plain(dateformat.format(dt.date(2000, number, 1), letter))].add(number)
    return months


def _weekdays() -> dict[str, int]:
    days = (dt.date(2000, 1, number) for number in range(1, 8))
    return {_plain(dateformat.format(day, letter)): day.weekday() for day, letter in product(days, _WEEKDAYS)}


def _halves() -> dict[str, bool]:
    """Return whether a word stands for the afternoon."""
    hours = product((False, True), _HALVES)
    return {_plain(dateformat.time_format(dt.time(12 * late), letter)): late for late, letter in hours}


def _named_hours() -> dict[str, int]:
    return {_plain(dateformat.time_format(dt.time(hour), "P")): hour for hour in (0, 12)}
