"""Reads what a catalogue says of the views of a database, in a fixed number of queries."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from orm_views_core.database.lineage import ColumnLineage, Columns, Lineage, RelationColumn, ViewLineage
from orm_views_core.database.relations import Catalog, InstalledView
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import Definitions
from orm_views_core.engines.connections import get_connection, naming_the_database
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog, with_definitions
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.engines.postgresql.rules.catalog import read_stored
from orm_views_core.engines.postgresql.rules.follow import follow
from orm_views_core.engines.postgresql.rules.selects import Select
from orm_views_core.engines.postgresql.visible import VisibleView, read_visible
from orm_views_core.lineage.api import safe_functions
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.privacy.judging import follow_to_ends
from orm_views_core.privacy.marks import are_used
from orm_views_core.privacy.personal_columns import read_personal
from orm_views_core.sentences import says

from .surroundings import inverted, tables_of, visible_reads
from .values import (
    PUBLIC,
    CatalogueColumn,
    CatalogueDatabase,
    CatalogueGrant,
    CatalogueView,
    personal_by,
)

#: The values of an option that is set.
_ON = {"true", "on", "yes", "1"}


def read_database(
    alias: str,
    role: str | None,
    *,
    sql: bool = False,
    times: bool = True,
) -> CatalogueDatabase:
    """Return the views of a database that a role may read, and the tables that they are made of.

    Args:
        alias: the database.
        role: the role; ``public`` for what every role may read; None for the role of the connection.
        sql: whether to read PostgreSQL's own text of each view. That of a view that another session has
            locked is left out.
        times: whether to say as of which time the rows of materialised views are.

    Raises:
        MissingRoleError: the database has no such role.
        PersonalFieldError: what is marked as personal is no field with a column.
        UnsupportedDatabaseError: the alias is unknown or its database is not PostgreSQL.
        DatabaseUnavailableError: the database does not answer.
    """
    connection = get_connection(alias, says("A catalogue of views"))
    definitions = compile_definitions(connection, anew=False)
    with naming_the_database(connection), catalog_cursor(connection, savepoint=True) as cursor:
        visible = {
            name: view
            for name, view in read_visible(cursor, role).items()
            if name in definitions.names or not view.is_of_extension
        }
        catalog = read_catalog(connection, [], only=visible.keys(), owners_of=definitions.placed)
        stored = read_stored(cursor, visible.keys(), safe_functions())
        labels = read_personal(cursor) if are_used() else {}
        if sql:
            catalog = with_definitions(connection, catalog, visible.keys(), wait=False)
    # A view may have been dropped in between.
    names = sorted(visible.keys() & catalog.relations.keys())
    selects: dict[int, Select] = {}
    lineage, personal = follow(stored, selects=selects), frozenset(labels)
    not_personal = frozenset(
        RelationColumn(name, column)
        for name, definition in definitions.views.items()
        for column in definition.not_personal
    )
    declared = follow_to_ends(stored, labels, not_personal, selects=selects).lineage if labels else lineage
    reads = visible_reads(names, lineage.reads)
    found = _Found(definitions, catalog, visible, lineage, declared, not_personal, personal, reads)
    views = tuple(found.view(name) for name in names)
    if not times:
        views = tuple(replace(view, refreshed=None) for view in views)
    return CatalogueDatabase(alias, views, tables_of(alias, views, personal), personal)


@dataclass(frozen=True)
class _Found:
    """What was read of a database.

    Attributes:
        declared: the lineage up to the columns that classes declare as not personal.
        not_personal: these columns.
    """

    definitions: Definitions
    catalog: Catalog
    visible: Mapping[ViewName, VisibleView]
    lineage: Lineage
    declared: Lineage
    not_personal: Columns
    personal: Columns
    reads: Mapping[ViewName, tuple[ViewName, ...]]

    @cached_property
    def read_by(self) -> Mapping[ViewName, tuple[ViewName, ...]]:
        """By what each relation is read."""
        return inverted(self.reads)

    @cached_property
    def labels(self) -> Mapping[ViewName, str]:
        """The labels of the classes, also of those that do not compile."""
        invalid = {name: label for label, name in self.definitions.invalid_names.items()}
        return invalid | {name: definition.label for name, definition in self.definitions.views.items()}

    def view(self, name: ViewName) -> CatalogueView:
        """Return what the catalogue says of one view."""
        installed, visible = self.catalog.relations[name], self.visible[name]
        lineage = self.lineage.views.get(name) or ViewLineage(name, ())
        definition, label = self.definitions.views.get(name), self.labels.get(name, "")
        is_materialised = installed.kind is ViewKind.MATERIALISED_VIEW
        return CatalogueView(
            database=self.definitions.database,
            name=name,
            kind=installed.kind or ViewKind.VIEW,
            label=label,
            owner=installed.owner,
            description="" if installed.text == label else installed.text,
            columns=tuple(self._columns(installed, visible, lineage)),
            is_whole=visible.is_whole,
            is_invoker=any(name == "security_invoker" and value in _ON for name, value in installed.options),
            uses=lineage.uses,
            is_exact=lineage.is_exact,
            reads=self.reads[name],
            read_by=self.read_by.get(name, ()),
            grants=_grants(installed, visible),
            populated=installed.populated,
            refresh_every=definition.refresh_every if definition and is_materialised else None,
            refreshed=_refreshed(installed) if is_materialised else None,
            sql=installed.definition,
        )

    def _columns(
        self, installed: InstalledView, visible: VisibleView, lineage: ViewLineage
    ) -> Iterator[CatalogueColumn]:
        declared = self.declared.views.get(installed.name) or lineage
        for column in visible.columns:
            nothing = ColumnLineage(column.name)
            found = lineage.column(column.name) or nothing
            is_declared = RelationColumn(installed.name, column.name) in self.not_personal
            of_class = nothing if is_declared else declared.column(column.name) or found
            yield CatalogueColumn(
                column.name,
                column.type,
                column.collation,
                installed.column_comments.get(column.name, ""),
                found,
                personal_by(found, of_class, self.personal),
            )


def _refreshed(view: InstalledView) -> dt.datetime | None:
    """Return the time as of which the rows are; None when there are none, or no sync has recorded it."""
    return (view.state.refreshed or view.state.synced) if view.state and view.populated else None


def _grants(installed: InstalledView, visible: VisibleView) -> tuple[CatalogueGrant, ...]:
    """Return who has privileges on a view. Grants on columns that the role may not read are left out."""
    of_view: defaultdict[str, set[str]] = defaultdict(set)
    for grant in installed.grants:
        of_view[grant.role].add(grant.privilege)
    of_columns: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for column in visible.columns:
        for grant in visible.column_grants.get(column.name, ()):
            of_columns[grant.role, grant.privilege].append(column.name)
    by_columns: defaultdict[tuple[str, tuple[str, ...]], set[str]] = defaultdict(set)
    for (role, privilege), columns in of_columns.items():
        by_columns[role, tuple(columns)].add(privilege)
    grants: list[tuple[str, tuple[str, ...], set[str]]]
    grants = [(role, (), privileges) for role, privileges in of_view.items()]
    grants += [(role, columns, privileges) for (role, columns), privileges in by_columns.items()]
    return tuple(
        CatalogueGrant(role or PUBLIC, tuple(sorted(privileges)), columns)
        for role, columns, privileges in sorted(grants, key=lambda grant: grant[:2])
    )
