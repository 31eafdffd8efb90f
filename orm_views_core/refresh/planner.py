"""Planning refreshes: which views, in which order, and whom that keeps waiting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import InstalledView, why_not_concurrently
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.definitions.lookup import select_views
from orm_views_core.engines.connections import get_connection, naming_the_database
from orm_views_core.engines.postgresql.catalog.dependencies import read_view_reads
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog
from orm_views_core.exceptions import DatabaseUnavailableError, RefreshError, UnknownViewError
from orm_views_core.graph import closure, creation_order, reverse
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.views.registry import registry

from .freshness import freshness_of
from .schedule import narrow_down


@dataclass(frozen=True)
class PlannedRefresh:
    """A view that is to be refreshed.

    Attributes:
        definition: what its class says.
        installed: the view; None when it is not there, and then its refresh will fail.
        concurrently: whether readers will be able to go on reading meanwhile.
        why_not: if they will not, why, in words; "" if that is asked for.
        waits_for: the views that are refreshed before it, because it sees their new rows.
        asked: the time, by the database's clock.
    """

    definition: ViewDefinition
    installed: InstalledView | None
    concurrently: bool
    why_not: str
    waits_for: frozenset[ViewName]
    asked: dt.datetime

    @property
    def seconds(self) -> float | None:
        """How long it took the last time; None when that is unknown."""
        state = self.installed.state if self.installed else None
        return state.seconds if state else None


def plan_refresh(
    views: Collection[str] | None = None,
    *,
    concurrently: bool | None = None,
    databases: Sequence[str] | None = None,
    downstream: bool = False,
    upstream: bool = False,
    due: bool = False,
) -> list[PlannedRefresh]:
    """Say what ``refresh_views`` would refresh, in which order, and whom that keeps waiting.

    The arguments are those of :func:`~orm_views_core.refresh.refresh_views`.

    Raises:
        UnknownViewError: when a name is not that of a registered materialised view.
        RefreshError: when ``concurrently`` is insisted on for a view that cannot be.
    """
    planned, silent = plan_what_answers(
        views,
        concurrently=concurrently,
        databases=databases,
        downstream=downstream,
        upstream=upstream,
        due=due,
    )
    if silent:
        raise silent[0]
    return planned


def plan_what_answers(
    views: Collection[str] | None,
    *,
    concurrently: bool | None,
    databases: Sequence[str] | None,
    downstream: bool,
    upstream: bool,
    due: bool,
) -> tuple[list[PlannedRefresh], list[DatabaseUnavailableError]]:
    """Return what is to be refreshed, and the errors of databases that do not answer, if it is about all."""
    compiled, silent = [], []
    for alias in dict.fromkeys(registry.databases() if databases is None else databases):
        try:
            connection = get_connection(alias)
        except DatabaseUnavailableError as error:
            silent.append(error)
        else:
            compiled.append((connection, compile_definitions(connection)))
    for _, definitions in compiled:
        definitions.raise_errors()
    everything = [d for _, c in compiled for d in c.views.values()]
    try:
        chosen = select_views(everything, views, kind=ViewKind.MATERIALISED_VIEW)
    except UnknownViewError:
        if silent:
            raise silent[0] from None  # it may well be one of those
        raise
    planned: list[PlannedRefresh] = []
    for connection, definitions in compiled:
        known = {n: d for n, d in definitions.views.items() if d.kind is ViewKind.MATERIALISED_VIEW}
        wanted = [d for d in chosen if d.database == connection.alias]
        if wanted:
            with naming_the_database(connection):
                database = _Database(connection, definitions.views, known)
            planned += database.plan(wanted, concurrently, downstream=downstream, upstream=upstream, due=due)
    return planned, silent if views is None else []


class _Database:
    """What has to be known of one database to plan its refreshes."""

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        definitions: Mapping[ViewName, ViewDefinition],
        known: Mapping[ViewName, ViewDefinition],
    ) -> None:
        self.known = known
        with transaction.atomic(using=connection.alias):
            self.catalog = read_catalog(connection, [], only=list(known))
            with connection.cursor() as cursor:
                self.reads, self.plain = read_view_reads(cursor)
        for name, definition in definitions.items():
            self.reads.setdefault(name, set()).update(definition.declared_dependencies)
        assert self.catalog.session.now is not None
        self.now = self.catalog.session.now

    def plan(
        self,
        wanted: Sequence[ViewDefinition],
        concurrently: bool | None,
        *,
        downstream: bool,
        upstream: bool,
        due: bool,
    ) -> list[PlannedRefresh]:
        names = {d.name for d in wanted if not due or self._is_due(d)}
        more = set(names)
        if downstream:
            more |= closure(reverse(self.reads), names)
        if upstream:
            more |= closure(self.reads, names)
        names |= more & self.known.keys()
        waits_for = narrow_down(self.reads, names, self.plain)
        return [
            self._planned(self.known[name], concurrently, frozenset(waits_for[name]))
            for name in _in_order(waits_for, [*self.known])
        ]

    def _is_due(self, definition: ViewDefinition) -> bool:
        view = self._installed(definition.name)
        if view is None:
            return False  # there is nothing yet that could be old
        freshness = freshness_of(definition, view, self.now)
        return freshness is not None and freshness.is_stale

    def _installed(self, name: ViewName) -> InstalledView | None:
        view = self.catalog.relations.get(name)
        return view if view is not None and view.kind is ViewKind.MATERIALISED_VIEW else None

    def _planned(
        self, definition: ViewDefinition, concurrently: bool | None, waits_for: frozenset[ViewName]
    ) -> PlannedRefresh:
        view = self._installed(definition.name)
        why = "" if concurrently is False or view is None else why_not_concurrently(view)
        if concurrently and why:
            raise RefreshError(f"{definition.where}: it cannot be refreshed concurrently: {why}.")
        goes = concurrently is not False and view is not None and not why
        return PlannedRefresh(definition, view, goes, why, waits_for, self.now)


def _in_order(waits_for: Mapping[ViewName, set[ViewName]], position: Sequence[ViewName]) -> list[ViewName]:
    """Order views so that each comes after what it waits for; otherwise as they are declared."""
    return creation_order({name: waits_for[name] for name in position if name in waits_for})
