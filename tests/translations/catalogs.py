"""The catalogs of both packages: what stands in the code, and what is translated."""

from __future__ import annotations

import gettext
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.core.management.commands.makemessages import Command as MakeMessages

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("orm_views_core", "orm_views_admin")
LANGUAGE = "de"
_CATALOG = Path("locale", LANGUAGE, "LC_MESSAGES", "django.po")
_NEEDED = ("xgettext", "msguniq", "msgmerge", "msgattrib", "msgfmt")

#: When the template was made changes with each run, and tells nobody anything.
_DATES = re.compile(r'^"(?:POT-Creation-Date|PO-Revision-Date): .*\n', re.MULTILINE)
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[a-z%]")


@dataclass(frozen=True)
class Message:
    """An entry of a catalog: the English words, and those of the language."""

    context: str
    words: str
    plural: str
    translations: tuple[str, ...]
    is_fuzzy: bool

    @property
    def is_translated(self) -> bool:
        return all(self.translations) and not self.is_fuzzy

    @property
    def misses_placeholders(self) -> bool:
        """Whether a translation has other placeholders than the words or their plural."""
        allowed = [sorted(_PLACEHOLDER.findall(words)) for words in (self.words, self.plural or self.words)]
        found = [sorted(_PLACEHOLDER.findall(words)) for words in self.translations]
        return self.is_translated and any(each not in allowed for each in found)


def missing_programs() -> list[str]:
    """Return the programs of GNU gettext that are needed and not installed."""
    return [name for name in _NEEDED if shutil.which(name) is None]


def path_of(package: str, root: Path = ROOT) -> Path:
    """Return the catalog of a package."""
    return root / package / _CATALOG


_KEYWORDS = ("--keyword=says:1", "--keyword=says_n:1,2", "--keyword=says_in:1c,2")


class Extraction(MakeMessages):
    """Django's makemessages, which knows the functions of ``orm_views_core.sentences`` too.

    Words that are only similar to earlier ones do not get their translation: it would be wrong.
    """

    xgettext_options = [*MakeMessages.xgettext_options, *_KEYWORDS]
    msgmerge_options = [*MakeMessages.msgmerge_options, "--no-fuzzy-matching"]


def extract(into: Path) -> None:
    """Copy what has words of ours to a directory, and bring the catalogs there up to date.

    The templates and assets lie in the package of the admin, as in a wheel. The directory has to be the
    working directory: Django's command looks for files there.
    """
    for package in PACKAGES:
        shutil.copytree(ROOT / package, into / package, ignore=shutil.ignore_patterns("__pycache__"))
        path_of(package, into).parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(ROOT / "templates", into / "orm_views_admin" / "templates")
    Extraction().run_from_argv(
        ["", "makemessages", "--locale", LANGUAGE, "--no-obsolete", "--add-location=file", "--verbosity=0"]
    )
    for package in PACKAGES:
        path = path_of(package, into)
        path.write_text(_DATES.sub("", path.read_text("utf-8")), "utf-8")


def compile_catalog(path: Path, to: Path) -> None:
    """Write the compiled form of a catalog.

    Raises:
        CalledProcessError: msgfmt refuses it.
    """
    subprocess.run(["msgfmt", "--check-format", "-o", to, path], check=True)


def compiled(path: Path) -> Mapping[object, str]:
    """Return the entries of a compiled catalog."""
    with path.open("rb") as file:
        return gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]


def read(path: Path) -> list[Message]:
    """Return the entries of a catalog, without its header."""
    with path.open("rb") as file:
        return [_message(each) for each in read_po(file) if each.id]


def _message(entry: Any) -> Message:
    words, plural = entry.id if entry.pluralizable else (entry.id, "")
    translations = entry.string if entry.pluralizable else (entry.string,)
    return Message(entry.context or "", words, plural, tuple(translations), entry.fuzzy)


def write_compiled(messages: Iterable[tuple[Message, tuple[str, ...]]], to: Path) -> None:
    """Write a compiled catalog of messages with translations, for languages that nobody speaks."""
    catalog = Catalog(fuzzy=False)
    for message, translations in messages:
        if message.plural:
            catalog.add((message.words, message.plural), translations, context=message.context or None)
        else:
            catalog.add(message.words, translations[0], context=message.context or None)
    to.parent.mkdir(parents=True, exist_ok=True)
    with to.open("wb") as file:
        write_mo(file, catalog)


def complaints(fresh: Path, package: str) -> Iterator[str]:
    """Yield what is wrong with the catalog of a package, a line each.

    Args:
        fresh: a catalog that was brought up to date just now.
        package: the package.
    """
    path = path_of(package)
    if not path.exists():
        yield f"{package} has no catalog {path.relative_to(ROOT)}."
        return
    there = {(each.context, each.words): each for each in read(path)}
    wanted = {(each.context, each.words): each for each in read(fresh)}
    for key, message in wanted.items():
        if key not in there:
            yield f"{package}: not in the catalog: {message.words!r}"
        elif not there[key].is_translated:
            yield f"{package}: not translated: {message.words!r}"
        elif there[key].plural != message.plural:
            yield f"{package}: another plural: {message.words!r}"
    for key, message in there.items():
        if key not in wanted:
            yield f"{package}: nowhere in the code any more: {message.words!r}"
        if message.misses_placeholders:
            yield f"{package}: other placeholders in the translation of {message.words!r}"
