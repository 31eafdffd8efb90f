"""The function in which an error occurred, for messages that do not quote PostgreSQL's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from django.db import Error, transaction

from orm_views_core.engines.postgresql.catalog.fetch import fetch
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.exceptions import OrmViewsError, RowsUnavailableError
from orm_views_core.names import printable
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import NOTHING, Sentence, says

from .diagnostics import INVALID_SCHEMA, UNDEFINED_COLUMN, UNDEFINED_TABLE

E = TypeVar("E", bound=OrmViewsError)

_LONGEST = 2000  # characters of a CONTEXT; its first line is about the innermost function
_CALL = re.compile(r'"((?:[^"]|"")+)"|(\w[\w$]*)\(')

# Of several functions of one name, one without a search path of its own comes first.
_FUNCTIONS = """
SELECT DISTINCT ON (p.proname) p.proname, p.oid::regprocedure::text, found.has_path
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search\\_path=%%')
) AS found (has_path)
WHERE p.proname = ANY(%(names)s::name[]) AND n.nspname <> 'pg_catalog'
ORDER BY p.proname, found.has_path
"""

#: Undefined tables, columns, functions and types, and schemas that are not there.
_NOT_FOUND = {UNDEFINED_TABLE, UNDEFINED_COLUMN, INVALID_SCHEMA, "42883", "42704"}
_RESTRICTED_FROM = 170_000


def naming_functions(connection: Any, errors: Iterable[E]) -> list[E]:
    """Return errors, with the names of the functions in which they occurred, with at most one query.

    A name that a function did not find may be due to its search path. That is said too.

    PostgreSQL names the function in the CONTEXT. That is a text in the server's language, and may quote rows
    too. So a name is taken from it only if a function has that name.

    Args:
        connection: the database, in a transaction that is not aborted, or in none. (Any: the type stubs of
            Django do not know its ``pg_version``.)
        errors: the errors, which are changed.
    """
    errors = list(errors)
    found = {error: names for error in errors if (names := _names_in(error.message))}
    if not found:
        return errors
    functions: dict[str, tuple[str, bool]] = {}
    wanted = sorted({name for names in found.values() for name in names})
    # A caller's transaction may be aborted, and the connection may be lost.
    with suppress(Error), transaction.atomic(using=connection.alias), catalog_cursor(connection) as cursor:
        rows = fetch(cursor, _FUNCTIONS, {"names": wanted})
        functions = {name: (signature, has_path) for name, signature, has_path in rows}
    for error, names in found.items():
        if name := next((name for name in names if name in functions), ""):
            signature, has_path = functions[name]
            is_restricted = connection.pg_version >= _RESTRICTED_FROM and not has_path
            _name(error, printable(name), _advice(error, printable(signature)) if is_restricted else NOTHING)
    return errors


def _advice(error: OrmViewsError, signature: str) -> Sentence:
    """Return what to do if rows were computed and a function did not find a name; "" for other errors.

    https://www.postgresql.org/docs/17/release-17.html: the search path is safe during maintenance operations
    """
    report = error.message.report
    if isinstance(error, RowsUnavailableError) or report is None or report.sqlstate not in _NOT_FOUND:
        return NOTHING
    return says(
        "Function %(function)s has no search_path of its own, and PostgreSQL 17 and later compute the rows "
        "of materialised views with search_path = pg_catalog, pg_temp. Write the schema before the names in "
        "it, or: ALTER FUNCTION %(function)s SET search_path = ….",
        function=signature,
    )


def _names_in(message: Quoting) -> list[str]:
    """Return what may name a function in the CONTEXT of a message: what is quoted, or before a bracket."""
    calls = _CALL.findall(message.context[:_LONGEST])
    return [plain or quoted.replace('""', '"') for quoted, plain in calls]


def _name(error: OrmViewsError, function: str, advice: Sentence) -> None:
    message = error.message
    report = replace(message.report, function=function) if message.report else None
    # Once: an error may be named at several levels.
    if advice and advice not in message:
        message = message.followed_by(advice, "\n")
    error.args = (Quoting(message, message.rest, report, message.context), *error.args[1:])
