"""Checks that have to look at a view's rows: as many as COUNT_TIMEOUT leaves time for."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage
from django.db import DatabaseError, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.conf import get_settings
from orm_views_core.engines.postgresql.rows import reading
from orm_views_core.names import ViewKind, quote_identifier
from orm_views_core.views.identity import describe

from .facts import StepFacts


def check_values(connection: BaseDatabaseWrapper, facts: Iterable[StepFacts]) -> list[CheckMessage]:
    """orm_views_core.W013: NULLs where a field has none; W014: a key that rows share.

    All of it together takes no longer than COUNT_TIMEOUT, because it stands before every migrate: what
    PostgreSQL stores and has fewest rows comes first, and what there is no time for is left out.

    Args:
        connection: the database.
        facts: readable views that are in step.
    """
    deadline = time.monotonic() + get_settings().COUNT_TIMEOUT
    messages: list[CheckMessage] = []
    populated = [view for view in facts if view.populated]
    for view, look in itertools.product(sorted(populated, key=_cost), (_nulls, _shared_keys)):
        remaining = deadline - time.monotonic()
        if remaining < 0.001:  # PostgreSQL's shortest time-out; 0 would be none
            break
        try:
            with reading(connection, remaining) as cursor:
                messages += look(cursor, view)
        except DatabaseError:
            # Too slow, held by somebody, not ours to read, or it fails on a row. Whoever reads it is told
            # why; migrate, which this stands before, does not read it.
            continue
    return messages


def _cost(facts: StepFacts) -> tuple[bool, float]:
    is_plain = facts.definition.kind is ViewKind.VIEW
    return is_plain, 0 if is_plain else float("inf") if facts.rows is None else facts.rows


def _nulls(cursor: CursorWrapper, facts: StepFacts) -> Iterator[CheckMessage]:
    options: Any = facts.definition.view._meta  # type: ignore[union-attr]
    columns = {column.name for column in facts.columns}
    fields = [f for f in options.local_concrete_fields if not f.null and f.column in columns]
    if not fields:
        return
    questions = ", ".join(f"bool_or({quote_identifier(field.column)} IS NULL)" for field in fields)
    cursor.execute(f"SELECT {questions} FROM {facts.definition.name.quoted}")
    for field, has_nulls in zip(fields, cursor.fetchone(), strict=True):
        if has_nulls:
            yield _null(facts, field, is_key=field in options.pk_fields)


def _null(facts: StepFacts, field: models.Field[Any, Any], *, is_key: bool) -> CheckMessage:
    view, column = facts.definition.view, str(field.column)
    assert view is not None
    if is_key:
        said = f"its field {field.name!r} is its key, and the column {column!r} has NULLs."
        hint = f"Leave those rows out (WHERE {column} IS NOT NULL), or make other columns the key."
    else:
        said = f"its field {field.name!r} is not null=True, and the column {column!r} has NULLs."
        hint = f"Write null=True, blank=True in the field, or coalesce({column}, …) in the SQL."
    return checks.Warning(f"{describe(view)}: {said}", hint=hint, id="orm_views_core.W013")


def _shared_keys(cursor: CursorWrapper, facts: StepFacts) -> Iterator[CheckMessage]:
    view: Any = facts.definition.view
    key: Sequence[str] = [field.column for field in view._meta.pk_fields]
    columns = {column.name for column in facts.columns}
    if not columns.issuperset(key) or any(unique <= set(key) for unique in facts.unique):
        return
    listed = ", ".join(map(quote_identifier, key))
    complete = " AND ".join(f"{quote_identifier(column)} IS NOT NULL" for column in key)
    cursor.execute(
        f"SELECT count(*) FROM {facts.definition.name.quoted} WHERE {complete}"
        f" GROUP BY {listed} HAVING count(*) > 1 ORDER BY 1 DESC LIMIT 1"
    )
    if row := cursor.fetchone():
        said = f"column {key[0]!r}" if len(key) == 1 else f"columns {', '.join(map(repr, key))}"
        yield checks.Warning(
            f"{describe(view)}: its key, {said}, is not unique: {row[0]} rows share one value of it.",
            hint="Django takes rows of one key for one object. Take more columns into the key "
            "(pk = models.CompositePrimaryKey(…)), or GROUP BY the key in the SQL.",
            id="orm_views_core.W014",
        )
