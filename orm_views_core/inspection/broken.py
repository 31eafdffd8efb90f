"""Finds the views that cannot be read any more, on engines that break views silently."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import Definitions
from orm_views_core.definitions.registered import registered_views
from orm_views_core.engines.base import PlainEngine
from orm_views_core.engines.finding import plain_engine_of
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


@contextmanager
def telling_broken(connection: BaseDatabaseWrapper, tell: Callable[[str], None]) -> Iterator[None]:
    """Tell of the views that cannot be read any more after a block, also when it fails.

    Args:
        connection: the database, of an engine without staging.
        tell: is called with a line for each view.
    """
    engine = plain_engine_of(connection)
    assert engine is not None
    before = find_broken(connection, engine)
    try:
        yield
    except BaseException:
        with suppress(OrmViewsError, DatabaseError):  # the error of the block is what matters
            _tell(connection, engine, before, tell)
        raise
    _tell(connection, engine, before, tell)


def _tell(
    connection: BaseDatabaseWrapper,
    engine: PlainEngine,
    before: Mapping[ViewName, Sentence],
    tell: Callable[[str], None],
) -> None:
    for line in newly_broken(connection, engine, before):
        tell(line)


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
