"""Views beneath migrations, on engines whose views are in the way of them."""

from __future__ import annotations

from typing import Any

from django.db import connections

from orm_views_core.engines.finding import plain_engine_of


def let_views_step_aside(using: str, **kwargs: Any) -> None:
    """Have views step aside for the statements of migrations. A receiver of ``pre_migrate``.

    They do so for as long as the connection is there. Tests of migrations run them without signals, after
    the ``migrate`` that has made their database.

    Args:
        using: the alias of the database.
        kwargs: the other arguments of the signal.
    """
    connection = connections[using]
    engine = plain_engine_of(connection)
    wrapper = engine.around_statements if engine else None
    if wrapper is not None and wrapper not in connection.execute_wrappers:
        # Whoever else wraps statements takes the last wrapper away, and means their own.
        connection.execute_wrappers.insert(0, wrapper)
