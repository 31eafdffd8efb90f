"""What of a value of core nobody could translate: plain texts, unknown templates, and English in values."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from orm_views_core.quoting import summary_of
from orm_views_core.sentences import Json, Sentence, to_json

from .catalogs import path_of, read

#: Words of PostgreSQL, of Python, or of a project: what stands for them in templates.
_QUOTES = {"application", "condition", "error", "message", "sql", "text"}
#: What has no sentences, and much in it.
_PASSED_OVER = {"definition", "definitions", "catalog", "statements", "state"}
#: Words without which there is hardly an English sentence.
_ENGLISH = {
    *("a", "an", "and", "are", "be", "because", "by", "can", "cannot", "could", "does", "for", "from", "has"),
    *("have", "in", "is", "it", "its", "may", "more", "no", "not", "of", "on", "or", "so", "that", "the"),
    *("they", "this", "to", "was", "were", "what", "which", "who", "with", "without", "would"),
}

#: Names of columns and roles of the tests that are English words. Some sentences quote them.
_NAMES = {"a", "analysts of all"}


def untranslated(value: Any) -> list[str]:
    """Return what of a value, and of all that it is made of, nobody could translate."""
    return [
        f"{where}: {why}: {text}" for where, text in _sentences_in(value) if text for why in _problems(text)
    ]


def _problems(text: str) -> Iterator[str]:
    if not isinstance(text, Sentence):
        yield "a plain text"
        return
    for found, is_template in _pieces(to_json(summary_of(text))):
        if is_template and found not in _known():
            yield f"not in the catalog: {found!r}"
        elif not is_template and found.strip("'") not in _NAMES and _ENGLISH.intersection(found.split()):
            yield f"{found!r} is a value"


@cache
def _known() -> frozenset[str]:
    return frozenset(message.words for message in read(path_of("orm_views_core")))


def _pieces(data: Json) -> Iterator[tuple[str, bool]]:
    """Yield the templates of a sentence, and the values in them; and which of the two each is."""
    if isinstance(data, str):
        yield data, False
    elif isinstance(data, list):
        for each in data:
            yield from _pieces(each)
    elif isinstance(data, dict) and "listed" in data:
        yield from _pieces(data["listed"])
    elif isinstance(data, dict) and "blanks" not in data and "number" not in data:
        yield str(data["says"]), True
        values = data.get("with") or {}
        assert isinstance(values, dict)
        for name, each in values.items():
            if name not in _QUOTES:
                yield from _pieces(each)


def _sentences_in(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts in the fields that hold sentences, each with the way to it."""
    if isinstance(value, Sentence):
        yield where, value
    elif isinstance(value, Exception):
        yield where, value.args[0]
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            found, name = getattr(value, field.name), f"{where}.{field.name}"
            if "Sentence" in str(field.type):
                yield from ((name, each) for each in ([found] if isinstance(found, str) else found))
            elif field.name not in _PASSED_OVER:
                yield from _sentences_in(found, name)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _sentences_in(each, f"{where}[{key}]")
    elif isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            yield from _sentences_in(each, where)
