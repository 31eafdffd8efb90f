"""Writing runs beside a sync or a refresh, which must not fail when a run cannot be written."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec

from django.db import Error as DriverError
from django.db import connections, router
from django.utils import translation

from orm_views_admin.disclosure import error_summary, error_text
from orm_views_admin.models import Run
from orm_views_core.engines.missing import is_missing
from orm_views_core.engines.short_transactions import in_short_transaction
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.spelling import spelling_on

logger = logging.getLogger("orm_views_admin")

Arguments = ParamSpec("Arguments")
_has_failed = False

#: What is stored is in English: whoever reads it may have another language than whoever wrote it.
in_english = functools.partial(translation.override, None)

#: Characters of a stored text. A function that raises an error may make its message as long as it likes.
_LONGEST = 10_000


def recorded(write: Callable[Arguments, object], *, is_start: bool = False) -> Callable[Arguments, None]:
    """Decorate a function so that it writes everything or nothing, and logs database errors.

    A database error is logged once and in one line, until a write succeeds again. The table of runs may be
    missing, or its database may not answer.

    Args:
        write: the function.
        is_start: whether it writes the start of a run. A migration of the table may be about to be applied
            then, so that it is not migrated is logged at the end of the run only.
    """

    @functools.wraps(write)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        global _has_failed
        try:
            with in_english():
                in_short_transaction(router.db_for_write(Run), functools.partial(write, *args, **kwargs))
        except (DriverError, OrmViewsError) as error:
            if is_start and _is_not_migrated(error):
                return
            if not _has_failed:
                logger.warning(
                    "Runs cannot be recorded. Syncs and refreshes go on, but the history lacks them. %s",
                    _advice(error),
                )
                logger.debug("Runs cannot be recorded.", exc_info=True)
            _has_failed = True
        else:
            _has_failed = False

    return guarded


recorded_start = functools.partial(recorded, is_start=True)


def written_beside(run: Run) -> tuple[str, ...]:
    """Return the alias that runs are written to while one is performed; () where nothing can be committed.

    That is so in a transaction of the caller, and beside a sync of an engine with one writer.
    """
    alias = router.db_for_write(Run)
    is_inside = any(connections[each].in_atomic_block for each in (alias, run.database))
    is_one_writer = alias == run.database and spelling_on(alias).abilities.one_writer
    return () if is_inside or is_one_writer else (alias,)


def _is_not_migrated(error: BaseException) -> bool:
    """Return whether the table of runs, or a column of it, is missing."""
    columns = [field.column for field in Run._meta.concrete_fields if field.column]
    return is_missing(error, router.db_for_write(Run), Run._meta.db_table, columns)


def _advice(error: BaseException) -> str:
    if _is_not_migrated(error):
        return "Run migrate."
    said = " ".join(str(error).split())
    return f"Database {router.db_for_write(Run)!r}, which has the users, said: {said}"


def storable(text: str) -> str:
    """Return a text that is not too long, with the characters replaced that PostgreSQL does not store.

    These are NUL and unpaired surrogates. The message of an exception may contain both. A sentence stays one
    if nothing of it is replaced.
    """
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    found = cut.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    return text if found == text else found


def error_fields(error: BaseException | str) -> dict[str, str]:
    """Return the fields of a run that have its error; a text is in our own words."""
    if isinstance(error, str):
        return {"error": storable(error), "error_summary": storable(error)}
    return {"error": storable(error_text(error)), "error_summary": storable(error_summary(error))}
