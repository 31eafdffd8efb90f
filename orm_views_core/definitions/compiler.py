"""From view classes to their definitions: what each says, checked and written as SQL."""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, cast

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import REFRESH_EVERY_HINT, Settings, get_settings, is_refresh_every
from orm_views_core.exceptions import (
    DuplicateViewError,
    InvalidViewDependencies,
    InvalidViewError,
    OrmViewsError,
)
from orm_views_core.names import ViewKind, ViewName, declared
from orm_views_core.sql.lexer import strip_statement
from orm_views_core.views.base import BasePostgresView, ParameterisedSQL, PostgresMaterialisedViewMixin
from orm_views_core.views.identity import describe, label_of, name_of
from orm_views_core.views.readable import column_comments, is_readable
from orm_views_core.views.registry import registry

from .definition import Definitions, ViewDefinition
from .indexes import compile_indexes

_BATCH = 100


def compile_definition(view: type[BasePostgresView], connection: BaseDatabaseWrapper) -> ViewDefinition:
    """Compile a view class.

    Args:
        view: the class.
        connection: the view's database, for writing parameters as literals the way its driver does.

    Raises:
        InvalidViewError: when the class does not say a view; the message names it and its file.
    """
    return _define(view, select_of(view), connection, get_settings())


def _define(
    view: type[BasePostgresView],
    select: ParameterisedSQL,
    connection: BaseDatabaseWrapper,
    settings: Settings,
) -> ViewDefinition:
    name = name_of(view, settings.SCHEMA)
    materialised = issubclass(view, PostgresMaterialisedViewMixin)
    kind = ViewKind.MATERIALISED_VIEW if materialised else ViewKind.VIEW
    hidden = bool(declared(view, "hidden", False))
    if materialised:
        _refuse_to_write_rows(view)
    return ViewDefinition(
        label=label_of(view),
        source=vars(view).get("_view_source"),
        database=connection.alias,
        name=name,
        kind=kind,
        sql=statement_of(view, select, connection),
        columns=select.columns,
        comment=_docstring(view),
        column_comments=column_comments(view),
        options=_compile_options(view, kind, connection),
        indexes=compile_indexes(view, name, connection),
        with_data=bool(declared(view, "with_data", True)),
        hidden=hidden,
        grant_select_to=() if hidden else _roles(view, settings),
        declared_dependencies=_declared_dependencies(view),
        is_readable=is_readable(view),
        view=view,
        refresh_every=_refresh_every(view, kind, settings),
    )


def select_of(view: type[BasePostgresView]) -> ParameterisedSQL:
    """Return the SELECT of a view class, its parameters apart.

    Raises:
        InvalidViewError: when it cannot be made.
    """
    try:
        select = view._parameterised_sql
    except OrmViewsError:
        raise
    except NotImplementedError as error:
        raise InvalidViewError(
            f"{describe(view)}: it has neither sql nor get_queryset(). Write one of them, or "
            "pass should_register=False if it is a base class."
        ) from error
    except EmptyResultSet as error:
        raise InvalidViewError(
            f"{describe(view)}: its queryset never returns a row (as .none() or filter(id__in=[]) do), "
            "so Django writes no SQL for it."
        ) from error
    except Exception as error:
        raise _cannot_be_made(view, error) from error
    if not isinstance(select.sql, str):
        raise InvalidViewError(f"{describe(view)}: its sql is {select.sql!r}, not a string.")
    return select


def _cannot_be_made(view: type, error: Exception) -> InvalidViewError:
    return InvalidViewError(f"{describe(view)}: its SQL cannot be made: {type(error).__name__}: {error}")


def statement_of(
    view: type[BasePostgresView], select: ParameterisedSQL, connection: BaseDatabaseWrapper
) -> str:
    """Return the SELECT of a view class with its parameters as literals.

    Raises:
        InvalidViewError: when it cannot be made, is empty, or is more than one statement.
    """
    try:
        sql = _interpolate(select, connection)
    except Exception as error:
        raise _cannot_be_made(view, error) from error
    statement, another_follows = strip_statement(sql)
    if not statement:
        raise InvalidViewError(f"{describe(view)}: its sql is empty. Write the SELECT that the view is.")
    if another_follows:
        raise InvalidViewError(
            f"{describe(view)}: its sql has more than one statement. A view is one SELECT: "
            "take away what follows the first semicolon."
        )
    return statement


def _interpolate(select: ParameterisedSQL, connection: BaseDatabaseWrapper) -> str:
    """Return the SQL with its parameters written into it, because a view cannot have any."""
    if not select.params and select.sql.isascii():
        # Nothing to quote and nothing to encode: all that the driver would do is make each %% one %.
        return select.sql % ()
    return str(connection.ops.compose_sql(select.sql, select.params))  # type: ignore[attr-defined]


def _refuse_to_write_rows(view: type) -> None:
    if declared(view, "updatable", False):
        raise InvalidViewError(
            f"{describe(view)}: it says updatable, and the rows of a materialised view are computed. "
            "Take it away, or take PostgresMaterialisedViewMixin away."
        )


_OPTIONS: Mapping[str, tuple[Any, ...]] = {
    "security_barrier": (True, False),
    "security_invoker": (True, False),
    "check_option": ("local", "cascaded"),
}


