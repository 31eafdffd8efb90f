"""Puts the names that views have in a database without schemas where SQL names them by schema and name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from orm_views_core.names import ViewName

from .references import qualified_references, unqualified_relations, without_alias
from .rules import Rules

_WORD = re.compile(r"\w+")


class Placed(NamedTuple):
    """A SELECT with the names that views have in the database.

    Attributes:
        sql: the SELECT.
        reads: the views that it reads, as far as the text tells.
    """

    sql: str
    reads: frozenset[ViewName] = frozenset()


@dataclass(frozen=True)
class Places:
    """The names that the views of a database have there. They are made once for all its views.

    Attributes:
        flat: the name of each view, without quotes.
        quote: what the engine puts around names.
        rules: how the engine splits SQL into tokens.
    """

    flat: Mapping[ViewName, str]
    quote: str
    rules: Rules

    @cached_property
    def _schemas(self) -> frozenset[str]:
        return frozenset(name.schema for name in self.flat)

    @cached_property
    def _views(self) -> Mapping[str, ViewName]:
        return {flat.lower(): name for name, flat in self.flat.items()}

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(word for flat in self._views for word in _WORD.findall(flat))

    def place(self, sql: str) -> Placed:
        """Return a SELECT with the names of the database, and the views that it reads.

        ``views.orders`` without an alias gets the alias ``orders``, if that qualifies columns.
        """
        found = qualified_references(sql, self._schemas, self.rules)
        references = [reference for reference in found if reference.target in self.flat]
        bare = without_alias(sql, self.rules) if references else frozenset()
        aliased = {reference.target for reference in references if reference.name_end in bare}
        pieces, position = [], 0
        for reference in references:
            flat, name = self.quoted(self.flat[reference.target]), sql[reference.end : reference.name_end]
            alias = name.strip().removeprefix(".").strip()
            if reference.name_end in bare:
                flat += f" AS {alias}"
            elif reference.target in aliased and sql[reference.name_end :].lstrip().startswith("."):
                flat = alias  # of a column
            pieces += [sql[position : reference.start], flat]
            position = reference.name_end
        placed = "".join([*pieces, sql[position:]])
        if self._words.isdisjoint(_WORD.findall(placed.lower())):  # most views read only tables
            return Placed(placed)
        names = (name.lower() for name in unqualified_relations(placed, self.rules))
        return Placed(placed, frozenset(self._views[name] for name in names if name in self._views))

    def view_of(self, flat: str) -> ViewName | None:
        """Return the view that has a name in the database: the last one if several do."""
        return self._views.get(flat.lower())

    def quoted(self, flat: str) -> str:
        """Return a name with quotes."""
        return self.quote + flat.replace(self.quote, self.quote * 2) + self.quote
