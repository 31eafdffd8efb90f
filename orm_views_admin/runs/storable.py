"""Text that PostgreSQL stores: what an exception says may be any."""

from __future__ import annotations


def storable(text: str) -> str:
    """Return a text with what PostgreSQL takes in none replaced: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
