"""Finds the spelling of a database: the one place that asks which engine it is."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.connection import ConnectionDoesNotExist

from .base import Spelling
from .mariadb import MARIADB
from .postgresql import POSTGRESQL
from .sqlite import SQLITE

#: By Django's word for the engine. MariaDB and MySQL share one; MySQL is untested.
_SPELLINGS: dict[str, Spelling] = {"postgresql": POSTGRESQL, "sqlite": SQLITE, "mysql": MARIADB}

#: What a class may call the engines, and their names for people.
ENGINES = {"postgresql": "PostgreSQL", "sqlite": "SQLite", "mariadb": "MariaDB", "mysql": "MySQL"}


def spelling_of(connection: BaseDatabaseWrapper) -> Spelling | None:
    """Return the spelling of a database; None when views cannot be synced there. It is not connected to."""
    return _SPELLINGS.get(connection.vendor)


def spelling_on(alias: str) -> Spelling:
    """Return the spelling of the database of a view class; that of PostgreSQL if the alias is not usable.

    A check reports such an alias (orm_views_core.E002).
    """
    try:
        return spelling_of(connections[alias]) or POSTGRESQL
    except (ConnectionDoesNotExist, ImproperlyConfigured):
        return POSTGRESQL
