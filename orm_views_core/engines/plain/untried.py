"""Where engines whose statements commit by themselves can read views, and can neither try nor change them."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.exceptions import OrmViewsError
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import says


class UntriedError(OrmViewsError):
    """Views were to be tried where nothing can be written."""


class OpenTransactionError(UntriedError):
    """Views were to be tried or changed in a transaction, which that would commit."""


def in_transaction(connection: BaseDatabaseWrapper) -> bool:
    """Return whether there is a transaction of the caller, in which a statement could commit something."""
    return connection.in_atomic_block or not connection.get_autocommit()


def refuse_in_transaction(connection: BaseDatabaseWrapper) -> None:
    """Make sure that views can be created and dropped.

    Raises:
        OpenTransactionError: there is a transaction, which that would commit.
    """
    if in_transaction(connection):
        raise OpenTransactionError(
            says(
                "Database %(database)r is in a transaction, and %(engine)s commits it when a view is "
                "created, replaced or dropped. So no view is changed in it. Sync outside of atomic(). In a "
                "TestCase the views must be there before it begins: set ORM_VIEWS['SYNC_ON_MIGRATE'], or use "
                "a TransactionTestCase.",
                database=connection.alias,
                engine=connection.display_name,
            )
        )


def not_writable(connection: BaseDatabaseWrapper, words: str) -> UntriedError:
    """Return the error to raise when a database cannot be written, because it is a replica or closed.

    Args:
        connection: the database.
        words: what the engine said.
    """
    what = says("Database %(database)r cannot be written", database=connection.alias)
    advice = says(
        "Sync the views of its primary, under the alias that leads there; a replica follows by itself."
    )
    whole = says("%(what)s: %(said)s. %(advice)s", what=what, said=words, advice=advice)
    return UntriedError(Quoting(whole, says("%(what)s. %(advice)s", what=what, advice=advice)))
