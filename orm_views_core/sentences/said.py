"""Sentences that are English for programs, and in the reader's language on pages. Pure.

A sentence is a ``str`` with the English words, so that logs, commands, checks, JSON and hashes have these. It
keeps what it was made of, and is translated only when a page shows it: nothing is looked up before that, and
nothing of Django is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

#: What JSON can have. A text stands for itself.
Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


class Sentence(str):
    """A text of ours; as it stands, one that no language changes: a name, SQL, what PostgreSQL said.

    ``str()`` is English, in whatever language a page is.
    """

    __slots__ = ()

    def translated(self) -> str:
        """Return it in the active language."""
        return str(self)

    def __html__(self) -> SafeString:
        """Return it in the active language, for templates and ``format_html()``."""
        from django.utils.html import escape

        return escape(self.translated())

    @property
    def summary(self) -> Sentence:
        """It without what it quotes of PostgreSQL, which may quote rows."""
        return self

    def with_parts(self, changed: Callable[[object], object]) -> Sentence:
        """Return it with each of its parts changed. One that has no parts is changed itself.

        Args:
            changed: returns what takes the place of a part.
        """
        return as_sentence(changed(str(self)))

    def replaced(self, old: str, new: str) -> Sentence:
        """Return it with another name in it.

        Args:
            old: the name.
            new: what takes its place.
        """
        return self.with_parts(lambda part: replaced(part, old, new))

    def as_json(self) -> Json:
        """Return it as JSON that :func:`from_json` reads."""
        return str(self)


class _Said(Sentence):
    """A template with values. ``context`` tells it from the same words of others; "" for none."""

    __slots__ = ("context", "template", "values")

    context: str
    template: str
    values: Mapping[str, object]

    def words(self) -> str:
        """Return the template in the active language."""
        from django.utils.translation import gettext, pgettext

        if self.context:
            return pgettext(self.context, self.template)
        return gettext(self.template) if self.template else ""

    def translated(self) -> str:
        values = {name: _translated(value) for name, value in self.values.items()}
        try:
            return self.words() % values
        except (KeyError, TypeError, ValueError):  # a catalog of somebody else has other placeholders
            return str(self)

    @property
    def summary(self) -> Sentence:
        return self.with_parts(_summary)

    def with_parts(self, changed: Callable[[object], object]) -> Sentence:
        return self.with_values({name: changed(value) for name, value in self.values.items()})

    def with_values(self, values: Mapping[str, object]) -> Sentence:
        """Return it with other values."""
        return says_in(self.context, self.template, **values)

    def as_json(self) -> dict[str, Json]:
        data: dict[str, Json] = {"says": self.template}
        if self.context:
            data["in"] = self.context
        if self.values:
            data["with"] = {name: as_json(value) for name, value in self.values.items()}
        return data


class _Counted(_Said):
    """A template that depends on a number, ``quantity``; ``plural`` is that for more than one."""

    __slots__ = ("plural", "quantity")

    plural: str
    quantity: int

    def words(self) -> str:
        from django.utils.translation import ngettext

        return ngettext(self.template, self.plural, self.quantity)

    def with_values(self, values: Mapping[str, object]) -> Sentence:
        return says_n(self.template, self.plural, self.quantity, **values)

    def as_json(self) -> dict[str, Json]:
        return {**super().as_json(), "plural": self.plural, "count": self.quantity}


class _Listed(Sentence):
    """Texts with a separator between them."""

    __slots__ = ("parts", "separator")

    separator: str
    parts: tuple[object, ...]

    def translated(self) -> str:
        from django.utils.translation import gettext

        separator = gettext(self.separator) if self.separator in _SEPARATORS else self.separator
        return separator.join(str(_translated(part)) for part in self.parts)

    @property
    def summary(self) -> Sentence:
        return self.with_parts(_summary)

    def with_parts(self, changed: Callable[[object], object]) -> Sentence:
        return listed(map(changed, self.parts), self.separator)

    def as_json(self) -> Json:
        return {"listed": [as_json(part) for part in self.parts], "by": self.separator}


#: No sentence. It is false, as every empty text.
NOTHING = Sentence("")


def says(template: str, /, **values: object) -> Sentence:
    """Return a sentence. It formats the English words and keeps the values: that takes microseconds.

    Args:
        template: the English words, with ``%(name)s`` for each value, and ``%%`` for a percent sign. It is a
            literal: translators get what stands in the code.
        values: names, numbers, and other sentences.
    """
    return says_in("", template, **values)


def says_in(context: str, template: str, /, **values: object) -> Sentence:
    """Return a sentence, or a word, that other packages may have too and translate in another way.

    Args:
        context: what it is about, for translators; "" for nothing.
        template: as :func:`says` has it.
        values: likewise.
    """
    said = _Said(template % values)
    said.context, said.template, said.values = context, template, values
    return said


def says_n(singular: str, plural: str, count: int, /, **values: object) -> Sentence:
    """Return a sentence whose words depend on a number, which is no value by itself.

    Args:
        singular: the template for one, as :func:`says` has it.
        plural: that for another number.
        count: the number.
        values: what the templates name.
    """
    said = _Counted((singular if count == 1 else plural) % values)
    said.context, said.template, said.values, said.plural, said.quantity = "", singular, values, plural, count
    return said


# Translators: what stands between the parts of a list. Keep the spaces.
_SEPARATORS = frozenset((says(", "), says("; "), says(": "), says(" or ")))


def listed(parts: Iterable[object], separator: str = ", ") -> Sentence:
    """Return names or sentences with a separator between them: one of ``_SEPARATORS``, or blanks."""
    found = tuple(parts)
    text = _Listed(separator.join(map(str, found)))
    text.separator, text.parts = separator, found
    return text


def enumerated(parts: Iterable[object]) -> Sentence:
    """Return names or sentences with commas between them, and “and” before the last one."""
    *most, last = parts
    if not most:
        return as_sentence(last)
    return says("%(most)s and %(last)s", most=listed(most), last=last)


def as_sentence(text: object) -> Sentence:
    """Return a text, or the message of an error, as a sentence; one that is none is not translated."""
    said = _message(text)
    return said if isinstance(said, Sentence) else Sentence(said)


def translate(text: object) -> str:
    """Return a sentence, or the message of an error, in the active language; another text as it is.

    Args:
        text: the sentence, the error or the text.

    Example:
        >>> from django.utils.translation import override
        >>> from orm_views_core.names import ViewName
        >>> from orm_views_core.sentences import translate
        >>> from orm_views_core.status import get_status
        >>> status = get_status("default", ViewName("views", "loan_book"))
        >>> with override("de"):
        ...     print(translate(status.reason))
        Die Datenbank enthält, was ihre Klasse sagt.
    """
    said = _message(text)
    return said.translated() if isinstance(said, Sentence) else str(said)


def as_json(value: object) -> Json:
    """Return a part of a sentence as JSON."""
    if isinstance(value, Sentence):
        return value.as_json()
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def _message(text: object) -> object:
    """Return the message of an error that is a sentence; another error or text as it is."""
    if isinstance(text, BaseException) and len(text.args) == 1 and isinstance(text.args[0], Sentence):
        return text.args[0]
    return text


def _translated(value: object) -> object:
    return value.translated() if isinstance(value, Sentence) else value


def _summary(value: object) -> object:
    return value.summary if isinstance(value, Sentence) else value


def replaced(value: object, old: str, new: str) -> object:
    """Return a part of a sentence with another name in it."""
    if isinstance(value, Sentence):
        return value.replaced(old, new)
    text = str(value)
    return text.replace(old, new) if old in text else value


__all__ = ["Sentence"]
