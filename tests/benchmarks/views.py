"""Which views a measurement is about: a value that the benchmark, its workers and the project pass around."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["plain", "materialised", "read", "refreshed", "mixed plain", "mixed materialised"]


@dataclass(frozen=True)
class Views:
    """A set of views; `project/definitions.py` says what is in each.

    `rows` is the size of the large table that they read, if they read it. Sets of the same kind and size that
    differ in `variant` differ in one definition; those whose kind is mixed, in all.
    """

    kind: Kind
    count: int
    rows: int = 0
    variant: int = 0

    def __str__(self) -> str:
        return f"{self.count:,} {self.kind} views"

    def changed(self) -> Views:
        """The same views, but one has another definition."""
        return replace(self, variant=self.variant + 1)


@dataclass(frozen=True)
class Sizes:
    """How large everything is: the command line can make it smaller, to try something quickly."""

    views: int = 1_000
    many: int = 5_000
    rows: int = 3_000_000
    previewed: int = 10_000_000
    readers: int = 8

    @property
    def plain(self) -> Views:
        return Views("plain", self.views)

    @property
    def many_plain(self) -> Views:
        return Views("plain", self.many)

    @property
    def materialised(self) -> Views:
        return Views("materialised", 5, self.rows)

    @property
    def refreshed(self) -> Views:
        """Four materialised views that stand alone, and three in a row."""
        return Views("refreshed", 7, self.rows)

    @property
    def read(self) -> Views:
        """One materialised view and the plain one on it that readers read."""
        return Views("read", 2, self.rows)
