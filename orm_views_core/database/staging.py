"""The names of staging schemas: each one stands for a real schema while views are built or tried in it."""

from __future__ import annotations

from collections.abc import Iterable

_PREFIX = "orm_views_staging"


def staging_schemas(schemas: Iterable[str], suffix: str = "") -> dict[str, str]:
    """Return the name of the staging schema of each schema. The names need no quotes.

    Args:
        schemas: the real schemas; duplicates are allowed.
        suffix: makes the names unique, for a caller that searches texts for them.
    """
    return {schema: f"{_PREFIX}_{i}{suffix}" for i, schema in enumerate(dict.fromkeys(schemas))}
