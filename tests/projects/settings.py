"""The apps of one of the projects, which PROJECT names."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from tests.demo.postgres import database_settings

SECRET_KEY = "projects"
USE_TZ = True
SITE_ID = 1
STATIC_URL, MEDIA_URL = "/static/", "/media/"
ROOT_URLCONF = "tests.projects.settings"
urlpatterns: list[Any] = []
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
DATABASES = {"default": database_settings()}
ORM_VIEWS: dict[str, Any] = {}
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
_PROCESSORS = ["django.template.context_processors.request", "sekizai.context_processors.sekizai"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": _PROCESSORS},
    }
]
MIDDLEWARE: list[str] = []

_DJANGO = ("auth", "contenttypes", "sessions", "sites", "messages", "admin")
_WAGTAIL = (
    "contrib.forms contrib.redirects contrib.search_promotions contrib.settings embeds sites users snippets "
    "documents images search admin"
)
PROJECTS = {
    "wagtail": [*(f"wagtail.{name}" for name in _WAGTAIL.split()), "wagtail", "modelcluster", "taggit"],
    "django-allauth": [
        "allauth",
        "allauth.account",
        "allauth.socialaccount",
        "allauth.mfa",
        "allauth.usersessions",
        "oauth2_provider",
    ],
    "django-cms": ["cms", "menus", "treebeard", "sekizai"],
}
PROJECT = os.environ.get("PROJECT", "wagtail")
INSTALLED_APPS = ["orm_views_core", *(f"django.contrib.{name}" for name in _DJANGO)]
if PROJECT == "django-oscar":
    INSTALLED_APPS += import_module("oscar").INSTALLED_APPS
    INSTALLED_APPS = list(dict.fromkeys(INSTALLED_APPS))
else:
    INSTALLED_APPS += PROJECTS[PROJECT]
if PROJECT == "django-oscar":
    defaults = vars(import_module("oscar.defaults"))
    globals().update({name: value for name, value in defaults.items() if name.isupper()})
    HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
if PROJECT == "django-allauth":
    MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]
if PROJECT == "django-cms":
    CMS_CONFIRM_VERSION4 = True
    CMS_TEMPLATES = [("page.html", "Page")]
if PROJECT == "wagtail":
    WAGTAIL_SITE_NAME = "projects"
    WAGTAILADMIN_BASE_URL = "http://example.org"
