"""The settings of the tests with django-unfold, as its manual says to install it."""

from tests.settings import *  # noqa: F403 - settings are those of the suite, and the skin's
from tests.settings import INSTALLED_APPS

SKIN = "unfold"

INSTALLED_APPS = ["unfold", *INSTALLED_APPS]
