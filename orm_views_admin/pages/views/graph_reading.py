"""Reads what the dependency graph of a database shows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Q

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import Run
from orm_views_admin.pages.base import read_statuses
from orm_views_admin.pages.troubles import read_troubles
from orm_views_admin.permissions import unseen, visible
from orm_views_admin.ui.graph.boxes import Focus
from orm_views_admin.ui.graph.relations import Relations
from orm_views_admin.ui.graph.way import find_way
from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql.catalog.dependencies import ViewReads, read_view_reads
from orm_views_core.graph import closure
from orm_views_core.lineage import Lineage, RelationColumn, read_lineage
from orm_views_core.names import ViewName
from orm_views_core.privacy.api import find_personal_columns
from orm_views_core.spelling import spelling_on
from orm_views_core.status import DatabaseStatus


def read_relations(alias: str, user: Any, *, tables: bool) -> Relations:
    """Return the relations of a database that a user may see.

    The number of queries does not depend on how many there are.

    Args:
        alias: the database.
        user: who reads the page.
        tables: whether the tables matter that views of others read.

    Raises:
        OrmViewsError: if the database cannot be read.
        DatabaseError: the same, found out later.
    """
    status = read_statuses(alias)
    if status.error is not None:
        raise status.error
    follows_columns = spelling_on(alias).abilities.staging
    views = read_view_reads(get_connection(alias)) if follows_columns else _reads_of(status)
    active = list(Run.objects.filter(database=alias, state__in=Run.ACTIVE))
    troubles = read_troubles(status.views, active, user, wanted=Q(database=alias)).views
    of_views = {address.name: told for address, told in troubles.items()}
    relations = Relations.of(status.views, views.reads, views.plain, of_views)
    others = relations.names & relations.others.keys()
    if tables and others and follows_columns:
        relations = relations.with_reads(read_lineage(get_connection(alias), others).reads)
    names = relations.views.keys() | relations.others.keys()
    seen = {address.name for address in visible(user, [ViewAddress(alias, name) for name in names])}
    return relations.without((names - seen) | unseen(user, alias).names)


def _reads_of(status: DatabaseStatus) -> ViewReads:
    """Return what the views of a database read, as their statuses have it. None is materialised."""
    reads = {view.name: {*view.installed.reads} for view in status.views if view.name and view.installed}
    return ViewReads(reads, {*reads}, set())


def read_focus(
    alias: str, relations: Relations, name: ViewName, column: str, near: Iterable[ViewName]
) -> tuple[Focus, Lineage]:
    """Return what is known of the columns of a relation, and the lineage of the views that matter to it.

    A column that it does not have is not the chosen one.

    Args:
        alias: the database.
        relations: what there is.
        name: the relation.
        column: the column whose way is wanted; "" for none.
        near: what is near the relation.

    Raises:
        DatabaseError: if PostgreSQL refuses to have it read.
    """
    views = {each for each in near if relations.is_view(each)}
    if column:
        views |= closure(relations.read_by, [name])
    if not spelling_on(alias).abilities.staging:
        return Focus(name, ()), Lineage()
    lineage = read_lineage(get_connection(alias), sorted(each for each in views if relations.is_view(each)))
    columns = _columns(lineage, name)
    if column not in columns:
        return Focus(name, columns), lineage
    way = find_way(lineage.direct, RelationColumn(name, column)).without(relations.hidden)
    return Focus(name, columns, column, way), lineage


def _columns(lineage: Lineage, name: ViewName) -> tuple[str, ...]:
    """Return the columns of a view, or those of a table that views read."""
    if found := lineage.direct.get(name):
        return tuple(column.column for column in found.columns)
    read = {
        source.column
        for view in lineage.direct.values()
        for source in (*view.uses, *(source for column in view.columns for source in column.sources))
        if source.relation == name
    }
    return tuple(sorted(read))


def read_personal_columns(alias: str, names: Collection[ViewName]) -> frozenset[RelationColumn]:
    """Return the personal columns of some views, and those of tables that they are made of.

    Args:
        alias: the database. Nothing is sent to it if the project has nothing personal.
        names: the views; those that are not in the database have none.

    Raises:
        PersonalFieldError: if what is marked as personal is no field with a column.
        DatabaseError: if PostgreSQL refuses to have it read.
    """
    if not spelling_on(alias).abilities.staging:
        return frozenset()
    found = find_personal_columns(get_connection(alias), names)
    exposures = [exposure for columns in found.values() for exposure in columns.values()]
    return frozenset(column for each in exposures for column in (each.column, *each.sources))
