"""TODO."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from orm_views_core.exceptions import InvalidViewsError, OrmViewsError
from orm_views_core.names import ViewName

from .extras import Extra
from .relations import Column, InstalledIndex


@dataclass(frozen=True)
class ExpectedView:
    """What PostgreSQL makes of a definition, as if it were in its own place.

    Attributes:
        definition: its own text of it, with which an installed one can be compared.
        reads: the relations that it really reads.
        stuck: those of them that it reads where they are now, although they were tried as well. Its text
            names them in a way that could not be moved.
        row_types: the relations whose rows, or lists of rows, its columns hold.
        unreadable: those of them that the role that we connect as may not read.
        sources: a hash of the columns of what it reads, if its SELECT has a star.
        lost: what was added to it by hand and cannot be on it any more, and why.
    """

    name: ViewName
    definition: str
    columns: tuple[Column, ...]
    options: tuple[tuple[str, str], ...] = ()
    indexes: tuple[InstalledIndex, ...] = ()
    reads: frozenset[ViewName] = frozenset()
    stuck: frozenset[ViewName] = frozenset()
    row_types: frozenset[ViewName] = frozenset()
    unreadable: frozenset[ViewName] = frozenset()
    sources: str | None = None
    lost: Mapping[Extra, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DryRun:
    """The views that were tried, the columns of those that exist already, and what was refused."""

    views: Mapping[ViewName, ExpectedView] = field(default_factory=dict)
    installed_columns: Mapping[ViewName, tuple[Column, ...]] = field(default_factory=dict)
    errors: Mapping[ViewName, OrmViewsError] = field(default_factory=dict)

    def raise_errors(self, external: Collection[ViewName] = ()) -> None:
        """Raise what was refused, all of it at once.

        Args:
            external: views that others made: that one of these fits no more is for the plan to say.
        """
        errors = [error for name, error in self.errors.items() if name not in external]
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise InvalidViewsError(errors)
