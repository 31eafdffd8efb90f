"""System checks. The import of this package registers them."""

from . import classes, database, roles, settings, sources

__all__ = ["classes", "database", "roles", "settings", "sources"]
