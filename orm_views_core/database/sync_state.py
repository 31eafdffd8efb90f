"""The sync state at the end of a view's COMMENT: all that a sync remembers, kept on the object it is about.

It commits with the view, dies with it, follows renames, dumps and restores, and needs no table.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

_VERSION = 1
_START = '{"orm_views":'
_encode = json.JSONEncoder(ensure_ascii=False).encode


@dataclasses.dataclass(frozen=True)
class SyncState:
    """What a sync wrote down about a view.

    Attributes:
        database: the alias it was synced under; two aliases may lead to one database.
        code: the fingerprint of the class then.
        installed: the fingerprint of what PostgreSQL made of it.
        synced: when it was last created, replaced or rebuilt.
        refreshed: the moment as of which a materialised view's rows are: what was committed until then is in
            them.
        seconds: how long that took.
        indexes: the names of the indexes that are ours; others were made by hand.
        options: the names of the options that are ours; others were set by hand.
        text_by_hand: whether the text before the sync state is somebody's own: its class has no docstring.
        sources: for a SELECT with a star, a hash of the columns of what it reads.
        granted: the roles that the class and the settings granted SELECT to.
        granted_by_command: the roles that only ``--grant-select-permissions-to-user`` named.
        changes: how many changes of rows PostgreSQL had counted in what it reads, when it was refreshed.
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
        """Return the sync state as JSON, what is empty left out."""
        values: dict[str, Any] = {"orm_views": _VERSION}
        for name, value in vars(self).items():
            if isinstance(value, dt.datetime):
                values[name] = value.isoformat(timespec="milliseconds")
            elif value is not False and value is not None and value != ():  # 0.0 == False
                values[name] = value
        return _encode(values)

    @classmethod
    def load(cls, values: Mapping[str, Any]) -> SyncState:
        """Make a sync state of parsed JSON.

        Raises:
            KeyError, TypeError, ValueError: when it is not one of ours.
        """
        refreshed = values.get("refreshed")
        return cls(
            database=values["database"],
            code=values["code"],
            installed=values["installed"],
            synced=_moment(values["synced"]),
            refreshed=_moment(refreshed) if refreshed else None,
            seconds=_number(values.get("seconds")),
            indexes=tuple(values.get("indexes", ())),
            options=tuple(values.get("options", ())),
            text_by_hand=bool(values.get("text_by_hand", False)),
            sources=values.get("sources"),
            granted=tuple(values.get("granted", ())),
            granted_by_command=tuple(values.get("granted_by_command", ())),
            changes=_number(values.get("changes")),
        )


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment


def _number(value: Any) -> Any:
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0):
        return value
    raise ValueError(f"{value!r} is no number")


def join_comment(text: str, state: SyncState) -> str:
    """Return the COMMENT of a view: what people read, then the sync state."""
    return f"{text}\n\n{state.dump()}" if text else state.dump()


def split_comment(comment: str | None) -> tuple[str, SyncState | None]:
    """Take a COMMENT apart. One without a readable sync state is all text."""
    comment = comment or ""
    start = comment.rfind(_START)
    if start < 0:
        return comment, None
    try:
        return comment[:start].rstrip("\n"), SyncState.load(json.loads(comment[start:]))
    except (KeyError, TypeError, ValueError):
        return comment, None
