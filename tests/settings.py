"""The demonstration's settings, and what only the tests need."""

import os

from tests.demo.settings import *  # noqa: F403
from tests.demo.settings import DATABASES, INSTALLED_APPS

DEBUG = False

INSTALLED_APPS += ["django.contrib.postgres", "django_tasks_db"]
INSTALLED_APPS += ["tests.oldstyle", "tests.fieldtypes", "tests.bookshop"]

# An ImageField without Pillow: nothing here opens a picture.
SILENCED_SYSTEM_CHECKS = ["fields.E210"]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# The live server of the browser tests and Django's test client go by several names.
ALLOWED_HOSTS = ["*"]

# PostgreSQL then learns the types of parameters from their places only.
if os.environ.get("SERVER_SIDE_BINDING"):
    for _database in DATABASES.values():
        _database["OPTIONS"] = {**_database.get("OPTIONS", {}), "server_side_binding": True}
