"""System checks. The id of a check never changes, and every message has a hint that says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError

from orm_views_admin.runs.executors import get_executor
from orm_views_core.engines.connections import get_connection, view_databases
from orm_views_core.engines.postgresql.catalog.trust import read_superuser
from orm_views_core.exceptions import DatabaseUnavailableError, UnsupportedDatabaseError

from .conf import raw_setting_problems


@register("orm_views")
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_admin.E001: ``ORM_VIEWS_ADMIN`` has an unknown key or an invalid value."""
    problems = [(problem.message, problem.hint) for problem in raw_setting_problems()]
    if not problems:
        try:
            get_executor()
        except ImproperlyConfigured as error:
            problems.append((str(error), "docs/runs.md has the settings of each executor."))
    return [Error(message, hint=hint, id="orm_views_admin.E001") for message, hint in problems]


@register(Tags.database, "orm_views")
def check_roles(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """orm_views_admin.W001: Django connects to a database of views as a superuser."""
    messages: list[CheckMessage] = []
    for alias in [alias for alias in view_databases() if alias in (databases or ())]:
        try:
            role = read_superuser(get_connection(alias))
        except (DatabaseUnavailableError, UnsupportedDatabaseError, OperationalError, InterfaceError):
            continue  # orm_views_core.E002, or the command that needs the database, reports it.
        if role is not None:
            problem = f"Database {alias!r}: Django connects as {role!r}, which is a superuser."
            hint = (
                "Let the pages connect as a role that only reads the views: whatever a view runs would have "
                "all rights on the server. Silence this check if only commands connect as this role."
            )
            messages.append(CheckWarning(problem, hint=hint, id="orm_views_admin.W001"))
    return messages
