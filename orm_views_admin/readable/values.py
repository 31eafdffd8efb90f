"""Values of a view that Python cannot represent.

A date before the year 1 is one, and on SQLite a text in a column of numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from orm_views_core.exceptions import RowsUnavailableError
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import says
from orm_views_core.views.identity import name_of

#: What drivers and fields raise about them.
_ERRORS = (ValueError, TypeError, AttributeError, ArithmeticError)


@contextmanager
def representable(model: Any) -> Iterator[None]:
    """Explain that rows cannot be shown if a value cannot be represented.

    Args:
        model: the view.

    Raises:
        RowsUnavailableError: if there is such a value.
    """
    try:
        yield
    except _ERRORS as error:
        what = says("%(view)s has a value that Python cannot represent", view=name_of(model))
        words = says("%(what)s: %(error)s", what=what, error=error)
        raise RowsUnavailableError(Quoting(words, says("%(what)s.", what=what))) from error
