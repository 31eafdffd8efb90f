"""Numbers as each language writes them, and blanks below words of any language. Pure."""

from __future__ import annotations

from collections.abc import Callable

from .said import Json, Sentence, as_json, as_sentence


class _Number(Sentence):
    """A number; in English, with commas between its thousands."""

    __slots__ = ("value",)

    value: float

    def translated(self) -> str:
        from django.utils import formats

        is_whole = isinstance(self.value, float) and self.value.is_integer()
        value = int(self.value) if is_whole else self.value
        return formats.number_format(value, use_l10n=True, force_grouping=True)

    def with_parts(self, changed: Callable[[object], object]) -> Sentence:
        return self

    def as_json(self) -> Json:
        return {"number": self.value}


class _Blanks(Sentence):
    """As many blanks as another sentence has letters."""

    __slots__ = ("under",)

    under: Sentence

    def translated(self) -> str:
        return " " * len(self.under.translated())

    def with_parts(self, changed: Callable[[object], object]) -> Sentence:
        return blanks(as_sentence(changed(self.under)))

    def as_json(self) -> Json:
        return {"blanks": as_json(self.under)}


def number(value: float) -> Sentence:
    """Return a number: 1,000 for a whole one in English; others are rounded to six digits."""
    is_whole = isinstance(value, int)
    text = _Number(f"{value:,}" if is_whole else f"{value:g}")
    text.value = value if is_whole else float(text)
    return text


def blanks(under: Sentence) -> Sentence:
    """Return as many blanks as another sentence has letters, to point at something in the line above."""
    text = _Blanks(" " * len(under))
    text.under = under
    return text
