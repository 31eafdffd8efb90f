"""What a dry run found: the views that PostgreSQL would make of the definitions, and what it refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from orm_views_core.exceptions import InvalidViewsError, OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence

from .extras import Extra
from .ownership import Closed
from .relations import Column, InstalledIndex


@dataclass(frozen=True)
class ExpectedView:
    """The view that PostgreSQL makes of a definition, with the names that it would have in its real place.

    Attributes:
        definition: PostgreSQL's text of it; that of the installed view where both mean the same.
        reads: the relations that it reads, according to ``pg_depend``.
        stuck: the views that it reads in their present place although they were tried too. Its SQL names them
            in a way that cannot be moved to the staging schema.
        row_types: the relations whose row types, or arrays of these, its columns have.
        unreadable: the relations that it reads and that the role of the connection may not read.
        closed: what keeps the rows of a materialised view from being computed.
        sources: a hash of the columns of what it reads, if its SELECT has a star.
        lost: the extras that it cannot have any more, each with what PostgreSQL says.
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
    closed: tuple[Closed, ...] = ()
    sources: str | None = None
    lost: Mapping[Extra, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DryRun:
    """The result of a dry run.

    Attributes:
        views: the views that were tried.
        installed_columns: the columns of those that are installed.
        errors: the views that PostgreSQL refused.
        breaks: the views of others that could not be read any more, with why; none on PostgreSQL.
    """

    views: Mapping[ViewName, ExpectedView] = field(default_factory=dict)
    installed_columns: Mapping[ViewName, tuple[Column, ...]] = field(default_factory=dict)
    errors: Mapping[ViewName, OrmViewsError] = field(default_factory=dict)
    breaks: Mapping[ViewName, Sentence] = field(default_factory=dict)

    def raise_errors(self, external: Collection[ViewName] = ()) -> None:
        """Raise one error for everything that was refused.

        Args:
            external: the external dependents. Their errors are not raised: the plan reports them.

        Raises:
            ViewSQLError: when PostgreSQL refused one view.
            InvalidViewsError: when it refused several.
        """
        errors = [error for name, error in self.errors.items() if name not in external]
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise InvalidViewsError(errors)
