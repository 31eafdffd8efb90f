"""The settings in production: analysts read the views, and every deploy syncs them."""

import json
import os

SECRET_KEY = "of a sample"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

INSTALLED_APPS = ["orm_views_core", "shop"]

DATABASES = {"default": json.loads(os.environ["DATABASE"])}

ORM_VIEWS = {"GRANT_SELECT_TO": ["shop_analyst"]}
