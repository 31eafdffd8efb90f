from pathlib import Path

from django.apps import AppConfig, apps
from django.core.management import find_commands, get_commands
from django.utils.translation import gettext_lazy as _

_PACKAGE = Path(__file__).resolve().parent


class OrmViewsAdminConfig(AppConfig):
    """The pages about views, under ``/admin/orm-views/``."""

    name = "orm_views_admin"
    verbose_name = _("PostgreSQL views")
    default_auto_field = "django.db.models.BigAutoField"
    # Templates and static files are in the package where it is installed, and beside it in a checkout.
    path = str(_PACKAGE if (_PACKAGE / "templates").is_dir() else _PACKAGE.parent)

    def ready(self) -> None:
        from . import checks  # noqa: F401 - this registers the checks
        from .runs import recorder  # noqa: F401 - this connects the receivers

        add_commands()


def add_commands() -> None:
    """Register the commands in a checkout: Django looks for commands where it looks for templates."""
    if OrmViewsAdminConfig.path != str(_PACKAGE) and apps.is_installed(OrmViewsAdminConfig.name):
        for name in find_commands(str(_PACKAGE / "management")):
            get_commands().setdefault(name, OrmViewsAdminConfig.name)
