"""Getting at a database by its alias, with errors that name it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.exceptions import DatabaseUnavailableError, UnsupportedDatabaseError
from orm_views_core.views.registry import registry


def get_connection(alias: str) -> BaseDatabaseWrapper:
    """Return the open connection of a PostgreSQL database.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown or is not PostgreSQL.
        DatabaseUnavailableError: when it does not answer.
    """
    if alias not in connections.settings:
        known = ", ".join(repr(name) for name in connections.settings)
        raise UnsupportedDatabaseError(f"There is no database {alias!r} in DATABASES. There are: {known}.")
    connection = connections[alias]
    if connection.vendor != "postgresql":
        raise UnsupportedDatabaseError(
            f"Database {alias!r} is {connection.display_name}, and views are for PostgreSQL. Set another "
            f"'database' on {_classes_of(alias)}."
        )
    with naming_the_database(connection):
        connection.ensure_connection()
    return connection


def _classes_of(alias: str) -> str:
    labels = [f"{view.__module__}.{view.__qualname__}" for view in registry.views(alias)]
    return ", ".join(labels) or "the views meant for it"


@contextmanager
def naming_the_database(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Turn a failure to connect into an error that names the database."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        settings = connection.settings_dict
        where = (
            f"{settings.get('HOST') or 'local socket'}:{settings.get('PORT') or 5432}/{settings.get('NAME')}"
        )
        raise DatabaseUnavailableError(
            f"Database {connection.alias!r} ({where}) does not answer: {str(error).strip()}"
        ) from error


@contextmanager
def spare_connections(aliases: Collection[str]) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Give a context in which this thread has other connections than those that refresh or sync.

    What receivers and callbacks write is then committed at once, and what they get wrong harms no work.
    They are opened when they are first used, and closed at the end.
    """
    spare: dict[str, Any] = {}

    @contextmanager
    def aside() -> Iterator[None]:
        own = {alias: connections[alias] for alias in aliases}
        for alias in aliases:
            spare.setdefault(alias, connections.create_connection(alias))
            connections[alias] = spare[alias]
        try:
            yield
        finally:
            for alias, connection in own.items():
                connections[alias] = connection

    try:
        yield aside
    finally:
        for connection in spare.values():
            connection.close()


def view_databases() -> list[str]:
    """Return the aliases that a sync looks at: those with registered views, and the default database.

    The default one also when no view is registered for it, because views that are no longer declared may
    be left there. Other aliases are left alone: a replica's views would all look orphaned.
    """
    aliases = registry.databases()
    default = DEFAULT_DB_ALIAS
    if (
        default not in aliases
        and default in connections.settings
        and connections[default].vendor == "postgresql"
    ):
        aliases.append(default)
    return aliases
