"""The columns of a view that have personal data."""

from __future__ import annotations

from collections.abc import Collection

from orm_views_admin.addresses import ViewAddress
from orm_views_core.engines.connections import open_database
from orm_views_core.engines.finding import plain_engine_of
from orm_views_core.privacy.api import find_personal_columns
from orm_views_core.privacy.plain import find_plain_personal_columns


def personal_columns(address: ViewAddress, using: str | None = None) -> Collection[str]:
    """Return the names of a view's personal columns, whoever may see them.

    Args:
        address: the view.
        using: the alias that it is read from; None for that of the address.
    """
    connection = open_database(using or address.database)
    if engine := plain_engine_of(connection):
        return find_plain_personal_columns(connection, engine, address.name)
    return find_personal_columns(connection, [address.name]).get(address.name, ())
