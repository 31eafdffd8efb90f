"""Finds one view, tries its SQL, and returns the fields that its class needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from django.apps import apps
from django.db import connections
from django.db.models import Model

from orm_views_core.database.relations import Column
from orm_views_core.definitions.lookup import refuse_skipped, unknown_view, views_by_handle
from orm_views_core.engines.finding import plain_engine_of
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.engines.postgresql.catalog.types import read_named_types
from orm_views_core.exceptions import InvalidViewError, UnknownViewError
from orm_views_core.sentences import Sentence
from orm_views_core.sql.types import FieldSource, field_elsewhere, field_for
from orm_views_core.status import State, ViewDetail, get_detail
from orm_views_core.views.base import BasePostgresView, PostgresViewFromQueryset
from orm_views_core.views.identity import describe, label_of, name_of
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.readable import is_readable
from orm_views_core.views.registry import registry

from .source import Inspection, can_be_field, declare_columns


def inspect_view(wanted: str, database: str | None = None) -> Inspection:
    """Return the fields that a model needs to read a view. A dry run finds its columns; nothing is changed.

    Args:
        wanted: the view's name (``loan_book``, ``views.loan_book``) or its class (``lending.LoanBook``).
        database: the alias of the view's database; needed when views of several databases have this name.

    Raises:
        UnknownViewError: when no view, or more than one, has this name.
        InvalidViewError: when its class is invalid, or PostgreSQL refuses its SQL.
        DatabaseUnavailableError: when its database cannot be reached.
    """
    alias, view = _find(wanted, database)
    detail = get_detail(alias, name_of(view))
    columns = _columns(view, detail)
    key = _key(view, columns)
    source = "FromQueryset" if issubclass(view, PostgresViewFromQueryset) else "FromSQL"
    return Inspection(
        label=label_of(view),
        source=ViewOptions(view).source,
        database=alias,
        view=str(detail.status.name),
        is_readable=is_readable(view),
        columns=declare_columns(columns, key, _taken(view), _fields_of(alias, columns)),
        key=key,
        bases=(f"PostgresView{source}", f"ReadableView{source}"),
        has_contrib_postgres=apps.is_installed("django.contrib.postgres"),
    )


def _fields_of(alias: str, columns: Sequence[Column]) -> Callable[[str], FieldSource]:
    """Return what gives the field for the type of a column."""
    connection = connections[alias]
    if plain_engine_of(connection) is not None:
        return field_elsewhere
    with catalog_cursor(connection) as cursor:
        named = read_named_types(cursor, [column.type for column in columns])
    return partial(field_for, named=named)


def is_declared(wanted: str, database: str | None = None) -> bool:
    """Return whether a class declares a view of this name or label, without a query.

    Raises:
        SkippedViewError: one does, and the view is skipped.
    """
    if wanted in _known(database):
        return True
    refuse_skipped(wanted, registry.databases() if database is None else [database])
    return False


def _known(database: str | None) -> dict[str, list[tuple[str, type[BasePostgresView]]]]:
    return views_by_handle(registry.databases() if database is None else [database])


def _find(wanted: str, database: str | None) -> tuple[str, type[BasePostgresView]]:
    """Find one class in the registry, so that only the view's own database has to answer."""
    known = _known(database)
    matches = known.get(wanted, [])
    if not matches:
        refuse_skipped(wanted, registry.databases() if database is None else [database])
        raise unknown_view(wanted, known)
    if len(matches) > 1:
        several = " and ".join(f"{describe(view)} in database {alias!r}" for alias, view in matches)
        raise UnknownViewError(
            Sentence(
                f"Several views have the name {wanted!r}: {several}. Add the schema, name the class, or use "
                "--database."
            )
        )
    return matches[0]


def _columns(view: type[BasePostgresView], detail: ViewDetail) -> tuple[Column, ...]:
    """Return the columns that a view's class gives it, whatever is installed."""
    status, where = detail.status, describe(view)
    if status.label != label_of(view):
        raise InvalidViewError(
            Sentence(f"{where}: {status.label} has its name, {status.name}. Give it another name.")
        )
    if detail.expected is not None:
        return detail.expected.columns
    for condition in status.conditions:
        if condition.state is State.INVALID:
            raise InvalidViewError(condition.reason)
    raise InvalidViewError(Sentence(f"{where}: {detail.not_tried or f'{status.reason} {status.advice}'}"))


def _key(view: type[BasePostgresView], columns: tuple[Column, ...]) -> tuple[str, ...]:
    """Return the columns that identify a row: those of ``pk_field``, of the model's key, or ``id``."""
    names = {column.name for column in columns if can_be_field(column.name)}
    candidates = [ViewOptions(view).key]
    if is_readable(view):
        options = view._meta  # type: ignore[attr-defined]
        candidates.append(tuple(field.column for field in options.pk_fields if not field.auto_created))
    candidates.append(("id",))
    return next((key for key in candidates if key and names.issuperset(key)), ())


def _taken(view: type[BasePostgresView]) -> set[str]:
    """Return the names that no field of a view may have.

    They are the attributes of every model, the methods of the class, and what the body of the class assigns:
    a field below ``name = "loan_book"`` would replace the view's name.
    """
    inherited = [item for base in view.__mro__ for item in vars(base).items()]
    methods = {
        name for name, value in inherited if callable(value) or isinstance(value, (classmethod, staticmethod))
    }
    assigned = {name for name, value in vars(view).items() if not hasattr(value, "field")}
    of_models = {*dir(Model), "objects", "pk", "Meta", "DoesNotExist", "MultipleObjectsReturned"}
    return of_models | methods | assigned
