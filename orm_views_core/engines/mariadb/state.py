"""The table in which MariaDB keeps what syncs record: a view has no comment there.

The first sync that has something to record creates it. A dump has it beside the views. Whoever may write to
all tables of the database may write to it: what it says is believed of views whose definer is trusted, and
of nothing else. So he can have such a view dropped or left as it is, and gets no rights by that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote

from django.db import DatabaseError
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.sync_state import SyncState
from orm_views_core.names import ViewName

from .errors import NO_TABLE, number_of

TABLE = "orm_views_sync_state"
_CREATE = f"""CREATE TABLE IF NOT EXISTS `{TABLE}` (
    `name` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
    `view` text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    `state` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL
)"""
_WRITE = f"REPLACE INTO `{TABLE}` (`name`, `view`, `state`) VALUES (%s, %s, %s)"


class Recorded(NamedTuple):
    """What a sync has recorded of a view.

    Attributes:
        name: the schema and the name by which its class calls it.
        state: its sync state.
    """

    name: ViewName
    state: SyncState


def read_states(cursor: CursorWrapper) -> Mapping[str, Recorded]:
    """Return what syncs have recorded, by the names in the database. What no sync writes is left out."""
    try:
        cursor.execute(f"SELECT `name`, `view`, `state` FROM `{TABLE}`")
    except DatabaseError as error:
        if number_of(error) != NO_TABLE:
            raise
        return {}
    found = {}
    for flat, identity, line in cursor.fetchall():
        try:
            schema, name = (unquote(part, errors="strict") for part in identity.split("."))
            found[flat] = Recorded(ViewName(schema, name), SyncState.load(line))
        except (TypeError, ValueError):
            continue
    return found


def write_state(cursor: CursorWrapper, flat: str, name: ViewName, state: SyncState) -> None:
    """Record the state of a view.

    Args:
        cursor: of the database.
        flat: its name in the database.
        name: the schema and the name by which its class calls it.
        state: its state.
    """
    values = [flat, f"{_quote(name.schema)}.{_quote(name.name)}", state.dump()]
    try:
        cursor.execute(_WRITE, values)
    except DatabaseError as error:
        if number_of(error) != NO_TABLE:
            raise
        cursor.execute(_CREATE)
        cursor.execute(_WRITE, values)


def forget(cursor: CursorWrapper, names: Collection[str]) -> None:
    """Delete what was recorded of views that are gone."""
    if names:
        cursor.execute(f"DELETE FROM `{TABLE}` WHERE `name` IN ({', '.join(['%s'] * len(names))})", [*names])


def _quote(name: str) -> str:
    return quote(name, safe="").replace(".", "%2E")
