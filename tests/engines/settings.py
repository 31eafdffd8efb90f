"""The settings of the tests that run on several engines. ENGINE names one: postgresql, sqlite or mariadb."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

#: The engine that the tests run on.
ENGINE = os.environ.get("ENGINE") or "sqlite"


def _postgresql(home: Path) -> dict[str, Any]:
    from tests.demo.postgres import database_settings

    return database_settings()


def _sqlite(home: Path) -> dict[str, Any]:
    # A database in memory has no other connections, and no file that is locked.
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(home / "engines.sqlite3"),
        # Nothing in it need survive a power cut.
        "OPTIONS": {"init_command": "PRAGMA synchronous = OFF"},
        "TEST": {"NAME": str(home / "test_engines.sqlite3")},
    }


def _mariadb(home: Path) -> dict[str, Any]:
    from tests.engines.mariadb_server import database_settings

    return database_settings()


def _databases() -> dict[str, dict[str, Any]]:
    """Two databases of the engine. Files are below a directory that goes away with the process."""
    home = Path(tempfile.mkdtemp(prefix="orm-views-engines-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    default = {"postgresql": _postgresql, "sqlite": _sqlite, "mariadb": _mariadb}[ENGINE](home)
    test = {key: f"{value}_warehouse" for key, value in default.get("TEST", {}).items() if key == "NAME"}
    warehouse = {
        **default,
        "NAME": f"{default['NAME']}_warehouse",
        "TEST": {**default.get("TEST", {}), **test},
    }
    return {"default": default, "warehouse": warehouse}


# As in tests/settings.py: processes side by side have a server each.
if (_worker := os.environ.get("PYTEST_XDIST_WORKER")) and ENGINE == "postgresql":
    _home = Path(os.environ.get("EMBEDDED_HOME") or Path(__file__).resolve().parents[2] / ".postgres")
    if _home.name != _worker:
        os.environ["EMBEDDED_HOME"] = str(_home / _worker)

DATABASES = _databases()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = "of these tests, and therefore no secret"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [
    # It imports no admin.py: that of the demonstration imports its views.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_tables2",
    "orm_views_core",
    "orm_views_admin",
    "tests.demo.lending",
    "tests.demo.payments",
    "tests.engines.shop",
]
# The tables of the demonstration are for tests that register some of its views. Its migrations and its
# modules of views are for PostgreSQL.
MIGRATION_MODULES = {"lending": None, "payments": None}
ORM_VIEWS = {"MODULE": "database_views"}

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "tests.engines.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
STATIC_URL = "static/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_TZ = True
