"""The demonstration's settings, and what only the tests need."""

import os
from pathlib import Path

# Roles belong to a whole server, and so does what one session may see of another. Processes that run the
# suite side by side therefore have a server each. This is read before the settings start one.
if _worker := os.environ.get("PYTEST_XDIST_WORKER"):
    _home = Path(os.environ.get("EMBEDDED_HOME") or Path(__file__).resolve().parents[1] / ".postgres")
    if _home.name != _worker:
        os.environ["EMBEDDED_HOME"] = str(_home / _worker)

from tests.demo.settings import *  # noqa: F403
from tests.demo.settings import DATABASES, INSTALLED_APPS

DEBUG = False

INSTALLED_APPS += ["django.contrib.postgres", "django_tasks_db"]
INSTALLED_APPS += ["tests.oldstyle", "tests.fieldtypes", "tests.bookshop", "tests.flush"]

# An ImageField without Pillow: nothing here opens a picture.
SILENCED_SYSTEM_CHECKS = ["fields.E210"]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# The live server of the browser tests and Django's test client go by several names.
ALLOWED_HOSTS = ["*"]

# PostgreSQL then learns the types of parameters from their places only.
if os.environ.get("SERVER_SIDE_BINDING"):
    for _database in DATABASES.values():
        _database["OPTIONS"] = {**_database.get("OPTIONS", {}), "server_side_binding": True}
