"""The views that a user may not see, and whether a text names one of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from orm_views_core.names import ViewName

_WORD = re.compile(r"\w+")
#: Two words with a dot between them, also where a third one follows: a name with its schema, or a label.
_LABEL, _PAIR = re.compile(r"\w+\.\w+"), re.compile(r"\b(?=(\w+\.\w+))")


@dataclass(frozen=True)
class Unseen:
    """Some views of a database.

    Attributes:
        names: their names.
        words: what names one of them if it is a word of a text; in lower case.
        pairs: what names one of them if these are two words with a dot between them; likewise.
        parts: what names one of them if it is anywhere in a text; likewise.
    """

    names: frozenset[ViewName] = frozenset()
    words: frozenset[str] = frozenset()
    pairs: frozenset[str] = frozenset()
    parts: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: frozenset[ViewName], labels: Iterable[str], seen: Collection[str]) -> Unseen:
        """Put together what names some views.

        Args:
            names: their names.
            labels: the labels of their classes.
            seen: the names without schema of the views that the user may see. These alone name none of them.
        """
        words: set[str] = set()
        pairs: set[str] = set()
        parts: set[str] = set()
        for label in labels:
            (pairs if _LABEL.fullmatch(label) else parts).add(label.lower())
        for name in names:
            is_word = all(map(_WORD.fullmatch, name))
            if is_word and name.name in seen:
                pairs.add(str(name).lower())
            elif is_word:
                words.add(name.name.lower())
            else:
                own = () if name.name in seen else (name.name.lower(),)
                parts.update((*own, str(name).lower(), name.quoted.lower()))
        return cls(names, frozenset(words), frozenset(pairs), tuple(sorted(parts)))

    def are_in(self, text: str) -> bool:
        """Return whether a text may name one of the views. A word may also mean something else."""
        if not (self.words or self.pairs or self.parts):
            return False
        text = text.lower()
        if not self.words.isdisjoint(_WORD.findall(text)):
            return True
        if not self.pairs.isdisjoint(_PAIR.findall(text.replace('"', ""))):
            return True
        return any(part in text for part in self.parts)


NOTHING = Unseen()
