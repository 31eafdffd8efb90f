"""Settings for the statements that compute rows and indexes: set before them, and taken back after them.

They are set for the transaction only. A rollback, to a savepoint too, takes them back as well.
https://www.postgresql.org/docs/current/sql-set.html
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.conf import get_settings
from orm_views_core.definitions.build_settings import defaults, in_seconds
from orm_views_core.definitions.definition import BuildSettings
from orm_views_core.exceptions import SyncFailedError
from orm_views_core.quoting import unquoted
from orm_views_core.sentences import Sentence, number, says

from .errors.diagnostics import is_canceled, primary_message, sqlstate

_TIMEOUT = "statement_timeout"
_SLACK = 0.05  # seconds: a client measures a little less than the server
# An invalid value, an unknown setting, one that our role may not set.
_REFUSED = {"22023", "42704", "42501", "55P02"}


@contextmanager
def building(connection: BaseDatabaseWrapper, settings: BuildSettings, where: str) -> Iterator[None]:
    """Compute rows or indexes in a block with some settings. Without settings, nothing is sent.

    Args:
        connection: the database, inside a transaction that an error in the block rolls back.
        settings: the settings of the view.
        where: the view's class and where it is written, for messages.

    Raises:
        SyncFailedError: when a setting is refused, or the time limit among them is over.
    """
    if not settings:
        yield
        return
    with connection.cursor() as cursor:
        names = ", ".join(["pg_catalog.current_setting(%s)"] * len(settings))
        try:
            cursor.execute(f"SELECT {names}", [name for name, _ in settings])
            before = cursor.fetchone()
            _set(cursor, settings)
        except DatabaseError as error:
            if sqlstate(error) not in _REFUSED:
                raise
            why = _why_refused(settings, error)
            text = says("%(where)s: %(why)s Nothing was changed.", where=where, why=why)
            raise SyncFailedError(unquoted(text)) from error
        began = time.monotonic()
        try:
            yield
        except DatabaseError as error:
            limit = dict(settings).get(_TIMEOUT, "")
            if not limit or not is_canceled(error) or time.monotonic() - began < in_seconds(limit) - _SLACK:
                raise
            is_default = defaults(get_settings()).get(_TIMEOUT) == limit
            by = "ORM_VIEWS['BUILD_TIMEOUT']" if is_default else says("its build_settings")
            text = says(
                "%(where)s: computing its rows took longer than the %(seconds)s s of %(setting)s, and was "
                "cancelled. Nothing was changed. Allow more time, or make its SQL faster.",
                where=where,
                seconds=number(in_seconds(limit)),
                setting=by,
            )
            raise SyncFailedError(unquoted(text)) from error
        _set(cursor, [(name, value) for (name, _), value in zip(settings, before, strict=True)])


def find_refused(
    connection: BaseDatabaseWrapper, settings: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Sentence]:
    """Return the settings that PostgreSQL refuses, each with a sentence about it. Nothing stays set.

    All are tried at once first, because nearly always all are accepted.
    """
    found = sorted(set(settings))
    if not found:
        return {}
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            _set(cursor, found)
            transaction.set_rollback(True, using=connection.alias)
        return {}
    except DatabaseError as error:
        if sqlstate(error) not in _REFUSED:
            raise
        if len(found) == 1:
            return {found[0]: _why_refused(found, error)}
    return {pair: why for each in found for pair, why in find_refused(connection, [each]).items()}


def _why_refused(settings: Collection[tuple[str, str]], error: DatabaseError) -> Sentence:
    named = ", ".join(f"{name} = {value!r}" for name, value in settings)
    return says(
        "PostgreSQL refuses %(settings)s: %(message)s. Change build_settings of the class, or "
        "ORM_VIEWS['WORK_MEM'] or ['BUILD_TIMEOUT'].",
        settings=named,
        message=primary_message(error),
    )


def _set(cursor: CursorWrapper, settings: Collection[tuple[str, str]]) -> None:
    values = ", ".join(["pg_catalog.set_config(%s, %s, true)"] * len(settings))
    cursor.execute(f"SELECT {values}", [part for setting in settings for part in setting])
