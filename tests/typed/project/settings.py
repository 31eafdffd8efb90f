"""Settings for mypy's Django plugin. No database is asked."""

SECRET_KEY = "typed"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django_tables2",
    "orm_views_core",
    "orm_views_admin",
    "shop",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop"}}
DATABASE_ROUTERS = ["orm_views_core.routers.ViewRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
