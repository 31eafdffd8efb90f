"""Which groups of users may do what with a view: the ``staff`` of its class. Pure.

Core knows neither users nor actions. It checks the form, and hands it on to the pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

#: The names of groups by the name of an action, sorted.
Staff = tuple[tuple[str, tuple[str, ...]], ...]

_EXAMPLE = "such as {'preview': ['analysts']}"


def problems_of(value: object) -> Iterator[tuple[str, str]]:
    """Yield the mistakes in a ``staff``, each with what to write instead."""
    if not isinstance(value, Mapping):
        yield f"its staff is {value!r}.", f"Give a dict of actions with lists of names of groups, {_EXAMPLE}."
        return
    for action, groups in value.items():
        if not isinstance(action, str) or not action:
            yield f"its staff has the action {action!r}.", f"Give the name of an action, {_EXAMPLE}."
        elif not isinstance(groups, (list, tuple)) or not all(
            isinstance(group, str) and group for group in groups
        ):
            yield (
                f"its staff has {action!r}: {groups!r}.",
                f"Give a list of names of groups, {_EXAMPLE}. An empty list stands for superusers only.",
            )


def staff_of(value: Mapping[str, object]) -> Staff:
    """Return a ``staff`` without mistakes as a value that cannot be changed."""
    return tuple(sorted((action, tuple(groups)) for action, groups in value.items()))  # type: ignore[arg-type]
