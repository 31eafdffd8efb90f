"""Connections to databases by alias, with errors that name the database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.exceptions import DatabaseUnavailableError, UnsupportedDatabaseError
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import Sentence, listed, says
from orm_views_core.spelling import spelling_of
from orm_views_core.views.registry import registry

from .answers import asked_once, ensure_connection
from .finding import plain_engine_of


def get_connection(alias: str, what: Sentence | None = None) -> BaseDatabaseWrapper:
    """Return this thread's connection to a PostgreSQL database, and open it if it is closed.

    Args:
        alias: the database.
        what: what needs PostgreSQL, for the error.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown or its database is not PostgreSQL.
        DatabaseUnavailableError: when the database does not answer.
    """
    connection = _known(alias)
    spelling = spelling_of(connection)
    if spelling is not None and not spelling.abilities.staging:
        raise UnsupportedDatabaseError(
            says(
                "%(what)s needs PostgreSQL, and database %(database)r is %(engine)s.",
                what=what or says("This"),
                database=alias,
                engine=spelling.title,  # Django would ask the server
            )
        )
    return open_database(alias)


def open_database(alias: str) -> BaseDatabaseWrapper:
    """Return this thread's connection to a database whose views can be synced, and open it if it is closed.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown, or views cannot be synced in its database.
        DatabaseUnavailableError: when the database does not answer.
    """
    connection = _known(alias)
    if spelling_of(connection) is None:
        labels = [f"{view.__module__}.{view.__qualname__}" for view in registry.views(alias)]
        raise UnsupportedDatabaseError(
            says(
                "Database %(database)r is %(engine)s. Views are for PostgreSQL, SQLite, MariaDB and MySQL. "
                "Set another 'database' on %(views)s.",
                database=alias,
                engine=connection.display_name,
                views=listed(labels) or says("the views meant for it"),
            )
        )
    with asked_once(alias), naming_the_database(connection):
        ensure_connection(connection)
    return connection


def _known(alias: str) -> BaseDatabaseWrapper:
    if alias not in connections.settings:
        known = ", ".join(repr(name) for name in connections.settings)
        raise UnsupportedDatabaseError(
            says(
                "There is no database %(alias)r in DATABASES. There are: %(names)s.", alias=alias, names=known
            )
        )
    return connections[alias]


def is_lost(connection: BaseDatabaseWrapper, of_driver: Any) -> bool:
    """Return whether a connection was lost since some work began on it.

    Args:
        connection: the database. At the end of a transaction Django opens a new connection for a lost one.
        of_driver: the driver's connection when the work began; None when there was none.
    """
    now = connection.connection
    return now is None or any(each is not None and _is_closed(each) for each in (of_driver, now))


def _is_closed(of_driver: Any) -> bool:
    """Return whether the server or we have closed it. psycopg2 does not always notice, but libpq does."""
    if not hasattr(of_driver, "closed"):  # a driver of another engine
        return False
    # The driver of MariaDB has ``closed`` too, and its ``info`` is something else.
    return bool(of_driver.closed) or getattr(of_driver.info, "status", 0) != 0


@contextmanager
def naming_the_database(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Turn errors of the connection into a :class:`DatabaseUnavailableError`, which names the database.

    The class of an error says nothing: Django raises OperationalError for a full disk too. The driver knows
    whether it still has a connection.
    """
    of_driver = connection.connection
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        if not is_lost(connection, of_driver):
            raise
        what = says(
            "Database %(database)r (%(place)s) does not answer",
            database=connection.alias,
            place=_place_of(connection),
        )
        raise DatabaseUnavailableError(
            Quoting(listed([what, _said(error)], ": "), says("%(what)s.", what=what))
        ) from error


def _place_of(connection: BaseDatabaseWrapper) -> str:
    """Return where a database is: a server and a name, or a file."""
    settings = connection.settings_dict
    if plain_engine_of(connection) is not None:
        server = ":".join(str(part) for part in (settings.get("HOST"), settings.get("PORT")) if part)
        return f"{server}/{settings.get('NAME')}" if server else str(settings.get("NAME"))
    server = f"{settings.get('HOST') or 'local socket'}:{settings.get('PORT') or 5432}"
    return f"{server}/{settings.get('NAME')}"


def _said(error: Exception) -> str:
    """Return what the driver said, or a sentence of ours."""
    if error.args and isinstance(error.args[0], Sentence):
        return error.args[0]
    return str(error).strip()


def unpooled_connection(alias: str, settings: dict[str, Any] | None = None) -> BaseDatabaseWrapper:
    """Create a connection that is not taken from the pool of ``OPTIONS["pool"]``.

    A thread that has the pool's last connection, and waits for a second one, would wait in vain.

    Args:
        alias: the database.
        settings: its settings, where they are not those of ``DATABASES``.
    """
    connection = connections.create_connection(alias)
    found = settings or connection.settings_dict
    options = {name: value for name, value in found.get("OPTIONS", {}).items() if name != "pool"}
    connection.settings_dict = {**found, "OPTIONS": options}
    return connection


def leave_pools() -> None:
    """Give this thread connections of its own in place of a pool's: it keeps them for as long as it works."""
    for alias in connections:
        if connections.settings[alias].get("OPTIONS", {}).get("pool"):
            connections[alias] = unpooled_connection(alias)


@contextmanager
def spare_connections(aliases: Collection[str]) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Give a function that returns a context in which this thread uses spare connections.

    Receivers and callbacks run in that context while other connections refresh or sync. What they write is
    then committed at once, and their errors do not abort the transaction of the refresh or sync. The spare
    connections are opened at their first use, outside of a pool, and closed at the end.
    """
    spare = {alias: unpooled_connection(alias) for alias in aliases}

    @contextmanager
    def aside() -> Iterator[None]:
        own = {alias: connections[alias] for alias in aliases}
        for alias, connection in spare.items():
            connections[alias] = connection
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

    The default database is included even without registered views, because views that are no longer declared
    may be left in it. Other aliases are left out: all views of a replica would look orphaned.
    """
    aliases = registry.databases()
    has_default = DEFAULT_DB_ALIAS in connections.settings
    if has_default and spelling_of(connections[DEFAULT_DB_ALIAS]) is not None:
        aliases = list(dict.fromkeys([*aliases, DEFAULT_DB_ALIAS]))
    return aliases


def staging_databases(databases: Sequence[str] | None = None) -> Sequence[str]:
    """Return the aliases that something is asked of that PostgreSQL alone can do.

    Args:
        databases: the aliases that somebody names. When None, those of ``view_databases()`` that can do it;
            all of them if none can, so that an error names one.
    """
    if databases is not None:
        return databases
    aliases = view_databases()
    return [alias for alias in aliases if plain_engine_of(connections[alias]) is None] or aliases
