"""The names that a new view or index needs, and that something else has. Pure."""

from __future__ import annotations

from typing import NamedTuple

from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, says, says_in

#: What has a name, in words that can be translated.
_TAKEN = {
    str(words): words
    for words in (
        says_in("in a database", "index"),
        says_in("in a database", "relation"),
        says_in("in a database", "enum type"),
        says_in("in a database", "domain"),
        says_in("in a database", "type"),
    )
}


class Taken(NamedTuple):
    """An existing object that has a name which a new view or index needs.

    Attributes:
        what: its kind, in words.
        on: for an index, the relation that it belongs to.
    """

    what: str
    on: ViewName | None = None

    @property
    def sentence(self) -> Sentence:
        """What it is, in words: “index of views.loans”."""
        return says("index of %(relation)s", relation=self.on) if self.on else _TAKEN[self.what]

    @property
    def is_relation(self) -> bool:
        """Whether it is a relation other than an index."""
        return self.what == "relation"


class ArrayType(NamedTuple):
    """The type for arrays of a view's rows.

    Attributes:
        name: the name that PostgreSQL gives it where that is free.
        is_taken: whether a type of that name exists.
        of: the relation that the existing type belongs to, for its rows or for arrays of them.
    """

    name: str
    is_taken: bool
    of: ViewName | None = None
