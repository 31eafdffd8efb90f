from pathlib import Path

from django.apps import AppConfig, apps
from django.core.management import find_commands, get_commands
from django.utils.translation import gettext_lazy as _

_PACKAGE = Path(__file__).resolve().parent


class OrmViewsAdminConfig(AppConfig):
    """The pages of the views, under ``/admin/orm-views/``."""

    name = "orm_views_admin"
    verbose_name = _("PostgreSQL views")
    default_auto_field = "django.db.models.BigAutoField"
    # Templates and static files lie in the package where it is installed, beside it in a checkout.
    path = str(_PACKAGE if (_PACKAGE / "templates").is_dir() else _PACKAGE.parent)

    def ready(self) -> None:
        from orm_views_admin.runs.recorder import connect

        from . import checks  # noqa: F401 - registers them

        connect()
        add_commands()


def add_commands() -> None:
    """Have Django know the commands in a checkout: it looks for them where it looks for templates."""
    if OrmViewsAdminConfig.path != str(_PACKAGE) and apps.is_installed(OrmViewsAdminConfig.name):
        for name in find_commands(str(_PACKAGE / "management")):
            get_commands().setdefault(name, OrmViewsAdminConfig.name)
