from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import find_commands, get_commands
from django.utils.translation import gettext_lazy as _

_PACKAGE = Path(__file__).resolve().parent
#: What the pages need besides Django: each module, with the package that pip installs.
_LIBRARIES = {"django_tables2": "django-tables2", "pygments": "Pygments", "sqlparse": "sqlparse"}


class OrmViewsAdminConfig(AppConfig):
    """The pages about views, under ``/admin/orm-views/``."""

    name = "orm_views_admin"
    verbose_name = _("Database views")
    default_auto_field = "django.db.models.BigAutoField"
    # Templates and static files are in the package where it is installed, and beside it in a checkout.
    path = str(_PACKAGE if (_PACKAGE / "templates").is_dir() else _PACKAGE.parent)

    def __init__(self, app_name: str, app_module: Any) -> None:
        # Django's admin imports what needs the libraries before this app is ready.
        require_libraries()
        super().__init__(app_name, app_module)

    def ready(self) -> None:
        require_admin()
        from . import checks  # noqa: F401 - this registers the checks
        from .runs import recorder  # noqa: F401 - this connects the receivers

        add_commands()
        add_catalog()


def require_libraries() -> None:
    """Check that what the pages are made with is installed.

    Raises:
        ImproperlyConfigured: when something is not.
    """
    missing = [package for module, package in _LIBRARIES.items() if find_spec(module) is None]
    if missing:
        raise ImproperlyConfigured(
            f"The pages of orm_views_admin need what is not installed: {', '.join(missing)}. Run: pip "
            f"install {' '.join(missing)}. Or take 'orm_views_admin' out of INSTALLED_APPS: orm_views_core "
            "syncs and refreshes views without it."
        )


def require_admin() -> None:
    """Check that Django's admin, which the pages are part of, is among the apps.

    Raises:
        ImproperlyConfigured: when it is not.
    """
    if not apps.is_installed("django.contrib.admin"):
        raise ImproperlyConfigured(
            "The pages of orm_views_admin are part of Django's admin. Add 'django.contrib.admin' to "
            "INSTALLED_APPS, or take 'orm_views_admin' out: orm_views_core works without it."
        )


def add_catalog() -> None:
    """Have Django find the translations in a checkout: it looks for them where it looks for templates."""
    catalog = str(_PACKAGE / "locale")
    if OrmViewsAdminConfig.path != str(_PACKAGE) and catalog not in settings.LOCALE_PATHS:
        settings.LOCALE_PATHS = [*settings.LOCALE_PATHS, catalog]


def add_commands() -> None:
    """Register the commands in a checkout: Django looks for commands where it looks for templates."""
    if OrmViewsAdminConfig.path != str(_PACKAGE) and apps.is_installed(OrmViewsAdminConfig.name):
        for name in find_commands(str(_PACKAGE / "management")):
            get_commands().setdefault(name, OrmViewsAdminConfig.name)
