"""System checks. The import of this package registers them."""

from . import classes, database, engines, migrations, personal, roles, settings, sources

__all__ = ["classes", "database", "engines", "migrations", "personal", "roles", "settings", "sources"]
