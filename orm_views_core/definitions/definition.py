"""The compiled form of a view class: a frozen value that needs neither the class nor a database."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from orm_views_core.exceptions import InvalidViewsError, OrmViewsError
from orm_views_core.names import SourceLocation, ViewKind, ViewName, quote_identifier, written_at
from orm_views_core.sentences import NOTHING, Sentence
from orm_views_core.sql.lexer import has_star

from .staff import Staff

#: The name of a tablespace among the options of a materialised view.
TABLESPACE = "tablespace"
#: PostgreSQL's settings for builds and refreshes, each with its value as PostgreSQL spells it.
BuildSettings = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ViewDefinition:
    """A view as its class defines it.

    Attributes:
        label: ``app_label.ClassName``, the name of the class in commands and on pages.
        source: where the class is written.
        sql: the SELECT with its parameters as literals, without a semicolon.
        columns: the names for its columns; empty if the SQL names them itself.
        comment: the class's docstring.
        column_comments: the ``help_text`` of its fields, by column.
        options: the options of ``WITH (...)`` that the class sets, sorted, and the tablespace.
        indexes: its indexes; only materialised views have any.
        with_data: whether a materialised view is populated when it is created.
        grant_select_to: the roles that get SELECT; none for a hidden view.
        declared_dependencies: the views that ``view_dependencies`` names.
        view: the class itself.
        refresh_every: the maximum age of a materialised view's rows; None for any age.
        is_canonical: whether the SQL is PostgreSQL's own text of a view that no class declares.
        build_settings: the settings of PostgreSQL for its builds and refreshes.
        not_personal: its columns that are made of personal ones and are no longer personal.
        exposes: its columns that show what is personal on purpose.
        staff: which groups of users may do what on the pages. No plan and no sync looks at it.
        skipped_sources: what is said of the skipped views that its SQL names, if the database refuses it.
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
    is_canonical: bool = False
    build_settings: BuildSettings = ()
    not_personal: tuple[str, ...] = ()
    exposes: tuple[str, ...] = ()
    staff: Staff = field(default=(), compare=False)
    skipped_sources: Sentence = field(default=NOTHING, compare=False)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of everything whose change requires a rebuild. It is the same in every process.

        The comment, the grants and the dependencies are not part of it: they are compared with those in the
        database. Neither are ``refresh_every``, ``build_settings``, ``not_personal``, ``exposes`` and
        ``staff``, which the database does not know.
        """
        indexes = [(index.name, index.unique, index.tail) for index in self.indexes]
        parts = [self.kind.value, self.sql, repr(self.columns), repr(self.options), repr(indexes)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    @cached_property
    def has_star(self) -> bool:
        """Whether the SELECT has a ``*``, so that its columns change with those of the relations it reads."""
        return has_star(self.sql)

    @property
    def where(self) -> Sentence:
        """The label, the file and the line of the class, for messages."""
        return written_at(self.label, self.source)


@dataclass(frozen=True)
class SkippedView:
    """A view that is skipped in a database.

    Attributes:
        label: ``app_label.ClassName`` of its class.
        name: the name that it would have; None when its class has no valid one.
        kind: the kind that its class declares.
        reason: why it is skipped, a sentence.
    """

    label: str
    name: ViewName | None
    kind: ViewKind
    reason: Sentence


@dataclass(frozen=True)
class Definitions:
    """The registered views of one database: the valid definitions, and the errors of the other classes.

    If only some views were asked for, it has their definitions and errors, and possibly others.

    Attributes:
        views: the valid definitions, by name.
        errors: the errors of the invalid classes, by label.
        invalid_names: the names of the views of invalid classes, by label. A class may have no valid name.
        names: the names of all registered views.
        placed: the schemas that classes place views in.
        default_schema: that of the settings; "" when it was not read.
        follows_connection: whether a function gives the schema of any view, so that other connections have
            their views in other schemas.
        skipped: the views whose classes are for other engines.
    """

    database: str
    views: Mapping[ViewName, ViewDefinition]
    errors: Mapping[str, OrmViewsError]
    invalid_names: Mapping[str, ViewName] = field(default_factory=dict)
    names: frozenset[ViewName] = frozenset()
    placed: frozenset[str] = frozenset()
    default_schema: str = ""
    follows_connection: bool = False
    skipped: tuple[SkippedView, ...] = ()

    @cached_property
    def schemas(self) -> tuple[str, ...]:
        """The schemas of the views: that of the settings, and those in which classes place views."""
        schemas = dict.fromkeys([self.default_schema, *sorted(self.placed)])
        return tuple(schema for schema in schemas if schema)

    def raise_errors(self) -> None:
        """Raise the errors of all invalid classes, if there are any.

        Raises:
            OrmViewsError: the only error, or an ``InvalidViewsError`` with all of them.
        """
        errors = list(self.errors.values())
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise InvalidViewsError(errors)


@dataclass(frozen=True)
class IndexDefinition:
    """An index without its table, so that it can also be created on a staged copy of the view.

    Attributes:
        name: its name. The index is in the schema of its view.
        unique: whether it is a unique index.
        tail: the part of CREATE INDEX after ``ON table``.
        tablespace: the tablespace that the class chooses; it is in the tail too.
    """

    name: str
    unique: bool
    tail: str
    tablespace: str = ""

    def create_sql(self, table: ViewName, name: str | None = None) -> str:
        """Return the statement that creates the index on a table, with its own name or another one."""
        unique = "UNIQUE " if self.unique else ""
        return f"CREATE {unique}INDEX {quote_identifier(name or self.name)} ON {table.quoted} {self.tail}"
