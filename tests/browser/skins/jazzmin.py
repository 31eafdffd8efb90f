"""The settings of the tests with django-jazzmin, as its manual says to install it."""

from tests.settings import *  # noqa: F403 - settings are those of the suite, and the skin's
from tests.settings import INSTALLED_APPS

SKIN = "jazzmin"

INSTALLED_APPS = ["jazzmin", *INSTALLED_APPS]

# Fonts from this server, and the scheme that the browser asks for.
JAZZMIN_SETTINGS = {"use_google_fonts_cdn": False}
JAZZMIN_UI_TWEAKS = {"default_theme_mode": "auto"}
