"""The permissions of readable views. Django creates permissions only for models that are in migrations."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth import get_permission_codename
from django.db import DEFAULT_DB_ALIAS, router

from orm_views_core.views.readable import is_readable


def create_view_permissions(
    sender: AppConfig | None = None, using: str = DEFAULT_DB_ALIAS, **kwargs: Any
) -> None:
    """Create the missing permissions of all readable views. A receiver of ``post_migrate``.

    Args:
        sender: the app that was migrated. The receiver is connected for ``django.contrib.auth`` only, so
            that it runs once.
        using: the alias of the database that was migrated.
        kwargs: the other arguments of the signal; ``apps`` has the models as the migrations left them.
    """
    migrated = kwargs.get("apps", apps)
    try:
        migrated.get_model("auth", "Permission")
        migrated.get_model("contenttypes", "ContentType")
    except LookupError:  # A migration removed them, or has yet to create them.
        return
    from django.contrib.auth.models import Permission
    from django.contrib.contenttypes.models import ContentType

    views = [model for model in apps.get_models() if is_readable(model)]
    if not views or not router.allow_migrate_model(using, Permission):
        return
    ContentType.objects.clear_cache()  # It may hold rows of a migration that was rolled back.
    types = ContentType.objects.db_manager(using).get_for_models(*views, for_concrete_models=False)
    permissions = Permission.objects.using(using)
    existing = set(
        permissions.filter(content_type__in=types.values()).values_list("content_type", "codename")
    )
    missing = [
        Permission(content_type=types[view], codename=codename, name=name)
        for view in views
        for codename, name in _permissions(view)
        if (types[view].pk, codename) not in existing
    ]
    permissions.bulk_create(missing)


def _permissions(view: Any) -> list[tuple[str, str]]:
    """Return the codenames and names of a model's default permissions and those of its ``Meta``."""
    opts = view._meta
    default = [
        (get_permission_codename(action, opts), f"Can {action} {opts.verbose_name_raw}")
        for action in opts.default_permissions
    ]
    return [*default, *opts.permissions]
