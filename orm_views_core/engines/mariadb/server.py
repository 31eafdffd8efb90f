"""Whether a server is MariaDB or MySQL: Django has one backend for both."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def is_mariadb(connection: BaseDatabaseWrapper) -> bool:
    """Return whether a server is MariaDB, and not MySQL. Django asks it once."""
    of_mysql: Any = connection  # its class needs the driver
    return bool(of_mysql.mysql_is_mariadb)
