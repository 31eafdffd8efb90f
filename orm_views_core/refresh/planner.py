"""Planning refreshes: which views, in which order, and which of them make readers wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import NamedTuple

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.ownership import why_closed, why_not_refreshed
from orm_views_core.database.relations import InstalledView, why_not_concurrently
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.definitions.lookup import find_views, select_views
from orm_views_core.definitions.registered import registered_views
from orm_views_core.engines.connections import get_connection, naming_the_database, open_database
from orm_views_core.engines.postgresql.catalog.dependencies import ViewReads, read_view_reads
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog
from orm_views_core.engines.postgresql.catalog.rights import read_closed, read_refused
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.engines.postgresql.errors.refusals import telling
from orm_views_core.exceptions import DatabaseUnavailableError, OrmViewsError, UnknownViewError
from orm_views_core.graph import closure, creation_order, reverse
from orm_views_core.names import ViewKind, ViewName, printable
from orm_views_core.sentences import NOTHING, Sentence, says
from orm_views_core.views.registry import registry

from .freshness import freshness_of
from .plain import split_plain, without_plain
from .results import Mode, choose_mode
from .schedule import narrow_down


@dataclass(frozen=True)
class RefreshRequest:
    """Which views to refresh, and how; the attributes are arguments of ``refresh_views()``."""

    views: Collection[str] | None
    concurrently: bool | None
    databases: Sequence[str] | None
    _: KW_ONLY
    downstream: bool
    upstream: bool
    due: bool


@dataclass(frozen=True, kw_only=True)
class PlannedRefresh:
    """A view that is to be refreshed.

    Attributes:
        definition: what the view's class declares.
        installed: the view in the database; None when it is missing, and then its refresh will fail.
        concurrently: whether readers will be able to go on reading meanwhile.
        why_not: why readers will have to wait, in words; "" if that was asked for.
        waits_for: the views that are refreshed first, because this view reads their new rows.
        asked: the time of the request, by the database's clock.
        no_rows: the materialised views without rows that it reads and that are not refreshed before it. Its
            refresh will fail, unless somebody refreshes them meanwhile.
        refused: why PostgreSQL will refuse the refresh for want of rights, in words; "" when it will not.
    """

    definition: ViewDefinition
    installed: InstalledView | None
    concurrently: bool
    why_not: Sentence
    waits_for: frozenset[ViewName]
    asked: dt.datetime
    no_rows: tuple[ViewName, ...] = ()
    refused: Sentence = NOTHING

    @property
    def seconds(self) -> float | None:
        """The duration of the last refresh in seconds; None when that is unknown."""
        return self.installed.usual_seconds if self.installed else None


class RefreshPlan(NamedTuple):
    """The refreshes in their order, and the errors of the databases that do not answer.

    The errors are left out if views were chosen by name: all of those are in databases that answer.
    """

    refreshes: list[PlannedRefresh]
    unavailable: list[DatabaseUnavailableError]


class _DatabaseFacts(NamedTuple):
    """What planning needs to know of one database.

    Attributes:
        installed: the registered materialised views that are there.
        views: what each view reads, as PostgreSQL knows it, and as its class declares it.
        now: the time, by the database's clock.
        refused: why views cannot be refreshed for want of rights, in words.
    """

    installed: Mapping[ViewName, InstalledView]
    views: ViewReads
    now: dt.datetime
    refused: Mapping[ViewName, Sentence]


def make_plan(request: RefreshRequest) -> RefreshPlan:
    """Plan the refreshes of all databases that answer.

    Raises:
        DatabaseUnavailableError: when a view is unknown, and may belong to a database that does not answer.
        UnknownViewError: when a name is not that of a registered materialised view.
        RefreshError: when ``concurrently`` is insisted on for a view that cannot be.
    """
    compiled: list[Definitions] = []
    unavailable = []
    asked = list(dict.fromkeys(registry.databases() if request.databases is None else request.databases))
    databases, plain = split_plain(asked)
    if plain:
        request = replace(request, views=without_plain(request.views, databases, plain))
        if not databases or request.views == []:
            return RefreshPlan([], [])
    only = _only(request, databases)
    for alias in databases:
        try:
            connection = get_connection(alias)
        except DatabaseUnavailableError as error:
            unavailable.append(error)
        else:
            names = None if only is None else only.get(alias, ())
            compiled.append(compile_definitions(connection, anew=False, only=names))
    for each in compiled:
        each.raise_errors()
    about = {each.database: _about(each, only) for each in compiled}
    everything = [definition for views in about.values() for definition in views.values()]
    try:
        chosen = select_views(everything, request.views, kind=ViewKind.MATERIALISED_VIEW)
    except UnknownViewError:
        if unavailable:
            raise unavailable[0] from None
        raise
    refreshes = []
    for database, views in about.items():
        if names := {d.name for d in chosen if d.database == database}:
            facts = _read_facts(connections[database], views, is_all=only is None)
            refreshes += _plan_database(request, names, views, facts)
    return RefreshPlan(refreshes, unavailable if request.views is None else [])


def _only(request: RefreshRequest, databases: Sequence[str]) -> Mapping[str, Collection[ViewName]] | None:
    """Return the views that a request names, by database; None if it may be about all views."""
    if request.views is None or request.downstream or request.upstream:
        return None
    try:
        return find_views(request.views, databases)
    except OrmViewsError:
        return None  # the error is better when all views are known


def _about(
    definitions: Definitions, only: Mapping[str, Collection[ViewName]] | None
) -> Mapping[ViewName, ViewDefinition]:
    """Return those of some definitions that a request is about, in the order of their declaration."""
    if only is None:
        return definitions.views
    names = registered_views(definitions.database).in_order(only.get(definitions.database, ()))
    return {name: definitions.views[name] for name in names if name in definitions.views}


def _read_facts(
    connection: BaseDatabaseWrapper, definitions: Mapping[ViewName, ViewDefinition], *, is_all: bool
) -> _DatabaseFacts:
    with naming_the_database(connection), telling(connection), transaction.atomic(using=connection.alias):
        catalog = read_catalog(connection, [], only=_materialised(definitions))
        reads = read_view_reads(connection, None if is_all else definitions)
        refused = _read_refused(connection, catalog.relations.values())
    for name, definition in definitions.items():
        reads.reads.setdefault(name, set()).update(definition.declared_dependencies)
    assert catalog.session.now is not None
    views = {name: v for name, v in catalog.relations.items() if v.kind is ViewKind.MATERIALISED_VIEW}
    return _DatabaseFacts(views, reads, catalog.session.now, refused)


def _read_refused(
    connection: BaseDatabaseWrapper, views: Collection[InstalledView]
) -> dict[ViewName, Sentence]:
    """Return why PostgreSQL would refuse to refresh some views, in words."""
    oids = [view.oid for view in views if view.kind is ViewKind.MATERIALISED_VIEW]
    with catalog_cursor(connection) as cursor:
        foreign, closed = read_refused(cursor, oids), read_closed(cursor, oids)
    words = {oid: why_closed(found) for oid, found in closed.items()}
    words |= {
        oid: says("%(why)s.", why=why_not_refreshed(printable(owner))) for oid, owner in foreign.items()
    }
    return {view.name: words[view.oid] for view in views if view.oid in words}


def can_be_refreshed(database: str, names: Collection[ViewName]) -> set[ViewName]:
    """Return those of some views that are registered and not plain views. Their classes may be invalid.

    Raises:
        DatabaseUnavailableError: when the database does not answer.
    """
    definitions = compile_definitions(open_database(database), anew=False, only=names)
    plain = {name for name, each in definitions.views.items() if each.kind is not ViewKind.MATERIALISED_VIEW}
    return set(names) & definitions.names - plain


def refresh_order(database: str, names: Collection[ViewName]) -> list[ViewName]:
    """Return some materialised views, each after those that it reads, through plain views too.

    Raises:
        DatabaseUnavailableError: when the database does not answer.
    """
    connection = get_connection(database)
    with naming_the_database(connection), telling(connection), transaction.atomic(using=database):
        views = read_view_reads(connection, names)
    return creation_order(narrow_down(views.reads, names, views.plain))


def _materialised(definitions: Mapping[ViewName, ViewDefinition]) -> list[ViewName]:
    return [name for name, d in definitions.items() if d.kind is ViewKind.MATERIALISED_VIEW]


def _plan_database(
    request: RefreshRequest,
    names: Collection[ViewName],
    definitions: Mapping[ViewName, ViewDefinition],
    facts: _DatabaseFacts,
) -> list[PlannedRefresh]:
    """Plan the refreshes of one database, each after those that it waits for, else in the declared order."""
    known = _materialised(definitions)
    names = {name for name in names if not request.due or _is_due(definitions[name], facts)}
    related = set(names)
    if request.downstream:
        related |= closure(reverse(facts.views.reads), names)
    if request.upstream:
        related |= closure(facts.views.reads, names)
    waits_for = narrow_down(facts.views.reads, related.intersection(known), facts.views.plain)
    order = creation_order({name: waits_for[name] for name in known if name in waits_for})
    no_rows = _find_unfilled(order, facts)
    return [_planned(request, definitions[n], facts, waits_for[n], no_rows.get(n, ())) for n in order]


def _find_unfilled(order: Sequence[ViewName], facts: _DatabaseFacts) -> dict[ViewName, tuple[ViewName, ...]]:
    """Return the views that cannot be refreshed, each with those without rows that it reads."""
    views, found = facts.views._replace(empty=set(facts.views.empty)), {}
    for name in order if views.empty else ():
        if sources := views.empty_sources(name):
            found[name] = tuple(sorted(sources))
        else:
            views.empty.discard(name)
    return found


def _is_due(definition: ViewDefinition, facts: _DatabaseFacts) -> bool:
    view = facts.installed.get(definition.name)
    freshness = freshness_of(definition, view, facts.now) if view else None
    return freshness is not None and freshness.is_stale


def _planned(
    request: RefreshRequest,
    definition: ViewDefinition,
    facts: _DatabaseFacts,
    waits_for: set[ViewName],
    no_rows: tuple[ViewName, ...],
) -> PlannedRefresh:
    view = facts.installed.get(definition.name)
    mode = Mode(concurrently=False, why_not=NOTHING)
    if view:
        mode = choose_mode(request.concurrently, why_not_concurrently(view), definition.where)
    return PlannedRefresh(
        definition=definition,
        installed=view,
        concurrently=mode.concurrently,
        why_not=mode.why_not,
        waits_for=frozenset(waits_for),
        asked=facts.now,
        no_rows=no_rows,
        refused=facts.refused.get(definition.name, NOTHING),
    )
