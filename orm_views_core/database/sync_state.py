"""The sync state of a view: what the last sync recorded about it. It is stored in the view's COMMENT.

So it is committed and dropped with the view, follows renames, dumps and restores, and needs no table. Anybody
who owns a view can write its comment by hand. Whoever reads a sync state from a database has to know that the
owner is trusted. What is read here is checked all the same: a value that no sync writes is no sync state.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any

_VERSION = 1
_START = '{"orm_views":'
_encode = json.JSONEncoder(ensure_ascii=False).encode

# A state has one level of lists. Later versions may have more.
_LONGEST, _DEEPEST = 1_000_000, 10
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
#: The range of times. Each of them, and the end of a refresh that began then, exists in every time zone.
_FIRST, _LAST = (dt.datetime(year, 1, 1, tzinfo=dt.timezone.utc) for year in (1970, 3000))
_MOST_SECONDS = 100 * 366 * 86_400.0
_MOST_CHANGES = 2**63 - 1


@dataclasses.dataclass(frozen=True)
class SyncState:
    """What a sync records about a view.

    Attributes:
        database: the alias that it was synced under; two aliases may lead to one database.
        code: the fingerprint of its class.
        installed: the fingerprint of what PostgreSQL stores of it.
        synced: when it was last created, replaced or rebuilt.
        refreshed: how current a materialised view's rows are: they contain everything committed until then.
        seconds: how many seconds it took to compute the rows.
        indexes: the names of the indexes that a sync created; others were created by hand.
        options: the names of the options that a sync set; others were set by hand.
        text_by_hand: whether the rest of the comment was written by hand, because the class has no docstring.
        sources: for a SELECT with a star, a hash of the columns of what it reads.
        granted: the roles that got SELECT because the class or the settings name them.
        granted_by_command: the roles that only ``--grant-select-permissions-to-user`` named.
        changes: how many row changes PostgreSQL had counted in what the view reads, at the last refresh.
    """

    database: str
    code: str
    installed: str
    synced: dt.datetime
    refreshed: dt.datetime | None = None
    seconds: float | None = None
    indexes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    text_by_hand: bool = False
    sources: str | None = None
    granted: tuple[str, ...] = ()
    granted_by_command: tuple[str, ...] = ()
    changes: int | None = None

    def dump(self) -> str:
        """Return the sync state as JSON, without empty values."""
        values: dict[str, Any] = {"orm_views": _VERSION}
        for name, value in vars(self).items():
            if isinstance(value, dt.datetime):
                values[name] = value.isoformat(timespec="milliseconds")
            elif value is not False and value is not None and value != ():  # 0.0 == False
                values[name] = value
        return _encode(values)

    @classmethod
    def load(cls, text: str) -> SyncState:
        """Return the sync state that JSON contains.

        Raises:
            KeyError, TypeError, ValueError: when it contains none.
        """
        if len(text) > _LONGEST or _depth(text) > _DEEPEST:
            raise ValueError("it is too long or too deep")
        values = {name: value for name, value in json.loads(text).items() if value is not None}
        return cls(**{name: read(values[name]) for name, read in _READERS.items() if name in values})


def _depth(text: str) -> int:
    """Return how deep JSON is nested."""
    brackets = _BRACKET.findall(_STRING.sub("", text))
    return max(accumulate(1 if bracket in "[{" else -1 for bracket in brackets), default=0)


def _moment(value: Any) -> dt.datetime:
    moment = dt.datetime.fromisoformat(value)
    # The comparison fails for a time without a zone.
    if not _FIRST <= moment < _LAST:
        raise ValueError(f"{value!r} is no time of a sync")
    return moment.astimezone(dt.timezone.utc)


def _number(value: Any, most: float, *types: type) -> Any:
    # A bool is an int. NaN is in no range.
    if type(value) in types and 0 <= value <= most:
        return value
    raise ValueError(f"{value!r} is not a number from 0 to {most}")


def _seconds(value: Any) -> float:
    return float(_number(value, _MOST_SECONDS, int, float))


def _count(value: Any) -> int:
    return int(_number(value, _MOST_CHANGES, int))


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError(f"{value!r} is neither true nor false")


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"{value!r} is no text")
    value.encode()  # fails when it has half of a surrogate pair
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(map(_text, value))
    raise TypeError(f"{value!r} is no list")


_READERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("database", "code", "installed", "sources"), _text),
    **dict.fromkeys(("synced", "refreshed"), _moment),
    **dict.fromkeys(("indexes", "options", "granted", "granted_by_command"), _texts),
    "seconds": _seconds,
    "text_by_hand": _flag,
    "changes": _count,
}


def join_comment(text: str, state: SyncState) -> str:
    """Return the COMMENT of a view: the text for people, then the sync state."""
    return f"{text}\n\n{state.dump()}" if text else state.dump()


def split_comment(comment: str | None) -> tuple[str, SyncState | None]:
    """Return the text and the sync state of a COMMENT. A comment without a valid sync state is all text."""
    comment = comment or ""
    start = comment.rfind(_START)
    if start < 0:
        return comment, None
    try:
        return comment[:start].rstrip("\n"), SyncState.load(comment[start:])
    except (KeyError, TypeError, ValueError):
        return comment, None
