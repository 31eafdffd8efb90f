"""Messages of the system checks: the level follows from the id, and each begins with what it is about."""

from __future__ import annotations

from django.core import checks
from django.core.checks import CheckMessage

from orm_views_core.views.identity import describe


def message(number: str, about: type | str, problem: str, hint: str) -> CheckMessage:
    """Return a message with the id ``orm_views_core.<number>``.

    Args:
        number: E001 and so on is an error; W001 and so on is a warning.
        about: a view class, which the message names with its file and line; or other words.
        problem: what is wrong.
        hint: what to do.
    """
    where = about if isinstance(about, str) else describe(about)
    level = checks.Error if number.startswith("E") else checks.Warning
    return level(f"{where}: {problem}", hint=hint, id=f"orm_views_core.{number}")
