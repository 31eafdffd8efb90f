"""The demonstration as its deployment sees it: connected as the owner of the tables and the views."""

from tests.demo.roles import OWNER, PASSWORD
from tests.demo.settings import *  # noqa: F403
from tests.demo.settings import DATABASES, ORM_VIEWS

DATABASES = {alias: {**each, "USER": OWNER, "PASSWORD": PASSWORD} for alias, each in DATABASES.items()}
ORM_VIEWS = {**ORM_VIEWS, "SYNC_ROLE": OWNER}
