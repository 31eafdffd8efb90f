"""Settings of the demonstration: a small lender whose analysts read views, never tables.

They connect as the user of `DATABASE_URL`, or as the superuser of the embedded server: `create_databases` and
the tests do. `owner_settings` and `web_settings` are for everything else.
"""

from pathlib import Path

from tests.demo.postgres import database_settings

BASE_DIR = Path(__file__).resolve().parent

SECRET_KEY = "of a demonstration, and therefore no secret"
DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.admin",
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
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "tests.demo.urls"

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

_SERVER = database_settings()

DATABASES = {
    "default": _SERVER,
    # The books of a lender that was taken over.
    "warehouse": {**_SERVER, "NAME": f"{_SERVER['NAME']}_warehouse"},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# `create_databases` creates the roles, and so does a migration of `lending` where there are none.
ORM_VIEWS = {"GRANT_SELECT_TO": ["analyst"]}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
