"""Comparing what a view has with what it should have."""

from __future__ import annotations

from typing import Any


def spelled(value: Any) -> Any:
    """Return a value so that two are equal only if their types are, and those of what is in them."""
    return type(value), bytes(value) if isinstance(value, memoryview) else repr(value)
