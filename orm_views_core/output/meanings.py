"""What means something else once a plan is carried out, as text and as JSON, for the commands. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orm_views_core.names import printable
from orm_views_core.plan.meanings import ChangedMeaning

_VIEWS = 20  # that get a line each
_NAMES = 8  # in a list


def meaning_lines(meanings: Sequence[ChangedMeaning], *, every: bool = False) -> Iterator[str]:
    """Yield a line for each view: its columns and rows that mean something else, and where that comes from.

    Args:
        meanings: what means something else.
        every: whether to name all, however many there are.
    """
    if not meanings:
        return
    yield "What means something else afterwards:"
    shown = meanings if every else meanings[:_VIEWS]
    for each in shown:
        yield f"  {_line(each, every)}"
    if more := len(meanings) - len(shown):
        yield f"  and in {more} more view{'s' if more > 1 else ''}; -v 2 names all"


def _line(each: ChangedMeaning, every: bool) -> str:
    whose = "" if each.is_ours else ", which is not ours"
    parts = ["its rows"] if each.rows else []
    if each.columns:
        names = listed([printable(column) for column in each.columns], every=every)
        parts.insert(0, f"column{'s' if len(each.columns) > 1 else ''} {names}")
    way = f", by way of {listed([*map(str, each.by_way_of)], every=every)}" if each.by_way_of else ""
    unsure = "" if each.is_exact else "; its SELECT could not be read to the end, so perhaps not all of that"
    return f"{each.view}{whose}: {' and '.join(parts)}{way}{unsure}"


def listed(names: Sequence[str], *, every: bool = False) -> str:
    """Return names with commas between them, and how many more there are.

    Args:
        names: the names.
        every: whether to name all.
    """
    shown = names if every else names[:_NAMES]
    more = len(names) - len(shown)
    return ", ".join([*shown, *([f"{more} more"] if more else [])])


def meanings_as_list(meanings: Sequence[ChangedMeaning]) -> list[dict[str, Any]]:
    """Return the same for JSON."""
    return [
        {
            "view": str(each.view),
            "is_ours": each.is_ours,
            "columns": list(each.columns),
            "rows": each.rows,
            "by_way_of": list(map(str, each.by_way_of)),
        }
        for each in meanings
    ]
