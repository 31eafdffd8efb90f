"""The names of staging schemas: each one stands for a real schema while views are built or tried in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import count

#: What the names begin with.
PREFIX = "orm_views_staging"


def staging_schemas(schemas: Iterable[str], suffix: str = "", taken: Collection[str] = ()) -> dict[str, str]:
    """Return the name of the staging schema of each schema. The names need no quotes.

    Args:
        schemas: the real schemas; duplicates are allowed.
        suffix: makes the names unique, for a caller that searches texts for them.
        taken: names that somebody has used already.
    """
    names = (f"{PREFIX}_{i}{suffix}" for i in count())
    free = (name for name in names if name not in taken)
    return {schema: next(free) for schema in dict.fromkeys(schemas)}
