"""A database router for readable views: ``DATABASE_ROUTERS = ["orm_views_core.routers.ViewRouter", …]``."""

from __future__ import annotations

from typing import Any

from django.apps import apps

from orm_views_core.views.options import ViewOptions
from orm_views_core.views.readable import is_readable


class ViewRouter:
    """Routes readable views to the ``database`` of their class, and allows no migration of them.

    It does not route other models. https://docs.djangoproject.com/en/stable/topics/db/multi-db/

    Example:
        >>> from lending.models import Loan
        >>> from lending.postgres_views import LoansTakenOver
        >>> from orm_views_core.routers import ViewRouter
        >>> ViewRouter().db_for_read(LoansTakenOver)
        'warehouse'
        >>> print(ViewRouter().db_for_read(Loan))
        None
    """

    def db_for_read(self, model: type, **hints: Any) -> str | None:
        """Return the alias of a readable view's database; None for other models.

        Args:
            model: the model that is read or written.
        """
        return str(ViewOptions(model).database) if is_readable(model) else None

    db_for_write = db_for_read

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        """Return False for a readable view: it is synced, and neither migrated nor dumped.

        Args:
            db: the alias of the database that is migrated.
            app_label: the app of the model.
            model_name: the name of the model in lower case; None for a migration of data.
        """
        if model_name is None:
            return None
        model = hints.get("model") or apps.all_models.get(app_label, {}).get(model_name.lower())
        return False if model is not None and is_readable(model) else None


__all__ = ["ViewRouter"]
