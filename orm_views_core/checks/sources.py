"""The system check of views that are created with their rows and read others that are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, register

from orm_views_core.conf import raw_setting_problems
from orm_views_core.definitions.class_compiler import select_of
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.spelling import spelling_on
from orm_views_core.sql.references import find_references
from orm_views_core.views.base import PostgresMaterialisedViewMixin
from orm_views_core.views.identity import describe, name_of
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.registry import registry

from .messages import message

# Nothing is read of the database here. Names without a schema are taken for those of PostgreSQL's usual path.
_PATH = ("public",)


@register("orm_views")
def check_sources(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.W008: a view has ``with_data = False``, and a view that has not reads it."""
    if raw_setting_problems():
        return []
    aliases = [alias for alias in registry.databases() if spelling_on(alias).abilities.materialised]
    return [problem for alias in aliases for problem in _check_database(alias)]


def _check_database(alias: str) -> Iterator[CheckMessage]:
    views = dict(_named(alias))
    empty = {name for name, view in views.items() if _is_materialised(view) and not _has_data(view)}
    if not empty:
        return
    names = frozenset(views)
    reads: dict[ViewName, frozenset[ViewName]] = {}
    for name, view in views.items():
        if _is_materialised(view) and _has_data(view):
            for source in sorted(_closed_sources(name, views, names, reads) & empty):
                problem = (
                    f"it is created with its rows, but reads {source}, which is created without (with_data = "
                    f"False in {describe(views[source])}). Its first sync creates it without too."
                )
                hint = (
                    "Set with_data = False here too, or remove it there. `manage.py refresh_views "
                    f"{name} --upstream` fills both."
                )
                yield message("W008", view, problem, hint)


def _closed_sources(
    name: ViewName,
    views: Mapping[ViewName, Any],
    names: frozenset[ViewName],
    reads: dict[ViewName, frozenset[ViewName]],
) -> set[ViewName]:
    """Return what a view reads, through plain views too. ``reads`` keeps what was found before."""
    found: set[ViewName] = set()
    pending = [name]
    while pending:
        reader = pending.pop()
        if reader not in reads:
            reads[reader] = _reads(reader, views[reader], names)
        new = reads[reader] - found
        found |= new
        pending += [each for each in new if not _is_materialised(views[each])]
    return found


def _reads(name: ViewName, view: Any, names: frozenset[ViewName]) -> frozenset[ViewName]:
    try:
        sql = select_of(view).sql
    except OrmViewsError:
        return frozenset()  # E005, or a sync, reports it
    return find_references(sql, names, search_path=_PATH, reader=name)


def _named(alias: str) -> Iterator[tuple[ViewName, Any]]:
    for view in registry.views(alias):
        try:
            yield name_of(view), view
        except OrmViewsError:
            continue  # E003 reports it


def _is_materialised(view: Any) -> bool:
    return issubclass(view, PostgresMaterialisedViewMixin)


def _has_data(view: Any) -> bool:
    return bool(ViewOptions(view).with_data)
