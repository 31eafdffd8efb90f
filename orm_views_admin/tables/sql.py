"""SQL and differences of SQL as a user may read them."""

from __future__ import annotations

from typing import Any

from orm_views_admin.disclosure import About, names_unseen, withheld
from orm_views_admin.ui.sql_markup import DiffLine, diff_lines


def shown_sql(user: Any, text: str, about: About = None) -> str:
    """Return SQL, or a comment that says why it is not shown: it may name what the user may not see."""
    return f"-- {withheld()}" if names_unseen(user, text, about) else text


def shown_difference(user: Any, before: str, after: str, about: About = None) -> list[DiffLine]:
    """Return the lines of a difference; one line that says why if one of the texts is not shown."""
    lines = diff_lines(before, after)
    if lines and any(names_unseen(user, text, about) for text in (before, after)):
        return [DiffLine("same", " ", f"-- {withheld()}")]
    return lines
