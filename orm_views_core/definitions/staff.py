"""Which groups of users may do what with a view: the ``staff`` of its class. Pure.

Core knows neither users nor actions. It checks the form, and hands it on to the pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orm_views_core.sentences import Sentence, says

#: The names of groups by the name of an action, sorted.
Staff = tuple[tuple[str, tuple[str, ...]], ...]

_EXAMPLE = says("such as {'preview': ['analysts']}")


def problems_of(value: object) -> Iterator[tuple[Sentence, Sentence]]:
    """Yield the mistakes in a ``staff``, each with what to write instead."""
    if not isinstance(value, Mapping):
        yield (
            says("its staff is %(value)r.", value=value),
            says("Give a dict of actions with lists of names of groups, %(example)s.", example=_EXAMPLE),
        )
        return
    for action, groups in value.items():
        if not isinstance(action, str) or not action:
            yield (
                says("its staff has the action %(action)r.", action=action),
                says("Give the name of an action, %(example)s.", example=_EXAMPLE),
            )
        elif not isinstance(groups, (list, tuple)) or not all(
            isinstance(group, str) and group for group in groups
        ):
            yield (
                says("its staff has %(action)r: %(groups)r.", action=action, groups=groups),
                says(
                    "Give a list of names of groups, %(example)s. An empty list stands for superusers only.",
                    example=_EXAMPLE,
                ),
            )


def staff_of(value: Mapping[str, object]) -> Staff:
    """Return a ``staff`` without mistakes as a value that cannot be changed."""
    return tuple(sorted((action, tuple(groups)) for action, groups in value.items()))  # type: ignore[arg-type]
