"""The settings of production: PostgreSQL."""

import os

SECRET_KEY = "of a sample, and therefore no secret"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "orm_views_core", "shop"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ.get("PGHOST", ""),
        "USER": os.environ.get("PGUSER", ""),
        "NAME": os.environ.get("PGDATABASE", "company"),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
ORM_VIEWS = {"MODULE": "database_views", "GRANT_SELECT_TO": ["analysts"]}
