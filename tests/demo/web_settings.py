"""The demonstration as the web server sees it: connected as a role that sets the owner's for a sync."""

from tests.demo.owner_settings import *  # noqa: F403
from tests.demo.owner_settings import DATABASES
from tests.demo.roles import WEB

DATABASES = {alias: {**each, "USER": WEB} for alias, each in DATABASES.items()}
