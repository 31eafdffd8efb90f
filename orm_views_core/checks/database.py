"""System checks that compare view classes with the database, before ``migrate`` and in ``check --database``.

They are warnings, so that a view never keeps a migration from being applied.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.db import InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.dateparse import parse_date, parse_datetime

from orm_views_core.conf import raw_setting_problems
from orm_views_core.database.ownership import how_to_trust
from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.class_compiler import select_of, statement_of
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.base import PlainEngine
from orm_views_core.engines.connections import open_database
from orm_views_core.engines.finding import plain_engine_of
from orm_views_core.exceptions import DatabaseUnavailableError, InvalidViewError, UnsupportedDatabaseError
from orm_views_core.sql.types import field_for, fits
from orm_views_core.views.base import PostgresViewFromQueryset
from orm_views_core.views.converted import ConvertedField
from orm_views_core.views.identity import label_of
from orm_views_core.views.registry import registry

from .messages import message
from .rows import check_values
from .synced_views import SyncedView, read_plain_views, read_registered_views, read_synced_views


@register(Tags.database, "orm_views")
def check_views(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Run the checks W010 to W016 and W018 on the databases that are asked for.

    All but W016 and W018 concern only views whose classes have not changed since the last sync. Without
    PostgreSQL's catalogs there are W010, W011 and W016 only.
    """
    messages: list[CheckMessage] = []
    if raw_setting_problems():
        return messages
    for alias in [alias for alias in registry.databases() if alias in (databases or ())]:
        try:
            connection = open_database(alias)
            engine = plain_engine_of(connection)
            messages += check_plainly(connection, engine) if engine else _check_database(connection)
        except (DatabaseUnavailableError, UnsupportedDatabaseError, OperationalError, InterfaceError):
            continue  # E002, or the command that needs the database, reports it.
    return messages


