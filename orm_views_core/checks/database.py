"""System checks that ask the database, before each migrate and in ``check --database``.

They are warnings, so that a view never keeps tables from being migrated.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import raw_setting_problems
from orm_views_core.definitions.compiler import compile_definitions, select_of, statement_of
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.connections import get_connection
from orm_views_core.exceptions import DatabaseUnavailableError, InvalidViewError, UnsupportedDatabaseError
from orm_views_core.names import declared
from orm_views_core.sql.types import field_for, fits
from orm_views_core.views.base import PostgresViewFromQueryset
from orm_views_core.views.identity import describe, label_of
from orm_views_core.views.registry import registry

from .facts import StepFacts, read_step_facts
from .rows import check_values


@register(Tags.database, "orm_views")
def check_views(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """orm_views_core.W010 to W016: the classes by what the databases make of them.

    Only of views that the last sync left as their classes still say; what differs, the next sync changes.
    """
    messages: list[CheckMessage] = []
    if raw_setting_problems():
        return messages
    for alias in registry.databases():
        if alias not in (databases or ()):
            continue
        try:
            messages += _check_database(get_connection(alias))
        except (DatabaseUnavailableError, UnsupportedDatabaseError, OperationalError, InterfaceError):
            continue  # E002 and whatever is to be done with the database say so
    return messages


def _check_database(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    # What is wrong with the others stops the sync, which says so with all details.
    definitions = list(compile_definitions(connection).views.values())
    for definition in definitions:
        yield from check_stability(definition, connection)
    expected = {
        field.db_type(connection)
        for definition in definitions
        if definition.is_readable
        for field in _fields(definition)
    }
    facts = read_step_facts(
        connection,
        definitions,
        written=[d.name for d in definitions if declared(_class_of(d), "updatable", False)],
        types=[text for text in expected if text],
    )
    for view in facts:
        yield from check_updatable(view)
        if view.definition.is_readable:
            yield from check_columns(view)
            yield from check_types(view, connection)
    yield from check_values(connection, [view for view in facts if view.definition.is_readable])


def _class_of(definition: ViewDefinition) -> Any:
    """Return the class that a definition was compiled from, which for a readable view is a model."""
    assert definition.view is not None
    return definition.view


def _fields(definition: ViewDefinition) -> list[Any]:
    """Return the fields of a readable view that read a column."""
    return list(_class_of(definition)._meta.local_concrete_fields)


def check_columns(facts: StepFacts) -> Iterator[CheckMessage]:
    """orm_views_core.W010: a field without a column; W011: columns without a field."""
    view = _class_of(facts.definition)
    fields, columns = _fields(facts.definition), [column.name for column in facts.columns]
    command = f"`manage.py inspect_view {label_of(view)}` prints the fields of all columns."
    for field in fields:
        if field.column in columns:
            continue
        if field.auto_created:
            yield checks.Warning(
                f"{describe(view)}: none of its fields is the key, so Django reads a column "
                f"{field.column!r}, which {facts.definition.name} does not have.",
                hint="Write primary_key=True in the field that identifies a row, or "
                f"pk = models.CompositePrimaryKey(…) for several. {command}",
                id="orm_views_core.W010",
            )
            continue
        yield checks.Warning(
            f"{describe(view)}: its field {field.name!r} reads a column {field.column!r}, which "
            f"{facts.definition.name} does not have.",
            hint=f"It has {', '.join(columns) or 'no columns'}. Name one of them as the field's db_column, "
            f"or take the field away. {command}",
            id="orm_views_core.W010",
        )
    read = {field.column for field in fields}
    extra = [column for column in columns if column not in read]
    if extra and any(not field.auto_created for field in fields):
        said = f"the column {extra[0]!r}" if len(extra) == 1 else f"the columns {', '.join(map(repr, extra))}"
        yield checks.Warning(
            f"{describe(view)}: none of its fields reads {said} of {facts.definition.name}.",
            hint=f"Add what is wanted and take the rest out of the SQL. {command}",
            id="orm_views_core.W011",
        )


def check_types(facts: StepFacts, connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    """orm_views_core.W012: a field whose values are not what its column has."""
    view = _class_of(facts.definition)
    types = {column.name: column.type for column in facts.columns}
    for field in _fields(facts.definition):
        if "from_db_value" in vars(field):
            continue  # inferred, and makes of its column's values what the queryset does
        expected, actual = field.db_type(connection), types.get(field.column)
        if not expected or actual is None or fits(expected, actual, facts.named_types):
            continue
        fitting = field_for(actual, facts.named_types)
        if issubclass(view, PostgresViewFromQueryset):
            cast = f"Cast(…, {type(field).__name__}()) of django.db.models.functions in the queryset"
        else:
            cast = f"cast the column in the SQL: {field.column}::{expected}"
        yield checks.Warning(
            f"{describe(view)}: its field {field.name!r} ({type(field).__name__}) is for {expected}, and the "
            f"column {field.column!r} is {actual}.",
            hint=f"Write {field.name} = {fitting.write()}, or {cast}.",
            id="orm_views_core.W012",
        )


def check_updatable(facts: StepFacts) -> Iterator[CheckMessage]:
    """orm_views_core.W015: a view that says it is written through, and cannot be."""
    view = _class_of(facts.definition)
    if not facts.refused:
        return
    yield checks.Warning(
        f"{describe(view)}: it says updatable = True, and PostgreSQL refuses {_listed(facts.refused)} "
        f"on {facts.definition.name}.",
        hint="PostgreSQL writes through a view of one table without DISTINCT, GROUP BY, HAVING, LIMIT, WITH, "
        "UNION, aggregates or window functions. Write it so, add a trigger INSTEAD OF, or take updatable "
        "away.",
        id="orm_views_core.W015",
    )


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def check_stability(definition: ViewDefinition, connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    """orm_views_core.W016: a class that says another view each time it is asked."""
    view = _class_of(definition)
    params: Sequence[Any] = ()
    try:
        select = select_of(view)
        again, params = statement_of(view, select, connection), select.params
    except InvalidViewError:  # it could be compiled a moment ago
        again = ""
    hint = (
        "Leave what changes to the database: Now() or TruncDate(Now()) of django.db.models.functions, "
        "current_date in SQL, in the place of the clock's time in Python; sort what comes from a set."
    )
    if again != definition.sql:
        yield checks.Warning(
            f"{describe(view)}: its SQL is another one each time it is compiled, so every sync changes it.",
            hint=hint,
            id="orm_views_core.W016",
        )
    elif value := next((v for v in _flat(params) if _is_of_now(v)), None):
        yield checks.Warning(
            f"{describe(view)}: its SQL has {value.isoformat()} in it, which looks taken from the clock: "
            "it is the time at which the view was last synced, not at which it is read.",
            hint=hint,
            id="orm_views_core.W016",
        )


def _flat(params: Iterable[Any]) -> Iterator[Any]:
    for value in params:
        if isinstance(value, (list, tuple)):
            yield from _flat(value)
        else:
            yield value


def _is_of_now(value: object) -> bool:
    """Say whether a value is of the last or next 24 hours, or is today."""
    if isinstance(value, dt.datetime):
        return abs(dt.datetime.now(value.tzinfo) - value) < dt.timedelta(days=1)
    return isinstance(value, dt.date) and value in {dt.date.today(), dt.datetime.now(dt.timezone.utc).date()}
