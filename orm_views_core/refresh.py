"""Refreshing materialised views: in dependency order, and without locking readers out where possible."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from .catalog import read_catalog
from .catalog_questions import read_view_reads
from .compiling import compile_definitions
from .connections import get_connection, naming_the_database
from .definition import ViewDefinition
from .exceptions import DatabaseUnavailableError, RefreshError, UnknownViewError
from .freshness import freshness_of
from .graph import closure, creation_order, reverse
from .identity import describe, label_of, name_of
from .installed import InstalledView
from .names import ViewKind, ViewName, declared
from .refresh_facts import why_not
from .refresh_jobs import Callbacks, Key, carry_out
from .refresh_order import narrow_down
from .refresh_results import Outcome, RefreshResult, RefreshStart
from .refresh_task import Task
from .registry import registry
from .selection import select_views

_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.timezone.utc)


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
        tag = self.installed.tag if self.installed else None
        return tag.seconds if tag else None


def why_not_concurrently(view: InstalledView) -> str:
    """Say why readers have to wait while a materialised view is refreshed; "" when they need not."""
    return why_not(view.populated, view.can_refresh_concurrently)


def plan_refresh(
    views: Collection[str] | None = None,
    *,
    concurrently: bool | None = None,
    databases: Sequence[str] | None = None,
    downstream: bool = False,
    upstream: bool = False,
    due: bool = False,
) -> list[PlannedRefresh]:
    """Say what :func:`refresh_views` would refresh, in which order, and whom that keeps waiting.

    The arguments are those of :func:`refresh_views`.

    Raises:
        UnknownViewError: when a name is not that of a registered materialised view.
        RefreshError: when ``concurrently`` is insisted on for a view that cannot be.
    """
    planned, silent = _plan(
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


def _plan(
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


def refresh_views(
    views: Collection[str] | None = None,
    *,
    concurrently: bool | None = None,
    databases: Sequence[str] | None = None,
    downstream: bool = False,
    upstream: bool = False,
    due: bool = False,
    fresh: bool = False,
    jobs: int = 1,
    on_start: Callable[[ViewDefinition, bool, str], None] | None = None,
    on_done: Callable[[RefreshResult], None] | None = None,
    on_failed: Callable[[RefreshResult], None] | None = None,
    on_wait: Callable[[RefreshStart, str], None] | None = None,
) -> list[RefreshResult]:
    """Refresh materialised views, each after those that it reads, each in its own transaction.

    A view that somebody else refreshes already is not refreshed once more: the other refresh is joined, and
    the result says as of when its rows are. What fails stops what reads it, and nothing else.

    Args:
        views: names (``loan_book``, ``views.loan_book``) or labels (``lending.LoanBook``); all when None.
        concurrently: True or False insists; None goes concurrently where it is possible.
        databases: aliases; those with registered views when None.
        downstream: also those that read the views, through plain views too.
        upstream: also those that they read.
        due: of the views only those that have no rows, or rows older than ``refresh_every``. What
            ``downstream`` and ``upstream`` add is refreshed with them, due or not.
        fresh: join no refresh that had begun before this call.
        jobs: how many at once, each on a connection of its own. One after another on the caller's connection
            when 1, and where the caller has a transaction open.
        on_start: called before each refresh with the view, whether it goes concurrently, and why not.
        on_done: called after each that succeeded.
        on_failed: called after each that failed, and for each that is skipped.
        on_wait: called with what a refresh waits for, in words, whenever that changes.

    Returns:
        what came of each, in the order in which they ended.

    Raises:
        UnknownViewError: when a name is not that of a registered materialised view.
        RefreshError: when a view could not be refreshed, or a database does not answer, once all that can be
            are; ``results`` has all of them. An error that is alone is raised as it is, and may be another
            OrmViewsError.
            Or, before anything is done, when ``concurrently`` is insisted on for a view that cannot be.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}. Give a number from 1 on.")
    planned, silent = _plan(
        views,
        concurrently=concurrently,
        databases=databases,
        downstream=downstream,
        upstream=upstream,
        due=due,
    )
    request = uuid.uuid4()
    by_key = {(p.definition.database, p.definition.name): p for p in planned}
    tasks = {
        key: _task(p.definition, p, request, concurrently=concurrently, due=due, fresh=fresh, jobs=jobs)
        for key, p in by_key.items()
    }
    waits_for = {key: {(key[0], name) for name in p.waits_for} for key, p in by_key.items()}

    def started(start: RefreshStart) -> None:
        if on_start:
            definition = by_key[start.database, start.name].definition
            on_start(definition, start.concurrently, start.why_not)

    results = carry_out(
        tasks,
        waits_for,
        {key: p.seconds for key, p in by_key.items() if p.seconds is not None},
        Callbacks(started, on_wait, on_done, on_failed),
        sender=refresh_views,
        jobs=jobs,
    )
    _raise_errors(results, silent)
    return results


def refresh_materialized_view(view: Any, concurrently: bool = False) -> None:
    """Refresh one materialised view, or join somebody else's refresh of it.

    Args:
        view: its class, or an instance of it.
        concurrently: whether readers may go on reading meanwhile.

    Raises:
        ValueError: when ``concurrently`` is asked for and there is no ``pk_field``.
        RefreshError: when PostgreSQL refuses.
    """
    cls: Any = view if isinstance(view, type) else type(view)
    cls.get_refresh_sql(concurrently)  # raises the ValueError
    alias = declared(cls, "database", DEFAULT_DB_ALIAS)
    get_connection(alias)
    key: Key = alias, name_of(cls)
    task = Task(*key, label_of(cls), describe(cls), concurrently, uuid.uuid4())
    _raise_errors(carry_out({key: task}, {key: set()}, {}, Callbacks(), sender=refresh_views, jobs=1), [])


def _task(
    definition: ViewDefinition,
    planned: PlannedRefresh,
    request: uuid.UUID,
    *,
    concurrently: bool | None,
    due: bool,
    fresh: bool,
    jobs: int,
) -> Task:
    tag = planned.installed.tag if planned.installed else None
    return Task(
        definition.database,
        definition.name,
        definition.label,
        definition.where,
        concurrently,
        request,
        planned.asked,
        jobs,
        not_before=planned.asked if fresh else None,
        # Another process may have done what is due while those before it were refreshed here.
        unless_newer_than=((tag.refreshed if tag else None) or _LONG_AGO) if due else None,
    )


def _raise_errors(results: Sequence[RefreshResult], silent: Sequence[DatabaseUnavailableError]) -> None:
    errors = [*silent, *(result.error for result in results if result.error is not None)]
    if not errors:
        return
    if len(results) + len(silent) == 1:
        raise errors[0]
    raise RefreshError("\n".join(map(str, errors)), results) from errors[0]


__all__ = [
    "Outcome",
    "PlannedRefresh",
    "RefreshResult",
    "RefreshStart",
    "plan_refresh",
    "refresh_materialized_view",
    "refresh_views",
    "why_not_concurrently",
]
