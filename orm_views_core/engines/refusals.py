"""What an engine without staging refuses, as errors and words that name it. Its words are only quoted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.finding import plain_engine_of
from orm_views_core.exceptions import DatabaseUnavailableError, ViewSQLError
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import says


def refused(engine: str, definition: ViewDefinition, words: str) -> ViewSQLError:
    """Return the error to raise when the SQL of a view is refused.

    Args:
        engine: the name of the engine.
        definition: the view.
        words: what the engine said.
    """
    why = Quoting(
        says("%(engine)s refuses its SQL: %(message)s.", engine=engine, message=words),
        says("%(engine)s refuses its SQL.", engine=engine),
    )
    whole = says("%(where)s: %(why)s", where=definition.where, why=why)
    return ViewSQLError(Quoting(whole, whole.summary), why)


def unreadable(engine: str, words: str) -> Quoting:
    """Return why a view cannot be read.

    Args:
        engine: the name of the engine.
        words: what the engine said.
    """
    return Quoting(
        says("It cannot be read: %(engine)s says: %(error)s.", engine=engine, error=words),
        says("It cannot be read: %(engine)s refuses it.", engine=engine),
    )


@contextmanager
def reading_database(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Name the database where its catalog cannot be read: it is gone, damaged, or a privilege is missing.

    Raises:
        DatabaseUnavailableError: when a statement is refused.
    """
    try:
        yield
    except DatabaseError as error:
        engine = plain_engine_of(connection)
        words = engine.said(error) if engine else str(error)
        what = says(
            "Database %(database)r (%(place)s) cannot be read",
            database=connection.alias,
            place=str(connection.settings_dict.get("NAME")),
        )
        raise DatabaseUnavailableError(
            Quoting(
                says(
                    "%(what)s: %(engine)s says: %(said)s.",
                    what=what,
                    engine=connection.display_name,
                    said=words,
                ),
                says("%(what)s.", what=what),
            )
        ) from error
