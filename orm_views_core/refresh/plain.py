"""Databases whose engine has no materialised views: nothing is ever refreshed there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from django.db import connections

from orm_views_core.definitions.definition import SkippedView
from orm_views_core.definitions.lookup import is_called, unknown_view, views_by_handle
from orm_views_core.definitions.registered import registered_views
from orm_views_core.exceptions import UnknownViewError
from orm_views_core.names import ViewKind
from orm_views_core.sentences import Sentence, says
from orm_views_core.spelling import spelling_of, spelling_on
from orm_views_core.views.identity import describe, kind_of, name_of
from orm_views_core.views.registry import registry


def is_plain(alias: str) -> bool:
    """Return whether views are synced in a database, and none of them is materialised there."""
    spelling = spelling_of(connections[alias]) if alias in connections.settings else None
    return spelling is not None and not spelling.abilities.materialised


def split_plain(databases: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the databases that may have materialised views, and those that have none."""
    split: tuple[list[str], list[str]] = [], []
    for alias in databases:
        split[is_plain(alias)].append(alias)
    return split


def without_plain(
    views: Collection[str] | None, databases: Sequence[str], plain: Sequence[str]
) -> list[str] | None:
    """Return those of some views that may have to be refreshed; None for all.

    Args:
        views: names or labels; all views when None.
        databases: those that may have materialised views.
        plain: those that have none.

    Raises:
        UnknownViewError: when no database has a view, or its class does not call it materialised.
    """
    if views is None:
        return None
    known = views_by_handle(databases)
    left = [text for text in views if text in known]
    for text in views:
        if text not in known and not _are_stored_elsewhere(text, plain):
            raise unknown_view(text, [*known, *views_by_handle(plain)])
    return left


def _are_stored_elsewhere(text: str, plain: Sequence[str]) -> bool:
    """Return whether a name is that of a view of these databases.

    Raises:
        UnknownViewError: when its class does not call it materialised.
    """
    named = [view for _, view in views_by_handle(plain).get(text, ())]
    kinds = [kind_of(view) for view in named] + [view.kind for view in _skipped(text, plain)]
    if named and ViewKind.MATERIALISED_VIEW not in kinds:
        where, name = describe(named[0]), name_of(named[0])
        label = ViewKind.MATERIALISED_VIEW.label
        raise UnknownViewError(
            says("%(where)s: %(name)s is not a %(kind)s.", where=where, name=name, kind=label)
        )
    return bool(kinds)


def _skipped(text: str, databases: Sequence[str]) -> Iterator[SkippedView]:
    for alias in databases:
        yield from (view for view in registered_views(alias).skipped if is_called(view, text))


def why_nothing(views: Collection[str] | None, databases: Sequence[str] | None) -> list[Sentence]:
    """Return why there is nothing to refresh, if that is because of the engines of databases.

    Args:
        views: names or labels; all views when None.
        databases: aliases; those with registered views when None.
    """
    others, plain = split_plain(registry.databases() if databases is None else databases)
    if views is None and others:
        return []
    if views is not None:
        plain = [
            alias
            for alias in plain
            if any(text in registered_views(alias).by_handle or [*_skipped(text, [alias])] for text in views)
        ]
    return [
        says(
            "There is nothing to refresh: the views of database %(database)r (%(engine)s) are plain ones.",
            database=alias,
            engine=spelling_on(alias).title,
        )
        for alias in plain
    ]
