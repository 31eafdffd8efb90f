"""Sending several statements in one string: a round trip takes longer than most of them do."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.backends.utils import CursorWrapper


def send(cursor: CursorWrapper, statements: Iterable[str]) -> None:
    """Send statements without parameters together. Each may be several statements itself.

    A prepared statement is a single one. psycopg 3 prepares what is sent if a database has
    ``server_side_binding`` and a ``prepare_threshold`` in its OPTIONS, so that is off meanwhile.
    https://www.psycopg.org/psycopg3/docs/advanced/prepare.html
    """
    driver = cursor.cursor.connection
    threshold = getattr(driver, "prepare_threshold", None)
    if threshold is not None:
        driver.prepare_threshold = None
    try:
        cursor.execute(";\n".join(statements))
    finally:
        if threshold is not None:
            driver.prepare_threshold = threshold
