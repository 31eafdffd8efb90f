"""What Django's ``runtests.py`` needs of settings; it sets the rest itself."""

import os

from tests.demo.postgres import database_settings

_SERVER = database_settings()
_NAME = os.environ.get("DJANGO_SUITE_DATABASE", "django_suite")

DATABASES = {alias: {**_SERVER, "TEST": {"NAME": f"{_NAME}_{alias}"}} for alias in ("default", "other")}
SECRET_KEY = "of tests"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
