"""A database router for readable views: ``DATABASE_ROUTERS = ["orm_views_core.routers.ViewRouter", …]``."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS

from orm_views_core.views.readable import is_readable

from .names import declared


class ViewRouter:
    """Sends readable views to the database that their class names, and keeps migrations away from them.

    It has no opinion on any other model. https://docs.djangoproject.com/en/stable/topics/db/multi-db/
    """

    def db_for_read(self, model: type, **hints: Any) -> str | None:
        """Return the alias of a view."""
        return str(declared(model, "database", DEFAULT_DB_ALIAS)) if is_readable(model) else None

    db_for_write = db_for_read

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        """Return False for a view: it is synced, and neither migrated nor dumped."""
        if model_name is None:
            return None
        model = hints.get("model") or apps.all_models.get(app_label, {}).get(model_name.lower())
        return False if model is not None and is_readable(model) else None
