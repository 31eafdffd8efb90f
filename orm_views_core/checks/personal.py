"""System checks of what is personal: of the marks, and of what views show to whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import InterfaceError, OperationalError

from orm_views_core.conf import raw_setting_problems
from orm_views_core.engines.connections import get_connection, view_databases
from orm_views_core.exceptions import DatabaseUnavailableError, PersonalFieldError, UnsupportedDatabaseError
from orm_views_core.privacy.marks import are_used, read_marks


@register("orm_views")
def check_marks(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.E013: what is marked as personal is no field, or has no column."""
    if raw_setting_problems() or not are_used():
        return []
    try:
        read_marks()
    except PersonalFieldError as error:
        return [_wrong_mark(error)]
    return []


@register(Tags.database, "orm_views")
def check_exposures(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """orm_views_core.W020: a view shows what is personal to others than its owner; W021: it may be right.

    A view that shows whole rows does so at once when its table gets a column, without any sync.
    """
    if check_marks(None) or raw_setting_problems() or not are_used():
        return []
    # With the guard come the rules of PostgreSQL, which only who marks something needs.
    from orm_views_core.privacy.api import judge_views
    from orm_views_core.privacy.telling import told_once

    messages: list[CheckMessage] = []
    for alias in [alias for alias in view_databases() if alias in (databases or ())]:
        try:
            findings = judge_views(get_connection(alias))
        except (DatabaseUnavailableError, UnsupportedDatabaseError, OperationalError, InterfaceError):
            continue  # E002, or the command that needs the database, reports it.
        except PersonalFieldError as error:
            messages.append(_wrong_mark(error))
            continue
        for number, found in (("W020", told_once(findings.problems)), ("W021", findings.warnings)):
            messages += [
                checks.Warning(each.what, hint=each.advice, id=f"orm_views_core.{number}") for each in found
            ]
    return messages


def _wrong_mark(error: PersonalFieldError) -> CheckMessage:
    hint = "Nothing is synced until this is right, because views could show what is meant."
    return checks.Error(str(error), hint=hint, id="orm_views_core.E013")
