"""A language that nobody speaks: each message of ours in brackets, written from right to left.

Its catalog is made of those of both packages. What a page shows outside of the brackets is a name, a value,
Django's, or a text that nobody can translate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

from tests.translations.catalogs import PACKAGES, Message, path_of, read, write_compiled

#: Django takes it for a kind of Arabic. So its own words are Arabic, and its formats too.
CODE, LOCALE = "ar-xb", "ar_XB"
OPEN, CLOSE = "⟦", "⟧"

#: The attributes that people read or hear, and those whose texts the script or the style sheet shows.
_READ = {"alt", "aria-label", "placeholder", "title"}
_SHOWN_LATER = {
    f"data-{name}"
    for name in ("all", "copied", "copy", "hours", "label", "minutes", "none", "seconds", "some", "title")
}
_VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}
#: What is in no language: SQL, names in fixed width, values of rows, what an author wrote of a view.
_VALUES = {"script", "style", "pre", "code", "datalist"}
_VALUE_CLASSES = {"ov-value", "ov-docstring", "ov-says"}
_NAMES = {"bdi", "option"}
_NAME_CLASSES = {"ov-node-name", "ov-row-name"}
#: Names with dots are one word.
_WORD = re.compile(r"[A-Za-z](?:[\w.@$/-]*\w)?")


def write_catalog(directory: Path) -> None:
    """Write the catalog below a directory, which becomes one of ``LOCALE_PATHS``."""
    messages = (message for package in PACKAGES for message in read(path_of(package)))
    target = directory / LOCALE / "LC_MESSAGES" / "django.mo"
    write_compiled(((message, _in_brackets(message)) for message in messages), target)


def _in_brackets(message: Message) -> tuple[str, ...]:
    texts = (message.words, message.plural) if message.plural else (message.words,)
    return tuple(f"{OPEN}{text}{CLOSE}" for text in texts)


class Word(NamedTuple):
    """A word outside of the brackets.

    Attributes:
        is_name: whether it is where names are: isolated from the direction of the text around it, in a
            choice, or in the picture of the graph.
    """

    text: str
    is_name: bool


class Visible(HTMLParser):
    """Collects what people read of a page: its texts, with what is not ours left out, and its attributes.

    Attributes:
        texts: the texts in their order, each with whether it is a name. A message may go on over several.
        attributes: the texts of attributes. Each is whole.
    """

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[tuple[str, bool]] = []
        self.attributes: list[str] = []
        self._open: list[_Element] = [_Element("", False, False, False)]
        self._goes_on = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        classes = set(found.get("class", "").split())
        above = self._open[-1]
        is_ours = above.is_ours or tag == "title" or found.get("id") == "content"
        is_ours = is_ours or bool({"breadcrumbs", "messagelist"} & classes)
        # The beginning of a long value is in the summary of its whole.
        is_value = tag in _VALUES or bool(classes & _VALUE_CLASSES) or (above.tag, tag) == ("summary", "bdi")
        is_foreign = above.is_foreign or is_value
        is_name = above.is_name or tag in _NAMES or bool(classes & _NAME_CLASSES)
        if is_ours and not above.is_foreign:
            self.attributes += _attributes(tag, found)
        self._goes_on = tag == "wbr"
        if tag not in _VOID:
            self._open.append(_Element(tag, is_ours, is_foreign, is_name))

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self._open) - 1, 0, -1):
            if self._open[place].tag == tag:
                del self._open[place:]
                break

    def handle_data(self, data: str) -> None:
        inner = self._open[-1]
        if not inner.is_ours or inner.is_foreign:
            return
        if self._goes_on and self.texts:
            before, _is_name = self.texts.pop()
            data = before + data
        self.texts.append((data, inner.is_name))
        self._goes_on = False


class _Element(NamedTuple):
    tag: str
    is_ours: bool
    is_foreign: bool
    is_name: bool


def _attributes(tag: str, found: Mapping[str, str]) -> Iterator[str]:
    yield from (value for name, value in found.items() if name in _READ or name in _SHOWN_LATER)
    if tag == "input" and found.get("type") in {"submit", "button", "reset"}:
        yield found.get("value", "")


def outside(html: str) -> list[Word]:
    """Return the words of a page that are outside of the brackets: those of its texts, then of attributes."""
    page = Visible()
    page.feed(html)
    return [*_outside(page.texts), *(word for text in page.attributes for word in _outside([(text, False)]))]


def _outside(texts: Iterable[tuple[str, bool]]) -> Iterator[Word]:
    """Yield the words of texts that are outside of the brackets. A pair may go on over several texts."""
    depth = 0
    for text, is_name in texts:
        kept = ""
        for character in text:
            depth += (character == OPEN) - (character == CLOSE)
            kept += " " if depth or character == CLOSE else character
        yield from (Word(found, is_name) for found in _WORD.findall(kept))
