"""Sentences as JSON, so that what is stored can be read in another language. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from .figures import blanks, number
from .said import Json, Sentence, as_json, as_sentence, listed, says_in, says_n

T = TypeVar("T")

#: In how many other parts a part may be, so that showing it never takes too many calls.
_DEPTH = 50

#: A template of which no part takes more room than its value.
_TEMPLATE = re.compile(r"(?:[^%]|%%|%\(\w+\)[rs])*")


def to_json(text: str) -> Json:
    """Return a text as JSON that :func:`from_json` reads: a string, unless it is a :class:`Sentence`."""
    return as_json(text)


def from_json(data: Json, text: str) -> Sentence:
    """Return the sentence that was stored as JSON.

    Args:
        data: what :func:`to_json` returned.
        text: the English words, stored beside it. If the data does not make them, they are returned as they
            are: another release has written it, or it was cut or changed.
    """
    try:
        found = as_sentence(_read(data, len(text)))
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return Sentence(text)
    return found if found == text else Sentence(text)


def _read(data: Json, size: int, depth: int = 0) -> object:
    """Return a part of a sentence.

    Args:
        data: the part, as JSON.
        size: the length of the whole. No part is longer, so that what others stored takes no more room.
        depth: in how many other parts it is.
    """
    if not isinstance(data, dict):
        return data
    if depth > _DEPTH:
        raise ValueError(depth)
    found = _made(data, lambda part: _read(part, size, depth + 1))
    if len(found) > size:
        raise ValueError(found)
    return found


def _made(data: dict[str, Json], read: Callable[[Json], object]) -> Sentence:
    if "number" in data:
        value = data["number"]
        return number(value if isinstance(value, int) else _checked(value, float))
    if "blanks" in data:
        return blanks(as_sentence(read(data["blanks"])))
    if "listed" in data:
        return listed(map(read, _checked(data["listed"], list)), _checked(data["by"], str))
    template, plural = _checked(data["says"], str), _checked(data.get("plural", ""), str)
    if not (_TEMPLATE.fullmatch(template) and _TEMPLATE.fullmatch(plural)):
        raise ValueError(template)
    values = {name: read(value) for name, value in _checked(data.get("with", {}), dict).items()}
    if plural:
        return says_n(template, plural, _checked(data["count"], int), **values)
    return says_in(_checked(data.get("in", ""), str), template, **values)


def _checked(value: object, wanted: type[T]) -> T:
    if not isinstance(value, wanted):
        raise TypeError(value)
    return value
