from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class OrmViewsCoreConfig(AppConfig):
    """Imports the views of all apps after the models are loaded, and connects the signals."""

    name = "orm_views_core"
    verbose_name = _("Database views")

    def ready(self) -> None:
        from orm_views_core.hooks.migrating import let_views_step_aside
        from orm_views_core.hooks.permissions import create_view_permissions
        from orm_views_core.hooks.post_migrate import sync_after_migrate
        from orm_views_core.views.registry import register_all_views

        from . import checks  # noqa: F401 - the import registers the checks

        register_all_views()
        if apps.is_installed("django.contrib.auth"):
            post_migrate.connect(create_view_permissions, sender=apps.get_app_config("auth"))
        pre_migrate.connect(let_views_step_aside)
        post_migrate.connect(sync_after_migrate)
