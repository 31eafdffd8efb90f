"""System checks. The import of this package registers them."""

from . import classes, database, settings

__all__ = ["classes", "database", "settings"]
