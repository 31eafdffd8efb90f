"""System checks. The id of a check never changes, and every message has a hint that says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from orm_views_admin.runs.executors import get_executor

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
