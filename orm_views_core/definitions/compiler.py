"""Compiles the view classes of a database into their definitions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from django.conf import settings as django_settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone, translation

from orm_views_core.conf import get_settings, schema_on
from orm_views_core.exceptions import DuplicateViewError, InvalidViewError, OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, says
from orm_views_core.spelling import spelling_on
from orm_views_core.sql.places import Places
from orm_views_core.views.base import BasePostgresView, ParameterisedSQL
from orm_views_core.views.identity import label_of, name_of
from orm_views_core.views.registry import registry

from .class_compiler import compile_class, select_of
from .definition import Definitions, ViewDefinition
from .known import keep_definition, keep_definitions, known_definition, known_definitions
from .registered import RegisteredViews, registered_views, schema_functions
from .skipped import SkippedSources

_BATCH_SIZE = 100


def compile_definitions(
    connection: BaseDatabaseWrapper,
    views: Iterable[type[BasePostgresView]] | None = None,
    *,
    anew: bool = True,
    only: Collection[ViewName] | None = None,
) -> Definitions:
    """Compile the view classes of a database. An invalid class does not stop the others.

    Args:
        connection: the database.
        views: the classes; all that are registered for the database when None.
        anew: whether to compile the classes that this process has compiled before. Whoever writes to the
            database does.
        only: the names of the views that are needed. Other definitions may be left out, and their errors.
    """
    database = connection.alias
    registered = registered_views(database)
    state = registered.state
    if not anew and views is None and (known := known_definitions(database, state)):
        return known
    is_all = views is None and only is None
    if views is None and only is not None:
        views = [view for name in registered.in_order(only) for view in registered.by_name[name]]
    classes = registry.views(database) if views is None else list(views)
    compiled: dict[type, ViewDefinition | OrmViewsError] = {}
    if not anew:
        found = {view: known_definition(view, database, state) for view in classes}
        compiled = {view: definition for view, definition in found.items() if definition}
    missing = [view for view in classes if view not in compiled]
    # What a user has chosen for a request changes no view.
    with (
        translation.override(django_settings.LANGUAGE_CODE),
        timezone.override(None),
        spelling_on(database).compiling(connection),
    ):
        for start in range(0, len(missing), _BATCH_SIZE):
            compiled |= _compile(missing[start : start + _BATCH_SIZE], connection, state)
    definitions = _together(connection, {view: compiled[view] for view in classes}, registered)
    if is_all:
        keep_definitions(definitions, state)
    return definitions


def _together(
    connection: BaseDatabaseWrapper,
    compiled: Mapping[type, ViewDefinition | OrmViewsError],
    registered: RegisteredViews,
) -> Definitions:
    """Put definitions together, and find the names that are claimed twice."""
    relations: dict[ViewName, ViewDefinition] = {}
    views: dict[ViewName, ViewDefinition] = {}
    valid = {each.name for each in compiled.values() if isinstance(each, ViewDefinition)}
    spelling = spelling_on(connection.alias)
    places = spelling.places(registered.names | valid)
    skipped = [each for each in registered.skipped if each.name not in registered.names]
    skipped_sources = SkippedSources(skipped, spelling) if skipped else None
    errors: dict[type, OrmViewsError] = {}
    for view, definition in compiled.items():
        try:
            if isinstance(definition, OrmViewsError):
                raise definition
            if places is not None:
                definition = _placed(definition, places)
            if skipped_sources and (said := skipped_sources.said_of(definition.sql)):
                definition = replace(definition, skipped_sources=said)
            _claim_names(definition, relations)
            views[definition.name] = definition
        except OrmViewsError as error:
            errors[view] = error
    invalid_names: dict[str, ViewName] = {}
    for view in errors:
        with suppress(InvalidViewError):  # the class has no valid name; its error says so
            invalid_names[label_of(view)] = name_of(view)
    return Definitions(
        database=connection.alias,
        views=views,
        errors={label_of(view): error for view, error in errors.items()},
        invalid_names=invalid_names,
        names=registered.names,
        placed=registered.schemas,
        default_schema=schema_on(connection, get_settings().SCHEMA),
        follows_connection=bool(schema_functions(connection.alias)),
        skipped=registered.skipped,
    )


def _placed(definition: ViewDefinition, places: Places) -> ViewDefinition:
    """Return a definition whose SQL has the names of the database.

    Raises:
        DuplicateViewError: another view has the same name there.
    """
    flat = places.flat[definition.name]
    if (other := places.view_of(flat)) != definition.name:
        raise DuplicateViewError(
            says(
                "%(where)s: the name of %(view)s in database %(database)r is %(flat)r, and so is that of "
                "%(other)s. Give one of them another name.",
                where=definition.where,
                view=definition.name,
                database=definition.database,
                flat=flat,
                other=other,
            )
        )
    sql, reads = places.place(definition.sql)
    reads |= {*definition.declared_dependencies} - {definition.name}
    return replace(definition, sql=sql, declared_dependencies=tuple(sorted(reads)))


def _compile(
    views: Sequence[type[BasePostgresView]],
    connection: BaseDatabaseWrapper,
    state: tuple[object, ...] | None,
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
            keep_definition(definition, state)
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
                says(
                    "%(one)s and %(other)s both claim the name %(name)r in database "
                    "%(database)r. Give one of them another name.",
                    one=_claimant(definition, name),
                    other=_claimant(other, name),
                    name=str(name),
                    database=definition.database,
                )
            )
    relations.update(dict.fromkeys(claims, definition))


def _claimant(definition: ViewDefinition, name: ViewName) -> Sentence:
    return (
        definition.where
        if name == definition.name
        else says("index %(name)r of %(where)s", name=name.name, where=definition.where)
    )
