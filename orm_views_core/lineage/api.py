"""Reads the lineage of the views of a database."""

from __future__ import annotations

from collections.abc import Collection

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import get_settings
from orm_views_core.database.lineage import Lineage
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.engines.postgresql.rules.catalog import read_stored
from orm_views_core.engines.postgresql.rules.follow import follow
from orm_views_core.engines.postgresql.rules.known import read_selects
from orm_views_core.names import ViewName


def read_lineage(
    connection: BaseDatabaseWrapper, views: Collection[ViewName] | None = None, *, anew: bool = True
) -> Lineage:
    """Return what the columns of views are made of.

    Args:
        connection: the database.
        views: the views, of whatever schema and owner; all but those of PostgreSQL itself when None. The
            views that they read are returned too.
        anew: whether to read the SELECTs too that this process has read before. Pages do without.

    Example:
        >>> from django.db import connections
        >>> from orm_views_core.lineage import read_lineage
        >>> from orm_views_core.names import ViewName
        >>> lineage = read_lineage(connections["default"])
        >>> [str(name) for name in lineage.reads[ViewName("views", "geo_cities")]]
        ['views.loan_book']
    """
    with catalog_cursor(connection) as cursor:
        stored = read_stored(cursor, views, safe_functions())
        return follow(stored, selects=None if anew else read_selects(stored))


def safe_functions() -> list[ViewName]:
    """Return the functions of the settings whose results tell nothing of their arguments."""
    return [ViewName(*name.split(".")) for name in get_settings().PERSONAL_SAFE_FUNCTIONS]
