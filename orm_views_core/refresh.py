"""Refreshing materialised views: in dependency order, and without locking readers out where possible."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from . import ddl, signals
from .catalog import read_catalog
from .connections import get_connection
from .definition import ViewDefinition, compile_definitions
from .exceptions import RefreshError
from .graph import creation_order
from .identity import name_of
from .installed import Catalog, InstalledView
from .locks import in_transaction, limit_lock_waits
from .names import ViewKind, ViewName, declared
from .refusal import is_refusal
from .registry import registry
from .selection import select_views
from .tag import join_comment, split_comment


@dataclass(frozen=True)
class RefreshResult:
    """A refresh that was done.

    Attributes:
        concurrently: whether readers could go on reading meanwhile.
        why_not: if that is not possible, why, in words.
        seconds: how long it took.
    """

    database: str
    name: ViewName
    concurrently: bool
    why_not: str
    seconds: float


def why_not_concurrently(view: InstalledView) -> str:
    """Say why readers have to wait while a materialised view is refreshed; "" when they need not."""
    if not view.populated:
        return "it has no rows yet, so there is nothing to go on reading"
    if not view.can_refresh_concurrently:
        return "it has no unique index on plain columns; set pk_field on its class"
    return ""


def refresh_views(
    views: Collection[str] | None = None,
    *,
    concurrently: bool | None = None,
    databases: Sequence[str] | None = None,
    on_start: Callable[[ViewDefinition, bool, str], None] | None = None,
    on_done: Callable[[RefreshResult], None] | None = None,
) -> list[RefreshResult]:
    """Refresh materialised views, each after those that it reads, each in its own transaction.

    Args:
        views: names (``loan_book``, ``views.loan_book``) or labels (``lending.LoanBook``); all when None.
        concurrently: True or False insists; None goes concurrently where it is possible.
        databases: aliases; those with registered views when None.
        on_start: called before each refresh with the view, whether it goes concurrently, and why not.
        on_done: called after each.

    Raises:
        UnknownViewError: when a name is not that of a registered materialised view.
        RefreshError: when one cannot be refreshed. Those before it have been.
    """
    work = []
    connections = [
        get_connection(alias) for alias in (registry.databases() if databases is None else databases)
    ]
    compiled = [(connection, compile_definitions(connection)) for connection in connections]
    for _, definitions in compiled:
        definitions.raise_errors()
    chosen = select_views(
        [d for _, c in compiled for d in c.views.values()], views, kind=ViewKind.MATERIALISED_VIEW
    )
    for connection, definitions in compiled:
        with transaction.atomic(using=connection.alias):
            catalog = read_catalog(connection, list({name.schema for name in definitions.views}))
        for definition in _in_order([d for d in chosen if d.database == connection.alias], catalog):
            installed = _installed(definition, catalog)
            work.append((connection, definition, _how(definition, installed, concurrently)))
    results = []
    for connection, definition, (concurrent, why_not) in work:
        if on_start:
            on_start(definition, concurrent, why_not)
        results.append(_refresh(connection, definition.name, concurrent, why_not))
        if on_done:
            on_done(results[-1])
    return results


def refresh_materialized_view(view: Any, concurrently: bool = False) -> None:
    """Refresh one materialised view.

    Args:
        view: its class, or an instance of it.
        concurrently: whether readers may go on reading meanwhile.

    Raises:
        ValueError: when ``concurrently`` is asked for and there is no ``pk_field``.
        RefreshError: when PostgreSQL refuses.
    """
    cls: Any = view if isinstance(view, type) else type(view)
    cls.get_refresh_sql(concurrently)  # raises the ValueError
    connection = get_connection(declared(cls, "database", DEFAULT_DB_ALIAS))
    name = name_of(cls)
    with transaction.atomic(using=connection.alias):
        installed = read_catalog(connection, [], only=[name]).relations.get(name)
    if installed is None:
        raise RefreshError(f"{name} is not in database {connection.alias!r}. Run sync_views first.")
    _refresh(connection, name, concurrently, "")


def _in_order(chosen: Collection[ViewDefinition], catalog: Catalog) -> list[ViewDefinition]:
    order = creation_order({name: view.reads for name, view in catalog.relations.items()})
    position = {name: i for i, name in enumerate(order)}
    return sorted(chosen, key=lambda definition: position.get(definition.name, -1))


def _installed(definition: ViewDefinition, catalog: Catalog) -> InstalledView:
    installed = catalog.relations.get(definition.name)
    if installed is None or installed.kind is not ViewKind.MATERIALISED_VIEW:
        what = "is not there" if installed is None else f"is a {installed.relation} there"
        raise RefreshError(
            f"{definition.where}: {definition.name} {what} in database {definition.database!r}. "
            "Run sync_views first."
        )
    return installed


def _how(definition: ViewDefinition, view: InstalledView, concurrently: bool | None) -> tuple[bool, str]:
    if concurrently is False:
        return False, ""
    why_not = why_not_concurrently(view)
    if concurrently and why_not:
        raise RefreshError(f"{definition.where}: it cannot be refreshed concurrently: {why_not}.")
    return not why_not, why_not


def _refresh(
    connection: BaseDatabaseWrapper, name: ViewName, concurrently: bool, why_not: str
) -> RefreshResult:
    def work(connection: BaseDatabaseWrapper) -> float:
        limit_lock_waits(connection)
        started = time.perf_counter()
        with connection.cursor() as cursor:
            try:
                cursor.execute(ddl.refresh(name, concurrently=concurrently))
            except DatabaseError as error:
                if not is_refusal(error):
                    raise  # a lock or the connection, which in_transaction() knows about
                raise RefreshError(
                    f"{name} in database {connection.alias!r} could not be refreshed: {str(error).strip()}"
                ) from error
            seconds = time.perf_counter() - started
            _record(connection, name, seconds)
        return seconds

    seconds = in_transaction(connection, work)
    result = RefreshResult(connection.alias, name, concurrently, why_not, seconds)
    signals.view_refreshed.send(sender=refresh_views, database=connection.alias, result=result)
    return result


def _record(connection: BaseDatabaseWrapper, name: ViewName, seconds: float) -> None:
    """Write the time and duration into the view's tag, as it is now: a sync may have come between."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description(%s::regclass, 'pg_class')", [name.quoted])
        text, tag = split_comment(cursor.fetchone()[0])
        if tag is None:
            return
        now = timezone.now().astimezone(dt.timezone.utc)
        tag = replace(tag, refreshed=now, seconds=round(seconds, 3))
        cursor.execute(ddl.comment_on_view(ViewKind.MATERIALISED_VIEW, name, join_comment(text, tag)))
