"""Sync states in the form of releases before 1.0."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from orm_views_core.database.sync_state import SyncState


def as_json(state: SyncState) -> str:
    """Return a sync state as an earlier release wrote it."""
    values: dict[str, Any] = {"orm_views": 1}
    for name, value in vars(state).items():
        if isinstance(value, dt.datetime):
            values[name] = value.isoformat(timespec="milliseconds")
        elif value is not False and value is not None and value != ():  # 0.0 == False
            values[name] = value
    return json.dumps(values, ensure_ascii=False)


def as_old_comment(text: str, state: SyncState) -> str:
    """Return the COMMENT of a view as an earlier release wrote it."""
    return f"{text}\n\n{as_json(state)}" if text else as_json(state)
