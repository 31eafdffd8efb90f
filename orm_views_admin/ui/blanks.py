"""Words for characters that cannot be seen."""

from __future__ import annotations

import re
from itertools import groupby

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .wording import listed

#: Characters without a shape of their own inside a text: controls, joiners, marks of direction.
_HIDDEN = re.compile("[\x01-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
#: So many different ones are named.
_MOST = 4


def split_blanks(text: str) -> tuple[str, str, str]:
    """Return the blanks at the beginning of a text, what is between, and those at its end.

    Of a text of nothing but blanks, all are at the beginning.
    """
    core = text.strip()
    if not core:
        return text, "", ""
    start = text.index(core)
    return text[:start], core, text[start + len(core) :]


def describe_blanks(blanks: str) -> str:
    """Return which blanks there are, and how many of each, in their order."""
    runs = [(character, len(list(run))) for character, run in groupby(blanks)]
    named = [_count(character, count) for character, count in runs[:_MOST]]
    return listed([*named, *(["…"] if len(runs) > _MOST else [])])


def describe_hidden(text: str) -> str:
    """Return which characters inside a text cannot be seen, by their numbers; "" if all can."""
    found = list(dict.fromkeys(_HIDDEN.findall(text)))
    if not found:
        return ""
    named = [*map(_number, found[:_MOST]), *(["…"] if len(found) > _MOST else [])]
    return _("%(characters)s inside") % {"characters": listed(named)}


def _count(character: str, count: int) -> str:
    values = {"n": count, "character": _number(character)}
    if character == " ":
        return ngettext("%(n)s space", "%(n)s spaces", count) % values
    if character == "\t":
        return ngettext("%(n)s tab", "%(n)s tabs", count) % values
    if character == "\n":
        return ngettext("%(n)s line break", "%(n)s line breaks", count) % values
    return ngettext("%(n)s character %(character)s", "%(n)s characters %(character)s", count) % values


def _number(character: str) -> str:
    return f"U+{ord(character):04X}"
