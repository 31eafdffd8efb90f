"""The values that a sync state may have. Anybody who owns a view can write a comment that looks like one."""

from __future__ import annotations

import datetime as dt
from typing import Any

#: The range of times. Each of them, and the end of a refresh that began then, exists in every time zone.
_FIRST, _LAST = (dt.datetime(year, 1, 1, tzinfo=dt.timezone.utc) for year in (1970, 3000))
_MOST_SECONDS = 100 * 366 * 86_400.0
_MOST_CHANGES = 2**63 - 1


def moment(value: dt.datetime) -> dt.datetime:
    """Return a time in UTC.

    Raises:
        TypeError, ValueError: when it has no time zone, or no sync can have written it.
    """
    if not _FIRST <= value < _LAST:
        raise ValueError(f"{value!r} is no time of a sync")
    return value.astimezone(dt.timezone.utc)


def seconds(value: Any) -> float:
    """Return a duration.

    Raises:
        ValueError: when it is no number, or out of range.
    """
    return float(_number(value, _MOST_SECONDS, int, float))


def count(value: Any) -> int:
    """Return a number of changes.

    Raises:
        ValueError: when it is no whole number, or out of range.
    """
    return int(_number(value, _MOST_CHANGES, int))


def _number(value: Any, most: float, *types: type) -> Any:
    # A bool is an int. NaN is in no range.
    if type(value) in types and 0 <= value <= most:
        return value
    raise ValueError(f"{value!r} is not a number from 0 to {most}")


def text(value: Any) -> str:
    """Return a text that PostgreSQL can store.

    Raises:
        ValueError: when it is none.
    """
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"{value!r} is no text")
    value.encode()  # fails when it has half of a surrogate pair
    return value
