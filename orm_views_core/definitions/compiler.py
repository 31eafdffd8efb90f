"""Compiles the view classes of a database into their definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from django.conf import settings as django_settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone, translation

from orm_views_core.conf import default_schema, get_settings, schema_on
from orm_views_core.exceptions import DuplicateViewError, InvalidViewError, OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.views.base import BasePostgresView, ParameterisedSQL
from orm_views_core.views.identity import label_of, name_of
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.registry import registry

from .class_compiler import compile_class, select_of
from .definition import Definitions, ViewDefinition
from .known import keep_definition, known_definition

_BATCH_SIZE = 100


def compile_definitions(
    connection: BaseDatabaseWrapper,
    views: Iterable[type[BasePostgresView]] | None = None,
    *,
    anew: bool = True,
) -> Definitions:
    """Compile the view classes of a database. An invalid class does not stop the others.

    Args:
        connection: the database.
        views: the classes; all that are registered for the database when None.
        anew: whether to compile the classes that this process has compiled before. Whoever writes to the
            database does.
    """
    classes = list(registry.views(connection.alias) if views is None else views)
    functions = _schema_functions(connection)
    schemas: list[str] = []
    try:
        schemas = [schema_on(connection, function) for function in functions]
    except Exception:  # noqa: BLE001 - it is the project's; the error of each class that it is for says so
        anew = True
    compiled: dict[type, ViewDefinition | OrmViewsError] = {}
    if not anew:
        found = {view: known_definition(view, connection, schemas) for view in classes}
        compiled = {view: known for view, known in found.items() if known}
    missing = [view for view in classes if view not in compiled]
    # What a user has chosen for a request changes no view.
    with translation.override(django_settings.LANGUAGE_CODE), timezone.override(None):
        for start in range(0, len(missing), _BATCH_SIZE):
            compiled |= _compile(missing[start : start + _BATCH_SIZE], connection, schemas)
    relations: dict[ViewName, ViewDefinition] = {}
    views_by_name: dict[ViewName, ViewDefinition] = {}
    errors: dict[type, OrmViewsError] = {}
    for view in classes:
        definition = compiled[view]
        try:
            if isinstance(definition, OrmViewsError):
                raise definition
            _claim_names(definition, relations)
            views_by_name[definition.name] = definition
        except OrmViewsError as error:
            errors[view] = error
    invalid_names: dict[str, ViewName] = {}
    for view in errors:
        with suppress(InvalidViewError):  # the class has no valid name; its error says so
            invalid_names[label_of(view)] = name_of(view)
    return Definitions(
        database=connection.alias,
        views=views_by_name,
        errors={label_of(view): error for view, error in errors.items()},
        invalid_names=invalid_names,
        default_schema=schema_on(connection, get_settings().SCHEMA),
        follows_connection=bool(functions),
    )


def _schema_functions(connection: BaseDatabaseWrapper) -> list[Callable[[BaseDatabaseWrapper], str]]:
    """Return the functions that give schemas: that of the settings, and those of classes."""
    schemas = [default_schema(), *(ViewOptions(v).schema for v in registry.views(connection.alias))]
    return list(dict.fromkeys(schema for schema in schemas if callable(schema)))


def _compile(
    views: Sequence[type[BasePostgresView]], connection: BaseDatabaseWrapper, schemas: Sequence[str]
) -> dict[type, ViewDefinition | OrmViewsError]:
    """Compile some classes; return the definition of each, or why it has none."""
    settings = get_settings()
    # First all querysets: Django compiles them about 10 % faster if nothing else runs in between.
    selects: dict[type[BasePostgresView], ParameterisedSQL | OrmViewsError] = {}
    for view in views:
        try:
            selects[view] = select_of(view)
        except OrmViewsError as error:
            selects[view] = error
    compiled: dict[type, ViewDefinition | OrmViewsError] = {}
    for view, select in selects.items():
        try:
            if isinstance(select, OrmViewsError):
                raise select
            compiled[view] = definition = compile_class(view, select, connection, settings)
            keep_definition(definition, connection, schemas)
        except OrmViewsError as error:
            compiled[view] = error
    return compiled


def _claim_names(definition: ViewDefinition, relations: dict[ViewName, ViewDefinition]) -> None:
    """Add the names of a view and its indexes to ``relations``. Views and indexes share a namespace.

    Raises:
        DuplicateViewError: another view, or an index of one, has one of the names.
    """
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
