"""The suite's settings, and the apps of the packages whose fields are tried."""

from importlib.util import find_spec

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS

INSTALLED_APPS += ["tests.fields", *(["taggit"] if find_spec("taggit") else [])]

SALT_KEY = "salt"
HASHID_FIELD_SALT = "salt"
