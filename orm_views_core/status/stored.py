"""Views as a database has them now."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.engines.connections import open_database
from orm_views_core.engines.finding import plain_engine_of
from orm_views_core.engines.plain.fitting import fitted
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.names import ViewName


def read_stored(database: str, names: Collection[ViewName]) -> Mapping[ViewName, InstalledView]:
    """Return some views as they are now, without their texts. Those that do not exist are left out.

    The number of queries does not depend on the number of views, and nobody is waited for.

    Args:
        database: the alias.
        names: the views.

    Raises:
        UnsupportedDatabaseError: when the alias is unknown.
        DatabaseUnavailableError: when the database cannot be reached.
    """
    if not names:
        return {}
    wanted = set(names)
    connection = open_database(database)
    if engine := plain_engine_of(connection):
        definitions = compile_definitions(connection, anew=False)
        with engine.planning(connection):
            relations = fitted(engine.read_catalog(connection, definitions), definitions).relations
        return {name: view for name, view in relations.items() if name in wanted}
    with catalog_cursor(connection, savepoint=True):
        owners_of = {name.schema for name in wanted}
        relations = read_catalog(connection, [], only=list(wanted), owners_of=owners_of).relations
    return {name: view for name, view in relations.items() if name in wanted}
