"""The settings of the suite without the admin: for `nox --session alone`."""

from tests.alone.blocking import PAGES, block

block(*PAGES)

from tests.settings import *  # noqa: E402, F403
from tests.settings import INSTALLED_APPS as _ALL  # noqa: E402

_OF_THE_PAGES = {"django_tables2", "orm_views_admin", "django_tasks_db"}
INSTALLED_APPS = [
    app for app in _ALL if app not in _OF_THE_PAGES and not app.startswith("django.contrib.admin")
]
ROOT_URLCONF = "tests.alone.urls"
MIDDLEWARE: list[str] = []
