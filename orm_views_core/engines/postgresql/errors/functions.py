"""The function in which an error occurred, for messages that do not quote PostgreSQL's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from django.db import Error, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.postgresql.catalog.fetch import fetch
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import printable
from orm_views_core.quoting import Quoting

E = TypeVar("E", bound=OrmViewsError)

_LONGEST = 2000  # characters of a CONTEXT; its first line is about the innermost function
_CALL = re.compile(r'(?:"((?:[^"]|"")+)"|(\w[\w$]*))\(')

_FUNCTIONS = """
SELECT DISTINCT p.proname
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.proname = ANY(%(names)s::name[]) AND n.nspname <> 'pg_catalog'
"""


def naming_functions(connection: BaseDatabaseWrapper, errors: Iterable[E]) -> list[E]:
    """Return errors, with the names of the functions in which they occurred, with at most one query.

    PostgreSQL names the function in the CONTEXT. That is a text in the server's language, and may quote rows
    too. So a name is taken from it only if a function has that name.

    Args:
        connection: the database, in a transaction that is not aborted, or in none.
        errors: the errors, which are changed.
    """
    errors = list(errors)
    found = {error: names for error in errors if (names := _names_in(error.message))}
    if not found:
        return errors
    functions: set[str] = set()
    wanted = sorted({name for names in found.values() for name in names})
    # A caller's transaction may be aborted, and the connection may be lost.
    with suppress(Error), transaction.atomic(using=connection.alias), catalog_cursor(connection) as cursor:
        functions = {name for (name,) in fetch(cursor, _FUNCTIONS, {"names": wanted})}
    for error, names in found.items():
        if name := next((name for name in names if name in functions), ""):
            _name(error, printable(name))
    return errors


def _names_in(message: Quoting) -> list[str]:
    """Return what may be the name of a function in the CONTEXT of a message: what stands before a bracket."""
    calls = _CALL.findall(message.context[:_LONGEST])
    return [plain or quoted.replace('""', '"') for quoted, plain in calls]


def _name(error: OrmViewsError, function: str) -> None:
    message = error.message
    report = replace(message.report, function=function) if message.report else None
    error.args = (Quoting(message, message.rest, report, message.context), *error.args[1:])
