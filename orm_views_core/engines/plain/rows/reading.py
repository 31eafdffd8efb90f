"""Blocks in which rows of views are read, within limits of time."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.asked import absent, no_view, undeclared
from orm_views_core.definitions.registered import registered_views
from orm_views_core.engines.base import PlainEngine
from orm_views_core.engines.finding import plain_engine_of
from orm_views_core.engines.time_limits import TooSlowError
from orm_views_core.exceptions import RowsUnavailableError
from orm_views_core.names import ViewName
from orm_views_core.sentences import NOTHING, Sentence
from orm_views_core.spelling.flat import flat_name

#: Engines round the seconds that a statement has taken.
_ROUNDING = 0.05


@contextmanager
def reading(
    connection: BaseDatabaseWrapper,
    engine: PlainEngine,
    seconds: float,
    *views: ViewName,
    home: str | None = None,
    writes: bool = False,
) -> Iterator[CursorWrapper]:
    """Give a cursor whose statements end in time.

    Args:
        connection: the database.
        engine: its engine.
        seconds: the limit.
        views: the views that are read in the block.
        home: the alias that the views are declared for; None if it is that of ``connection``.
        writes: whether the block may write: it has statements of other code.

    Raises:
        RowsUnavailableError: when the first view is not in the database, or one of them may not be read.
        TooSlowError: when a statement was ended because its time was over.
    """
    started = time.monotonic()
    try:
        with engine.reading(connection, seconds, writes=writes) as cursor:
            _require_readable(cursor, home or connection.alias, views)
            yield cursor
    except TooSlowError:
        raise
    except DatabaseError as error:
        if time.monotonic() - started < seconds - _ROUNDING:
            raise
        raise TooSlowError(*error.args) from error


def why_not_read(cursor: CursorWrapper, home: str, names: Collection[ViewName]) -> dict[ViewName, Sentence]:
    """Return why the rows of views are not read; "" where they are. Those that are not there are left out.

    Args:
        cursor: a cursor of the database.
        home: the alias that the views are declared for.
        names: the views.
    """
    declared = registered_views(home).names
    found = {name: undeclared(name) for name in names if name not in declared}
    relations = {each.name.lower(): each.type for each in cursor.db.introspection.get_table_list(cursor)}
    for name in names:
        kind = relations.get(flat_name(name).lower())
        if name in declared and kind is not None:
            found[name] = NOTHING if kind == "v" else no_view(name)
    if engine := plain_engine_of(cursor.db):
        found |= engine.untrusted(cursor, [name for name, why_not in found.items() if not why_not])
    return found


def _require_readable(cursor: CursorWrapper, home: str, views: Sequence[ViewName]) -> None:
    if not views:
        return
    found = why_not_read(cursor, home, views)
    if views[0] not in found:
        raise RowsUnavailableError(absent(views[0]))
    for why_not in found.values():
        if why_not:
            raise RowsUnavailableError(why_not)
