"""A project on PostGIS. `DATABASE_URL` names a server that has it: the embedded one does not."""

from tests.demo.postgres import database_settings

SECRET_KEY = "a key of these tests"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {**database_settings(), "ENGINE": "django.contrib.gis.db.backends.postgis"}}
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.gis", "orm_views_core", "tests.postgis"]
