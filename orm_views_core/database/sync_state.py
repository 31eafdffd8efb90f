"""The sync state of a view: what the last sync recorded about it. It is stored in the view's COMMENT.

So it is committed and dropped with the view, follows renames, dumps and restores, and needs no table.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

_VERSION = 1
_START = '{"orm_views":'
_encode = json.JSONEncoder(ensure_ascii=False).encode


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
    def load(cls, values: Mapping[str, Any]) -> SyncState:
        """Return the sync state that parsed JSON contains.

        Raises:
            KeyError, TypeError, ValueError: when it contains none.
        """
        fields = {field.name for field in dataclasses.fields(cls)}
        known = {name: value for name, value in values.items() if name in fields and value is not None}
        return cls(**{name: _READERS.get(name, _unchanged)(value) for name, value in known.items()})


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment


def _number(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"{value!r} is no number")


def _unchanged(value: Any) -> Any:
    return value


_READERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("synced", "refreshed"), _moment),
    **dict.fromkeys(("seconds", "changes"), _number),
    **dict.fromkeys(("indexes", "options", "granted", "granted_by_command"), tuple),
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
        return comment[:start].rstrip("\n"), SyncState.load(json.loads(comment[start:]))
    except (KeyError, TypeError, ValueError):
        return comment, None