def _check_database(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    # A sync reports the invalid classes with all details.
    definitions = list(compile_definitions(connection).views.values())
    for definition in definitions:
        yield from check_stability(definition, connection)
    registered = read_registered_views(connection, definitions)
    for definition, installed in registered:
        yield from check_owner(definition, installed)
    views = read_synced_views(connection, registered)
    for view in views:
        yield from check_updatable(view)
        if view.definition.is_readable:
            yield from check_columns(view)
            yield from check_types(view, connection)
    yield from check_values(connection, [view for view in views if view.definition.is_readable])


def check_plainly(connection: BaseDatabaseWrapper, engine: PlainEngine) -> Iterator[CheckMessage]:
    """Run the checks of an engine without PostgreSQL's catalogs."""
    definitions = compile_definitions(connection)
    again = compile_definitions(connection).views
    for name, definition in definitions.views.items():
        view: Any = definition.view
        params: Sequence[Any] = ()
        with suppress(InvalidViewError):  # The first compilation succeeded.
            params = [_as_time(value) for value in select_of(view).params]
        yield from _stability(definition, again[name].sql if name in again else "", params)
    for view in read_plain_views(connection, engine, definitions):
        if view.definition.is_readable:
            yield from check_columns(view)


def check_owner(definition: ViewDefinition, installed: InstalledView) -> Iterator[CheckMessage]:
    """orm_views_core.W018: a view belongs to a role that is not trusted."""
    if not installed.is_trusted:
        view: Any = definition.view
        problem = f"{definition.name} belongs to {installed.owner!r}, a role that is not trusted."
        yield message("W018", view, problem, how_to_trust(installed))


def check_columns(synced: SyncedView) -> Iterator[CheckMessage]:
    """orm_views_core.W010: a field has no column; W011: columns have no field."""
    view, name, columns = synced.view, synced.definition.name, synced.column_names
    command = f"`manage.py inspect_view {label_of(view)}` prints the fields of all columns."
    for field in synced.fields:
        if field.column in columns:
            continue
        if field.auto_created:
            problem = f"no field has primary_key=True, so Django reads a column {field.column!r}"
            hint = (
                "Write primary_key=True in the field that identifies a row, or "
                "pk = models.CompositePrimaryKey(…) for several."
            )
        else:
            problem = f"its field {field.name!r} reads a column {field.column!r}"
            hint = (
                f"The view has {', '.join(columns) or 'no columns'}. Set the field's db_column to one of "
                "them, or remove the field."
            )
        yield message("W010", view, f"{problem}, which {name} does not have.", f"{hint} {command}")
    read = {field.column for field in synced.fields}
    unread = [repr(column) for column in columns if column not in read]
    if unread and any(not field.auto_created for field in synced.fields):
        noun = "columns" if len(unread) > 1 else "column"
        problem = f"none of its fields reads the {noun} {', '.join(unread)} of {name}."
        hint = f"Add a field for each column that you need, and remove the others from the SQL. {command}"
        yield message("W011", view, problem, hint)


def check_types(synced: SyncedView, connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    """orm_views_core.W012: the values of a column are not what its field stands for."""
    types = {column.name: column.type for column in synced.columns}
    for field in synced.fields:
        if isinstance(field, ConvertedField):
            continue  # An inferred field converts the values as the queryset does.
        expected, actual = field.db_type(connection), types.get(field.column)
        if not expected or actual is None or fits(expected, actual, synced.named_types):
            continue
        if issubclass(synced.view, PostgresViewFromQueryset):
            cast = f"Cast(…, {type(field).__name__}()) of django.db.models.functions in the queryset"
        else:
            cast = f"cast the column in the SQL: {field.column}::{expected}"
        problem = (
            f"its field {field.name!r} ({type(field).__name__}) is for {expected}, but the column "
            f"{field.column!r} is {actual}."
        )
        fitting = field_for(actual, synced.named_types)
        yield message("W012", synced.view, problem, f"Write {field.name} = {fitting.write()}, or {cast}.")


def check_updatable(synced: SyncedView) -> Iterator[CheckMessage]:
    """orm_views_core.W015: a view is declared updatable, and PostgreSQL refuses to write through it."""
    if synced.refused:
        *most, last = synced.refused
        commands = f"{', '.join(most)} and {last}" if most else last
        problem = f"it has updatable = True, but PostgreSQL refuses {commands} on {synced.definition.name}."
        hint = (
            "PostgreSQL writes through a view of one table without DISTINCT, GROUP BY, HAVING, LIMIT, WITH, "
            "UNION, aggregates or window functions. Change the SQL, add an INSTEAD OF trigger, or remove "
            "updatable."
        )
        yield message("W015", synced.view, problem, hint)


def check_stability(definition: ViewDefinition, connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    """orm_views_core.W016: the SQL of a class changes from one compilation to the next."""
    view: Any = definition.view
    params: Sequence[Any] = ()
    try:
        select = select_of(view)
        again, params = statement_of(view, select, connection), select.params
    except InvalidViewError:  # The first compilation succeeded.
        again = ""
    yield from _stability(definition, again, params)


def _stability(definition: ViewDefinition, again: str, params: Sequence[Any]) -> Iterator[CheckMessage]:
    view: Any = definition.view
    if again != definition.sql:
        problem = "its SQL differs each time it is compiled, so every sync changes the view."
    elif value := next((value for value in _flat(params) if _is_of_now(value)), None):
        problem = (
            f"its SQL contains {value.isoformat()}, which looks like the present time. The view would show "
            "the time of its last sync, and not the time at which it is read."
        )
    else:
        return
    hint = (
        "Use Now() or TruncDate(Now()) of django.db.models.functions, or current_date in SQL, instead of the "
        "time in Python. Sort what comes from a set."
    )
    yield message("W016", view, problem, hint)


def _flat(params: Iterable[Any]) -> Iterator[Any]:
    for value in params:
        if isinstance(value, (list, tuple)):
            yield from _flat(value)
        else:
            yield value


def _as_time(value: object) -> object:
    """Return a parameter as a time if it is the text of one, as Django gives it to SQLite and MariaDB."""
    if isinstance(value, str):
        with suppress(ValueError):  # it has the form of a time, and is none
            return parse_date(value) or parse_datetime(value) or value
    return value


def _is_of_now(value: object) -> bool:
    """Return whether a value is a time of the last or next 24 hours, or today's date."""
    if isinstance(value, dt.datetime):
        return abs(dt.datetime.now(value.tzinfo) - value) < dt.timedelta(days=1)
    return isinstance(value, dt.date) and value in {dt.date.today(), dt.datetime.now(dt.timezone.utc).date()}
