"""The width of text, as far as it can be known without the reader's fonts. Pure."""

from __future__ import annotations

import unicodedata

#: The width of a character, as a part of the font's size. Fixed-width fonts have 0.55 to 0.602; in others,
#: words are about as wide at most.
_NARROW, _WIDE = 0.602, 1.0
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def width_of(text: str, font_size: float) -> float:
    """Return about how wide a text is, rather too much than too little."""
    return sum(map(_width, text)) * font_size


def shorten(text: str, font_size: float, room: float) -> str:
    """Return a text so shortened in its middle that it fits; names often differ at their ends.

    Args:
        text: the text.
        font_size: the size of the font.
        room: how wide it may be.
    """
    if width_of(text, font_size) <= room:
        return text
    left = room / font_size - _width(_ELLIPSIS)
    first, last = 0, len(text)
    while first < last:
        at_end = len(text) - last < first
        character = text[last - 1] if at_end else text[first]
        left -= _width(character)
        if left < 0:
            break
        first, last = (first, last - 1) if at_end else (first + 1, last)
    return text[:first] + _ELLIPSIS + text[last:]


def _width(character: str) -> float:
    if unicodedata.east_asian_width(character) in {"W", "F"}:
        return _WIDE
    return 0.0 if unicodedata.combining(character) else _NARROW
