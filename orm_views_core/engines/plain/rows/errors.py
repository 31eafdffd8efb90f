"""Why rows of a view cannot be read."""

from __future__ import annotations

from django.db import DatabaseError

from orm_views_core.engines.base import PlainEngine
from orm_views_core.engines.time_limits import TimeLimit, TooSlowError, page_limit, too_slow
from orm_views_core.exceptions import RowsUnavailableError
from orm_views_core.names import ViewName
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import listed, says


def unavailable(
    engine: PlainEngine, name: ViewName, error: DatabaseError, limit: TimeLimit | None = None
) -> RowsUnavailableError:
    """Return the error that says why the rows of a view could not be read.

    Args:
        engine: the engine.
        name: the view.
        error: what Django raised.
        limit: how long they could be read; None for that of a page.
    """
    if isinstance(error, TooSlowError):
        return RowsUnavailableError(too_slow(name, limit or page_limit()))
    what = says("The rows of %(view)s cannot be read", view=name)
    whole = listed([what, engine.said(error).strip()], ": ")
    return RowsUnavailableError(Quoting(whole, says("%(what)s.", what=what)))
