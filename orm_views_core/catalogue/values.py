"""What a catalogue says, as values. Pure."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass, field

from orm_views_core.database.lineage import ColumnLineage, Columns
from orm_views_core.names import ViewKind, ViewName

PUBLIC = "PUBLIC"


class Personal(enum.Enum):
    """In what way a column is made of personal data. The value is the word in JSON.

    NO_LONGER: it is made of personal columns, and a class says that what came of them is not personal.
    """

    SHOWN = "shown"
    COMPUTED = "computed"
    NO_LONGER = "no longer"


def personal_by(lineage: ColumnLineage, declared: ColumnLineage, personal: Columns) -> Personal | None:
    """Return in what way a column is made of personal columns; None when it is not.

    Args:
        lineage: what the column is made of.
        declared: the same, up to where classes say that nothing is personal any more.
        personal: the personal columns of tables.
    """
    if personal & (declared.shows | declared.may_show):
        return Personal.SHOWN
    if personal & declared.computed_from:
        return Personal.COMPUTED
    return Personal.NO_LONGER if personal & lineage.sources else None


@dataclass(frozen=True)
class CatalogueColumn:
    """A column of a view.

    Attributes:
        type: its type with modifiers.
        collation: "" for the default one of its type.
        comment: its description; "" when it has none.
        lineage: what it is made of, in columns of tables.
        personal: in what way it is made of personal data; None when it is not.
    """

    name: str
    type: str
    collation: str
    comment: str
    lineage: ColumnLineage
    personal: Personal | None = None


@dataclass(frozen=True)
class CatalogueGrant:
    """The privileges of a role on a view.

    Attributes:
        role: ``PUBLIC`` for all roles.
        privileges: their names, sorted.
        columns: the columns that they are on; empty for the whole view.
    """

    role: str
    privileges: tuple[str, ...]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class CatalogueView:
    """A view with what analysts need to know of it.

    Attributes:
        database: the alias.
        label: ``app_label.ClassName``; "" when no class declares the view.
        description: its comment, without what a sync records; "" when it has none.
        columns: those that the role may read.
        is_whole: whether the role may read all columns, so that ``SELECT *`` is allowed.
        is_invoker: whether what it reads is read with the rights of whoever reads the view.
        uses: the columns of tables that decide which rows it has, or in which order.
        is_exact: whether its SELECT could be read to the end.
        reads: the views of the catalogue and the tables that it reads. It may read them through views that
            are not in the catalogue.
        read_by: the views of the catalogue that read it.
        populated: whether a materialised view has rows.
        refresh_every: how old its rows may get; None when nothing is promised.
        refreshed: as of which time its rows are; None when that is unknown, or they are computed when read.
        sql: its SELECT; None when it was not read.
    """

    database: str
    name: ViewName
    kind: ViewKind
    label: str
    owner: str
    description: str
    columns: tuple[CatalogueColumn, ...]
    is_whole: bool = True
    is_invoker: bool = False
    uses: Columns = frozenset()
    is_exact: bool = True
    reads: tuple[ViewName, ...] = ()
    read_by: tuple[ViewName, ...] = ()
    grants: tuple[CatalogueGrant, ...] = ()
    populated: bool = True
    refresh_every: dt.timedelta | None = None
    refreshed: dt.datetime | None = None
    sql: str | None = None

    @property
    def app(self) -> str:
        """The label of the app whose class declares it; "" when no class does."""
        return self.label.partition(".")[0]


@dataclass(frozen=True)
class TableColumn:
    """A column of a table, and where it is found again.

    Attributes:
        shown_by: the views that show it, each with the view's column.
        computed_into: the views with columns that are computed from it.
        maybe_shown_by: the views with columns that may show it.
        used_by: the views whose rows it decides on.
    """

    name: str
    shown_by: tuple[tuple[ViewName, str], ...] = ()
    computed_into: tuple[tuple[ViewName, str], ...] = ()
    maybe_shown_by: tuple[tuple[ViewName, str], ...] = ()
    used_by: tuple[ViewName, ...] = ()
    is_personal: bool = False


@dataclass(frozen=True)
class CatalogueTable:
    """A table, or another relation that is no view of the database, that views of the catalogue read.

    Attributes:
        columns: those that the views are made of, sorted. The table may have others.
        read_by: the views that read it.
    """

    database: str
    name: ViewName
    columns: tuple[TableColumn, ...] = ()
    read_by: tuple[ViewName, ...] = ()


@dataclass(frozen=True)
class CatalogueDatabase:
    """The views of one database and the tables that they read, both sorted by name."""

    alias: str
    views: tuple[CatalogueView, ...] = ()
    tables: tuple[CatalogueTable, ...] = ()
    personal: Columns = frozenset()


@dataclass(frozen=True)
class Catalogue:
    """Everything that a catalogue says.

    Attributes:
        role: the role as which the databases were looked at; None when none was asked for.
        has_sql: whether the SQL of the views was asked for.
    """

    databases: tuple[CatalogueDatabase, ...] = ()
    role: str | None = None
    has_sql: bool = field(default=False)

    @property
    def views(self) -> Iterable[CatalogueView]:
        """The views of all databases."""
        return (view for database in self.databases for view in database.views)

    @property
    def tables(self) -> Iterable[CatalogueTable]:
        """The tables of all databases."""
        return (table for database in self.databases for table in database.tables)
