"""Finds the engine of a database."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.spelling import spelling_of

from .base import PlainEngine

#: The modules of the engines, by the first word of their spelling. One is imported when it is needed.
_ENGINES = {"sqlite": ".sqlite.engine", "mariadb": ".mariadb.engine"}


def plain_engine_of(connection: BaseDatabaseWrapper) -> PlainEngine | None:
    """Return the engine of a database; None for PostgreSQL, and where views cannot be synced."""
    spelling = spelling_of(connection)
    if spelling is None or spelling.abilities.staging:
        return None
    module = import_module(_ENGINES[spelling.words[0]], __package__)
    return cast("PlainEngine", module.ENGINE)
