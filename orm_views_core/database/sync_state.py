"""The sync state of a view: what the last sync recorded about it. It is stored in the view's COMMENT.

So it is committed and dropped with the view, follows renames, dumps and restores, and needs no table. Anybody
who owns a view can write its comment by hand. Whoever reads a sync state from a database has to know that the
owner is trusted. What is read here is checked all the same: a value that no sync writes is no sync state.

Analysts read comments too, in psql and in catalogs of data. So it is one short line after the text for them::

    Sales by month and city.
    [orm_views b40fc477ceef9481 e606a9084a8806a818218b smx1izs9l rmx1izsgc t0.017 isales_month_city_key]

The first two values are ``code`` and ``installed``. Each of the others begins with a letter that says what it
is. Without the names of indexes, options, roles and the database, the line has at most 120 characters.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from .json_state import START as JSON_START
from .json_state import read_json
from .state_values import count, moment, seconds, text

#: A sync state begins with this.
START = "[orm_views "
_LINE = re.compile(r"\[orm_views ([^\n\[\]]*)\]")
_LONGEST = 300_000  # characters: thousands of names
_DEFAULT = "default"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_MILLISECOND = dt.timedelta(milliseconds=1)


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
        is_json: whether an earlier release has written it.
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
    is_json: bool = dataclasses.field(default=False, compare=False)

    def dump(self) -> str:
        """Return the sync state as a line, without empty values."""
        parts = [_quote(self.code), _quote(self.installed)]
        for letter, (name, write, _) in _FIELDS.items():
            value = getattr(self, name)
            if value is not False and value is not None and value != ():  # 0.0 == False
                parts.append(letter + write(value))
        if self.database != _DEFAULT:
            parts.append(_DATABASE + _quote(self.database))
        return f"{START}{' '.join(parts)}]"

    @classmethod
    def load(cls, line: str) -> SyncState:
        """Return the sync state that a line contains.

        Raises:
            TypeError, ValueError: when it contains none.
        """
        if len(line) > _LONGEST or (match := _LINE.fullmatch(line)) is None:
            raise ValueError(f"{line[:100]!r} is no sync state")
        code, installed, *rest = match[1].split(" ")
        found: dict[str, Any] = {"code": _unquote(code), "installed": _unquote(installed)}
        for part in rest:
            if part[:1] == _DATABASE:
                found["database"] = _unquote(part[1:])
            elif part[:1] in _FIELDS:  # a later release may write others
                name, _, read = _FIELDS[part[:1]]
                found[name] = read(part[1:])
        return cls(**{"database": _DEFAULT, **found})


def _quote(value: str) -> str:
    return quote(value, safe="")


def _unquote(value: str) -> str:
    return text(unquote(value, errors="strict"))


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def _from_base36(digits: str) -> int:
    if not 0 < len(digits) < 15:
        raise ValueError(f"{digits[:20]!r} is no number of a sync state")
    return int(digits, 36)


def _read_seconds(digits: str) -> float:
    if len(digits) > 30:
        raise ValueError(f"{digits[:30]!r} is no duration")
    return seconds(float(digits))


def _read_flag(nothing: str) -> bool:
    if nothing:
        raise ValueError(f"{nothing[:20]!r} after a flag")
    return True


def _read_moment(digits: str) -> dt.datetime:
    try:
        return moment(_EPOCH + _from_base36(digits) * _MILLISECOND)
    except OverflowError as error:
        raise ValueError(str(error)) from error


_NAMES: tuple[Callable[[Any], str], Callable[[str], Any]] = (
    lambda names: ",".join(map(_quote, names)),
    lambda names: tuple(map(_unquote, names.split(","))),
)
_MOMENT: tuple[Callable[[Any], str], Callable[[str], Any]] = (
    lambda value: _base36((value - _EPOCH) // _MILLISECOND),
    _read_moment,
)
_DATABASE = "d"
#: The values by their letters: the attribute, how it is written, and how it is read.
_FIELDS: Mapping[str, tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    "s": ("synced", *_MOMENT),
    "r": ("refreshed", *_MOMENT),
    "t": ("seconds", lambda value: f"{value:.3f}".rstrip("0").rstrip("."), _read_seconds),
    "c": ("changes", _base36, lambda digits: count(_from_base36(digits))),
    "x": ("sources", _quote, _unquote),
    "h": ("text_by_hand", lambda value: "", _read_flag),
    "i": ("indexes", *_NAMES),
    "o": ("options", *_NAMES),
    "g": ("granted", *_NAMES),
    "k": ("granted_by_command", *_NAMES),
}


def join_comment(text: str, state: SyncState) -> str:
    """Return the COMMENT of a view: the text for people, then the sync state on a line of its own."""
    return f"{text}\n{state.dump()}" if text else state.dump()


def split_comment(comment: str | None) -> tuple[str, SyncState | None]:
    """Return the text and the sync state of a COMMENT. A comment without a valid sync state is all text."""
    comment = comment or ""
    try:
        if comment.endswith("]") and (start := comment.rfind(START)) >= 0:
            return comment[:start].removesuffix("\n"), SyncState.load(comment[start:])
        if comment.endswith("}") and (start := comment.rfind(JSON_START)) >= 0:
            state = SyncState(**read_json(comment[start:]), is_json=True)
            return comment[:start].rstrip("\n"), state
    except (TypeError, ValueError):
        pass
    return comment, None
