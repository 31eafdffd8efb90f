"""A filter beside a list: links that narrow the list down, each with the number of records it would leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from orm_views_admin.ui.querystrings import with_parameters


@dataclass(frozen=True)
class Choice:
    """One link of a filter."""

    word: object
    count: int
    url: str
    selected: bool


@dataclass(frozen=True)
class Facet:
    """A filter with its links, as the template shows it."""

    title: object
    choices: Sequence[Choice]


@dataclass(frozen=True)
class Filter:
    """A property by which a list can be narrowed down.

    Attributes:
        parameter: its name in the URL.
        title: its translated name.
        words: the translated word of each value, in the order of the links; None if the values themselves
            are shown.
    """

    parameter: str
    title: object
    words: Mapping[str, object] | None = None

    def facet(self, parameters: QueryDict, total: int, counts: Mapping[str, int]) -> Facet:
        """Return the links: one for all records, and one for each value in ``counts``.

        Args:
            parameters: those of the page.
            total: the number of records without this filter.
            counts: the number of records by value, without this filter.
        """
        words = self.words if self.words is not None else {value: value for value in sorted(counts) if value}
        shown = [(value, word, counts[value]) for value, word in words.items() if value in counts]
        chosen = parameters.get(self.parameter, "")
        return Facet(
            self.title,
            [
                Choice(word, count, with_parameters(parameters, **{self.parameter: value}), value == chosen)
                for value, word, count in [("", _("All"), total), *shown]
            ],
        )
