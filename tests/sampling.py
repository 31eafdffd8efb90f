"""How much is tried: the suite tries a sample of what takes long, and a session of nox tries all of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def sample(cases: Iterable[T], step: int, session: str = "ATTACKS") -> list[T]:
    """Return every so manieth of some cases; all of them in the session that sets a variable."""
    return list(cases)[:: 1 if os.environ.get(session) else step]
