"""Finds the views that cannot be read any more, on engines that break views silently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import Definitions
from orm_views_core.definitions.registered import registered_views
from orm_views_core.engines.base import PlainEngine
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, says


def find_broken(connection: BaseDatabaseWrapper, engine: PlainEngine) -> Mapping[ViewName, Sentence]:
    """Return the views that cannot be read, each with why: none when that cannot be found out."""
    registered = registered_views(connection.alias)
    # Nothing is compiled: a new database, as in tests, has no views.
    names = Definitions(
        connection.alias, views={}, errors={}, names=registered.names, placed=registered.schemas
    )
    try:
        with engine.planning(connection):
            return engine.read_catalog(connection, names).broken
    except OrmViewsError:
        return {}


def newly_broken(
    connection: BaseDatabaseWrapper, engine: PlainEngine, before: Mapping[ViewName, Sentence]
) -> Iterator[Sentence]:
    """Yield lines about the views that cannot be read any more, with what to do.

    Args:
        connection: the database.
        engine: its engine.
        before: those that could not be read before.
    """
    broken = {name: why for name, why in find_broken(connection, engine).items() if name not in before}
    if not broken:
        return
    definitions = compile_definitions(connection, anew=False)
    for name, why in sorted(broken.items()):
        if name in definitions.views:
            where = definitions.views[name].where
            yield says(
                "%(view)s: %(why)s Change its class, %(where)s, if that reads what is gone. Then run "
                "sync_views.",
                view=name,
                why=why,
                where=where,
            )
        else:
            yield says("%(view)s: %(why)s No class declares it. Change it, or drop it.", view=name, why=why)
