"""An access to rows as a record for other programs: nothing is translated, and times are in UTC."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from orm_views_admin.datetimes import in_utc
from orm_views_admin.models import RowAccess

_FACTS: dict[str, Callable[[RowAccess], Any]] = {
    "at": lambda access: in_utc(access.at),
    "who": lambda access: access.who,
    "kind": lambda access: access.kind,
    "database": lambda access: access.database,
    "schema": lambda access: access.schema,
    "view": lambda access: access.name,
    "about": lambda access: access.about,
    "conditions": lambda access: json.dumps(
        [[each["column"], each["operator"], each["values"]] for each in access.conditions],
        ensure_ascii=False,
    ),
    "rows": lambda access: access.rows,
    "with_personal": lambda access: access.with_personal,
    "run": lambda access: str(access.run.request) if access.run else None,
}

COLUMNS = tuple(_FACTS)


def record(access: RowAccess) -> list[Any]:
    """Return the values of an access in the order of ``COLUMNS``."""
    return [fact(access) for fact in _FACTS.values()]
