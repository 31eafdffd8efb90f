"""The sync states of releases before 1.0, which are JSON. They are read; the next sync writes them anew."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any

from .state_values import count, moment, seconds, text

#: Such a sync state begins with this.
START = '{"orm_views":'

# A state has one level of lists. Later versions may have more.
_LONGEST, _DEEPEST = 1_000_000, 10
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def read_json(comment: str) -> dict[str, Any]:
    """Return the values of a sync state, by the attributes of ``SyncState``.

    Raises:
        TypeError, ValueError: when it is no such JSON, or a value is one that no sync writes.
    """
    if len(comment) > _LONGEST or _depth(comment) > _DEEPEST:
        raise ValueError("it is too long or too deep")
    values = {name: value for name, value in json.loads(comment).items() if value is not None}
    return {name: read(values[name]) for name, read in _READERS.items() if name in values}


def _depth(comment: str) -> int:
    """Return how deep JSON is nested."""
    brackets = _BRACKET.findall(_STRING.sub("", comment))
    return max(accumulate(1 if bracket in "[{" else -1 for bracket in brackets), default=0)


def _moment(value: Any) -> dt.datetime:
    return moment(dt.datetime.fromisoformat(value))


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError(f"{value!r} is neither true nor false")


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(map(text, value))
    raise TypeError(f"{value!r} is no list")


_READERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("database", "code", "installed", "sources"), text),
    **dict.fromkeys(("synced", "refreshed"), _moment),
    **dict.fromkeys(("indexes", "options", "granted", "granted_by_command"), _texts),
    "seconds": seconds,
    "text_by_hand": _flag,
    "changes": count,
}