def _compile_options(
    view: type, kind: ViewKind, connection: BaseDatabaseWrapper
) -> tuple[tuple[str, str], ...]:
    options = []
    for option, allowed in _OPTIONS.items():
        value = declared(view, option)
        if value is None:
            continue
        if value not in allowed:
            choices = " or ".join(repr(choice) for choice in allowed)
            raise InvalidViewError(f"{describe(view)}: its {option} is {value!r}. It can be {choices}.")
        if kind is not ViewKind.VIEW:
            raise InvalidViewError(
                f"{describe(view)}: it sets {option}, and only plain views have that option. Take it away."
            )
        if option == "security_invoker" and connection.pg_version < 150000:  # type: ignore[attr-defined]
            raise InvalidViewError(
                f"{describe(view)}: it sets security_invoker, which PostgreSQL has from version 15; database "
                f"{connection.alias!r} is older. Take it away, or upgrade the server."
            )
        options.append((option, value if isinstance(value, str) else str(value).lower()))
    return tuple(sorted(options))


def _docstring(view: type) -> str:
    doc = vars(view)["_view_docstring"] if "_view_docstring" in vars(view) else vars(view).get("__doc__")
    return inspect.cleandoc(doc) if doc else ""


def _roles(view: type, settings: Settings) -> tuple[str, ...]:
    own = declared(view, "grant_select_to", ())
    if not isinstance(own, (list, tuple)) or not all(isinstance(role, str) and role for role in own):
        raise InvalidViewError(
            f"{describe(view)}: its grant_select_to is {own!r}. Give a list of role names."
        )
    return tuple(dict.fromkeys([*settings.GRANT_SELECT_TO, *own]))


def _refresh_every(view: type, kind: ViewKind, settings: Settings) -> dt.timedelta | None:
    if kind is not ViewKind.MATERIALISED_VIEW:
        if declared(view, "refresh_every") is not None:
            raise InvalidViewError(
                f"{describe(view)}: it sets refresh_every, and only materialised views are refreshed. "
                "Take it away."
            )
        return None
    value = declared(view, "refresh_every", settings.REFRESH_EVERY)
    if not is_refresh_every(value):
        raise InvalidViewError(f"{describe(view)}: its refresh_every is {value!r}. {REFRESH_EVERY_HINT}")
    return cast("dt.timedelta | None", value)


def _declared_dependencies(view: type) -> tuple[ViewName, ...]:
    database = declared(view, "database", DEFAULT_DB_ALIAS)
    names = []
    for other in declared(view, "view_dependencies", ()):
        if not (isinstance(other, type) and issubclass(other, BasePostgresView)):
            raise InvalidViewDependencies(
                f"{describe(view)}: its view_dependencies have {other!r}, which is not a view class."
            )
        other_database = declared(other, "database", DEFAULT_DB_ALIAS)
        if other_database != database:
            raise InvalidViewDependencies(
                f"{describe(view)} is in database {database!r}, but depends on {describe(other)}, "
                f"which is in {other_database!r}. A view reads one database only."
            )
        names.append(name_of(other))
    return tuple(names)


def compile_definitions(
    connection: BaseDatabaseWrapper,
    views: Iterable[type[BasePostgresView]] | None = None,
) -> Definitions:
    """Compile every registered view of a database, going on past those that are wrong.

    Args:
        connection: the database.
        views: the classes; those that are registered for it when None.
    """
    classes = list(registry.views(connection.alias) if views is None else views)
    compiled: dict[ViewName, ViewDefinition] = {}
    relations: dict[ViewName, ViewDefinition] = {}
    errors: dict[type, OrmViewsError] = {}
    settings = get_settings()
    for start in range(0, len(classes), _BATCH):
        definitions = _compile_batch(classes[start : start + _BATCH], connection, settings, relations, errors)
        compiled |= {definition.name: definition for definition in definitions}
    invalid_names: dict[str, ViewName] = {}
    for view in errors:
        with suppress(InvalidViewError):  # then it has no name, which is what its error says
            invalid_names[label_of(view)] = name_of(view)
    said = {label_of(view): errors[view] for view in classes if view in errors}
    return Definitions(connection.alias, compiled, said, invalid_names)


def _compile_batch(
    classes: Iterable[type[BasePostgresView]],
    connection: BaseDatabaseWrapper,
    settings: Settings,
    relations: dict[ViewName, ViewDefinition],
    errors: dict[type, OrmViewsError],
) -> list[ViewDefinition]:
    """Return the definitions of the classes that are right; add to what is claimed, and to what is wrong."""
    selects: dict[type[BasePostgresView], ParameterisedSQL] = {}
    # In a pass of its own: with something else between them, the querysets take Django a tenth longer.
    for view in classes:
        try:
            selects[view] = select_of(view)
        except OrmViewsError as error:
            errors[view] = error
    definitions = []
    for view, select in selects.items():
        try:
            definition = _define(view, select, connection, settings)
            _claim_names(definition, relations)
            definitions.append(definition)
        except OrmViewsError as error:
            errors[view] = error
    return definitions


def _claim_names(definition: ViewDefinition, relations: dict[ViewName, ViewDefinition]) -> None:
    """Hold against each other the names that share a schema's namespace: views and their indexes."""
    claims = [definition.name]
    claims += [ViewName(definition.name.schema, index.name) for index in definition.indexes]
    for name in claims:
        if name in relations or claims.count(name) > 1:
            other = relations.get(name, definition)
            raise DuplicateViewError(
                f"{_claimant(definition, name)} and {_claimant(other, name)} both claim the name "
                f"{str(name)!r} in database {definition.database!r}. Give one of them another name."
            )
    relations.update(dict.fromkeys(claims, definition))


def _claimant(definition: ViewDefinition, name: ViewName) -> str:
    return definition.where if name == definition.name else f"index {name.name!r} of {definition.where}"


def schemas_of(definitions: Definitions) -> list[str]:
    """Return the schemas that are ours: the setting's, and those that classes name."""
    return list(dict.fromkeys([get_settings().SCHEMA, *(name.schema for name in definitions.views)]))
