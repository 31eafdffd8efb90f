"""The settings of the tests: SQLite, in memory."""

from company.settings import *  # noqa: F403
from company.settings import ORM_VIEWS

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
ORM_VIEWS = {**ORM_VIEWS, "SYNC_ON_MIGRATE": True}
