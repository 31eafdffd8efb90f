"""The pages of views within Django's admin, whose settings import no admin.py by themselves."""

import orm_views_admin.admin  # noqa: F401 - puts the views into the menu
from tests.demo.urls import urlpatterns

__all__ = ["urlpatterns"]
