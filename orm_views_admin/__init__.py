"""The pages of the views in Django's admin.

They call orm_views_core's public functions; no SQL is written here.

PYTEST_DONT_REWRITE: pytest rewrites the packages of its plugins, and warns where one is imported already.
"""

from orm_views_core import __version__

__all__ = ["__version__"]
