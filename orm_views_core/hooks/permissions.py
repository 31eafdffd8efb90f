"""The permissions of readable views, which ``migrate`` makes for what is in migrations only."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth import get_permission_codename
from django.db import DEFAULT_DB_ALIAS, router

from orm_views_core.views.readable import is_readable


def create_view_permissions(
    sender: AppConfig | None = None, using: str = DEFAULT_DB_ALIAS, **kwargs: Any
) -> None:
    """Create the permissions of all readable views that have none: a receiver of ``post_migrate``.

    Django asks the migrations which models there are, and readable views are in none.

    Args:
        sender: the app that migrated; once for all, it is that of the permissions.
        using: the alias of the database that was migrated.
        kwargs: what else the signal says; ``apps`` are the models as the migrations left them.
    """
    known = kwargs.get("apps", apps)
    try:
        known.get_model("auth", "Permission")
        known.get_model("contenttypes", "ContentType")
    except LookupError:  # taken away, or not there yet
        return
    from django.contrib.auth.models import Permission
    from django.contrib.contenttypes.models import ContentType

    views = [model for model in apps.get_models() if is_readable(model)]
    if not views or not router.allow_migrate_model(using, Permission):
        return
    ContentType.objects.clear_cache()  # it may be of what a rolled back migration made
    types = ContentType.objects.db_manager(using).get_for_models(*views, for_concrete_models=False)
    found = set(
        Permission.objects.using(using)
        .filter(content_type__in=types.values())
        .values_list("content_type", "codename")
    )
    wanted = [
        Permission(content_type=types[view], codename=codename, name=name)
        for view in views
        for codename, name in _permissions(view)
        if (types[view].pk, codename) not in found
    ]
    Permission.objects.using(using).bulk_create(wanted)


def _permissions(view: Any) -> list[tuple[str, str]]:
    opts = view._meta
    usual = [
        (get_permission_codename(action, opts), f"Can {action} {opts.verbose_name_raw}")
        for action in opts.default_permissions
    ]
    return [*usual, *opts.permissions]
