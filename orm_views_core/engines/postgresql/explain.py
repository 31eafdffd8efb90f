"""What PostgreSQL's planner expects of a statement, which is not run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper

EXPLAIN = "EXPLAIN (FORMAT JSON) "


def explain(cursor: CursorWrapper, sql: str, params: Sequence[Any] = ()) -> dict[str, Any]:
    """Return the topmost node of the plan of a statement."""
    cursor.execute(EXPLAIN + sql, params)
    (explained,) = cursor.fetchone()
    return top_of(explained)


def top_of(explained: Any) -> dict[str, Any]:
    """Return the topmost node of what EXPLAIN has returned. Some cursors leave JSON as text."""
    found: dict[str, Any] = (json.loads(explained) if isinstance(explained, str) else explained)[0]["Plan"]
    return found
