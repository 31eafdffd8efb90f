"""The demonstration's settings, and what only the tests need."""

from tests.demo.settings import *  # noqa: F403
from tests.demo.settings import DATABASES, INSTALLED_APPS

DEBUG = False

INSTALLED_APPS += ["django.contrib.postgres", "tests.oldstyle", "tests.fieldtypes", "tests.bookshop"]

# An ImageField without Pillow: nothing here opens a picture.
SILENCED_SYSTEM_CHECKS = ["fields.E210"]

# A second PostgreSQL database, for everything that must go where its view says and nowhere else.
DATABASES["warehouse"] = {**DATABASES["default"], "NAME": f"{DATABASES['default']['NAME']}_warehouse"}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# The live server of the browser tests and Django's test client go by several names.
ALLOWED_HOSTS = ["*"]
