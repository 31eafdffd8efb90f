"""System checks of what classes say of engines, and of what an engine does without. They read no database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, register
from django.db import connections

from orm_views_core.conf import raw_setting_problems
from orm_views_core.names import ViewKind
from orm_views_core.privacy.marks import are_used
from orm_views_core.spelling import Spelling, spelling_of
from orm_views_core.views.engines import problem_of
from orm_views_core.views.identity import kind_of, label_of
from orm_views_core.views.registry import registry

from .messages import message


@register("orm_views")
def check_engines(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.E015: the engines of a class are wrong."""
    found = [(view, problem_of(view)) for view in registry.views()]
    return [message("E015", view, problem.what, problem.hint) for view, problem in found if problem]


@register("orm_views")
def check_materialised(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.W022: materialised views are plain ones in a database."""
    messages = []
    for alias, spelling in _databases():
        if spelling.abilities.materialised:
            continue
        labels = [label_of(v) for v in registry.views(alias) if kind_of(v) is ViewKind.MATERIALISED_VIEW]
        if labels:
            problem = (
                f"{spelling.title} has no materialised views, so {', '.join(labels)} "
                f"{'is a plain view' if len(labels) == 1 else 'are plain views'} there."
            )
            hint = (
                "Each query computes the rows, and refresh_views has nothing to do. Silence this check if "
                "that is fast enough, as in tests."
            )
            messages.append(message("W022", f"Database {alias!r}", problem, hint))
    return messages


@register("orm_views")
def check_guard(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.W023: what is personal is not looked for in a database."""
    if raw_setting_problems() or not are_used():
        return []
    return [
        message(
            "W023",
            f"Database {alias!r}",
            f"something is marked as personal, and on {spelling.title} nothing looks for it in views.",
            "A sync refuses no view there, whatever it shows. Keep personal data out of this database, or "
            "look at the views on PostgreSQL first. Silence this check if its data are made up, as in tests.",
        )
        for alias, spelling in _databases()
        if not spelling.abilities.staging and registry.views(alias)
    ]


def _databases() -> list[tuple[str, Spelling]]:
    """Return the databases with views, each with how it spells them. E002 reports the others."""
    known = [alias for alias in registry.databases() if alias in connections.settings]
    found = [(alias, spelling_of(connections[alias])) for alias in known]
    return [(alias, spelling) for alias, spelling in found if spelling]
