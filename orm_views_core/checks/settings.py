"""System checks. Each has an id that never changes, and a hint that says what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.db import connections

from orm_views_core.conf import raw_setting_problems
from orm_views_core.engines.connections import view_databases
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.views.identity import describe, name_of
from orm_views_core.views.registry import registry


@register("orm_views")
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.E001: ``ORM_VIEWS`` has a key or a value that it cannot have."""
    return [Error(p.message, hint=p.hint, id="orm_views_core.E001") for p in raw_setting_problems()]


@register("orm_views")
def check_databases(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.E002: a view's ``database`` is not in DATABASES, or is not PostgreSQL."""
    messages: list[CheckMessage] = []
    for alias in registry.databases():
        views = ", ".join(describe(view) for view in registry.views(alias))
        if alias not in connections.settings:
            problem = "which is not in DATABASES"
        elif connections[alias].vendor != "postgresql":
            problem = f"which is {connections[alias].display_name}, not PostgreSQL"
        else:
            continue
        messages.append(
            Error(
                f"{views}: in database {alias!r}, {problem}.",
                hint="Set 'database' on the class to the alias of a PostgreSQL database.",
                id="orm_views_core.E002",
            )
        )
    return messages


@register("orm_views")
def check_names(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.E003: a name that PostgreSQL would cut; E004: one that two classes claim;
    W001: one that analysts would have to quote.
    """
    if raw_setting_problems():
        return []
    messages: list[CheckMessage] = []
    for alias in view_databases():
        seen: dict[ViewName, type] = {}
        for view in registry.views(alias):
            try:
                name = name_of(view)
            except OrmViewsError as error:
                messages.append(Error(str(error), hint="Set a shorter 'name'.", id="orm_views_core.E003"))
                continue
            if name in seen:
                messages.append(
                    Error(
                        f"{describe(view)} and {describe(seen[name])} both claim {name} "
                        f"in database {alias!r}.",
                        hint="Set another 'name', 'prefix' or 'schema' on one of them.",
                        id="orm_views_core.E004",
                    )
                )
            seen.setdefault(name, view)
            if name.name != name.name.lower():
                messages.append(
                    checks.Warning(
                        f"{describe(view)}: its name {name.name!r} has capitals, so it has to be quoted "
                        "wherever it is read.",
                        hint="Set a 'name' in lower case.",
                        id="orm_views_core.W001",
                    )
                )
    return messages
