"""System checks. The id of a check never changes, and every message has a hint that says what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, ProgrammingError, router

from orm_views_admin.files.storage import ALIAS, is_configured, is_public
from orm_views_admin.runs.executors import get_executor
from orm_views_core.definitions.staff import problems_of
from orm_views_core.documentation import page_address
from orm_views_core.engines.connections import get_connection, view_databases
from orm_views_core.engines.postgresql.catalog.trust import read_superuser
from orm_views_core.exceptions import DatabaseUnavailableError, UnsupportedDatabaseError
from orm_views_core.views.identity import describe
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.registry import registry

from .conf import raw_setting_problems
from .rights.actions import ACTIONS
from .rights.hook import find_function


@register("orm_views")
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_admin.E001: ``ORM_VIEWS_ADMIN`` has an unknown key or an invalid value."""
    problems = [(problem.message, problem.hint) for problem in raw_setting_problems()]
    if not problems:
        try:
            get_executor()
        except ImproperlyConfigured as error:
            hint = f"{page_address('explanation/runs')} has the settings of each executor."
            problems.append((str(error), hint))
    return [Error(message, hint=hint, id="orm_views_admin.E001") for message, hint in problems]


@register("orm_views")
def check_permission(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_admin.E002: ``PERMISSION`` cannot be imported or called; E003: ``staff`` names no action."""
    messages: list[CheckMessage] = []
    if not raw_setting_problems():
        try:
            find_function()
        except ImproperlyConfigured as error:
            address = page_address("how-to/permissions")
            hint = f"Until it can be called, nothing is shown. {address} has an example."
            messages.append(Error(str(error), hint=hint, id="orm_views_admin.E002"))
    for view, staff in _staff():
        for action in sorted(staff.keys() - {*ACTIONS}):
            problem = f"{describe(view)}: its staff has the action {action!r}."
            hint = f"The actions are {', '.join(ACTIONS)}. Until it is right, only superusers see the view."
            messages.append(Error(problem, hint=hint, id="orm_views_admin.E003"))
    return messages


@register(Tags.database, "orm_views")
def check_groups(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """orm_views_admin.W002: ``staff`` names a group that does not exist."""
    alias = router.db_for_read(Group)
    named = [(view, name) for view, staff in _staff() for names in staff.values() for name in names]
    if alias not in (databases or ()) or not named:
        return []
    try:
        groups = set(Group.objects.using(alias).values_list("name", flat=True))
    except (OperationalError, ProgrammingError, InterfaceError):
        return []  # there is no table yet, or the command that needs the database reports it
    return [
        CheckWarning(
            f"{describe(view)}: its staff has the group {name!r}, and there is none in database {alias!r}.",
            hint="Create the group, or correct its name. Until then nobody is in it.",
            id="orm_views_admin.W002",
        )
        for view, name in dict.fromkeys(named)
        if name not in groups
    ]


def _staff() -> list[tuple[Any, Mapping[str, Sequence[str]]]]:
    """Return the view classes that have a ``staff`` without mistakes, each with it."""
    views = [(view, ViewOptions(view).staff) for view in registry.views()]
    return [(view, staff) for view, staff in views if staff and not any(problems_of(staff))]


@register("orm_views", deploy=True)
def check_exports(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_admin.W003: exports are kept where other servers do not find them, or where all people do."""
    hint = (
        f"Set STORAGES[{ALIAS!r}] to a private storage that all servers and workers share. "
        f"{page_address('how-to/exports')} has examples."
    )
    problem = ""
    if not is_configured():
        problem = (
            f"STORAGES has no {ALIAS!r}. Exports are kept in a temporary directory of the server that writes "
            "them, so other servers cannot send them."
        )
    elif is_public():
        problem = f"STORAGES[{ALIAS!r}] is inside MEDIA_ROOT or STATIC_ROOT: a web server may send exports."
    return [CheckWarning(problem, hint=hint, id="orm_views_admin.W003")] if problem else []


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
