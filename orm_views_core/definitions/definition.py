"""ViewDefinition: what a view class says, as a frozen value that needs neither class nor database."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from orm_views_core.exceptions import InvalidViewsError, OrmViewsError
from orm_views_core.names import (
    SourceLocation,
    ViewKind,
    ViewName,
    quote_identifier,
)
from orm_views_core.sql.lexer import has_star


@dataclass(frozen=True)
class ViewDefinition:
    """A view as its class says it.

    Attributes:
        label: ``app_label.ClassName``, the way commands and pages name the class.
        source: where the class is written.
        sql: the SELECT with its parameters as literals, without a semicolon.
        columns: what to call its columns; empty when the SQL names them itself.
        comment: the class's docstring.
        column_comments: the ``help_text`` of its fields, by column.
        options: the options of ``WITH (...)`` that the class sets, sorted.
        indexes: the indexes that belong to it; for materialised views only.
        with_data: whether a materialised view is filled when it is created.
        grant_select_to: the roles that get SELECT; none for a hidden view.
        declared_dependencies: the views that ``view_dependencies`` names.
        view: the class itself.
        refresh_every: how old the rows of a materialised view may get; None when nothing is promised.
    """

    label: str
    source: SourceLocation | None
    database: str
    name: ViewName
    kind: ViewKind
    sql: str
    columns: tuple[str, ...] = ()
    comment: str = ""
    column_comments: Mapping[str, str] = field(default_factory=dict)
    options: tuple[tuple[str, str], ...] = ()
    indexes: tuple[IndexDefinition, ...] = ()
    with_data: bool = True
    hidden: bool = False
    grant_select_to: tuple[str, ...] = ()
    declared_dependencies: tuple[ViewName, ...] = ()
    is_readable: bool = False
    view: type | None = field(default=None, compare=False, repr=False)
    refresh_every: dt.timedelta | None = None

    @cached_property
    def fingerprint(self) -> str:
        """A hash of what would have to be built anew if it changed; stable between runs and machines.

        The comment, the grants and the dependencies are left out: those are compared as they are. So is what
        is promised of its rows' age, which the database has no part in.
        """
        said = [
            self.kind.value,
            self.sql,
            repr(self.columns),
            repr(self.options),
            repr([(index.name, index.unique, index.tail) for index in self.indexes]),
        ]
        return hashlib.sha256("\0".join(said).encode()).hexdigest()[:16]

    @cached_property
    def has_star(self) -> bool:
        """Whether its columns are those of what it reads, and change with them."""
        return has_star(self.sql)

    @property
    def where(self) -> str:
        """The class and where it is written, for messages."""
        return f"{self.label} ({self.source})" if self.source else self.label


@dataclass(frozen=True)
class Definitions:
    """The registered views of one database: those that say a view, and what is wrong with the others.

    Attributes:
        views: by name.
        errors: by label.
        invalid_names: the names of those that are wrong, by label, as far as they have one.
    """

    database: str
    views: Mapping[ViewName, ViewDefinition]
    errors: Mapping[str, OrmViewsError]
    invalid_names: Mapping[str, ViewName] = field(default_factory=dict)

    def raise_errors(self) -> None:
        """Raise what is wrong, all of it at once.

        Raises:
            OrmViewsError: the one error, or an ``InvalidViewsError`` that carries several.
        """
        errors = list(self.errors.values())
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise InvalidViewsError(errors)


@dataclass(frozen=True)
class IndexDefinition:
    """An index without the table it is on, so that the same can be tried on a staged copy.

    Attributes:
        name: its name; it lives in its view's schema.
        unique: whether it is a unique index.
        tail: what follows ``ON table`` in CREATE INDEX.
    """

    name: str
    unique: bool
    tail: str

    def create_sql(self, table: ViewName, name: str | None = None) -> str:
        """Return the statement that creates the index on a table, under its own or another name."""
        unique = "UNIQUE " if self.unique else ""
        return f"CREATE {unique}INDEX {quote_identifier(name or self.name)} ON {table.quoted} {self.tail}"
