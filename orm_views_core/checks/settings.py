"""System checks of the settings, and of the databases and names of views. They read no database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.db import connections

from orm_views_core.conf import raw_setting_problems
from orm_views_core.engines.connections import view_databases
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.spelling import spelling_of
from orm_views_core.views.identity import describe, name_of
from orm_views_core.views.registry import registry

from .messages import message

_NAMES = "The name of a view or a schema is a string of 1 to 63 bytes."


@register("orm_views")
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.E001: ``ORM_VIEWS`` has an unknown key or a wrong value."""
    return [Error(p.message, hint=p.hint, id="orm_views_core.E001") for p in raw_setting_problems()]


@register("orm_views")
def check_databases(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.E002: a view's ``database`` is not in DATABASES, or views cannot be synced there."""
    messages: list[CheckMessage] = []
    for alias in registry.databases():
        if alias not in connections.settings:
            problem = "which is not in DATABASES"
        elif spelling_of(connections[alias]) is None:
            problem = f"which is {connections[alias].display_name}, where views cannot be synced"
        else:
            continue
        views = ", ".join(describe(view) for view in registry.views(alias))
        hint = "Set 'database' on the class to the alias of a PostgreSQL, SQLite, MariaDB or MySQL database."
        messages.append(message("E002", views, f"in database {alias!r}, {problem}.", hint))
    return messages


@register("orm_views")
def check_names(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Run the checks of the names of views: E003, E004 and W001."""
    if raw_setting_problems():
        return []
    return [problem for alias in view_databases() for problem in _check_names_of(alias)]


def _check_names_of(alias: str) -> Iterator[CheckMessage]:
    """orm_views_core.E003: PostgreSQL would cut a name, or it is no name; E004: two classes claim a name;
    W001: a name has capital letters.
    """
    owners: dict[ViewName, type] = {}
    for view in registry.views(alias):
        try:
            name = name_of(view)
        except OrmViewsError as error:
            yield Error(str(error), hint=_NAMES, id="orm_views_core.E003")
            continue
        if (owner := owners.setdefault(name, view)) is not view:
            yield Error(
                f"{describe(view)} and {describe(owner)} both claim {name} in database {alias!r}.",
                hint="Set another 'name', 'prefix' or 'schema' on one of them.",
                id="orm_views_core.E004",
            )
        if name.name != name.name.lower():
            problem = f"its name {name.name!r} has capital letters, so every query has to quote it."
            yield message("W001", view, problem, "Set a 'name' in lower case.")
