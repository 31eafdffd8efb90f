"""System checks of view classes: of querysets, and of the fields and keys of readable views.

None of them reads a database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, register
from django.db.models import QuerySet

from orm_views_core.definitions import staff
from orm_views_core.definitions.build_settings import NOT_BUILT, problems_of
from orm_views_core.names import parse_db_table
from orm_views_core.spelling import spelling_on
from orm_views_core.views.aliases import tables_of
from orm_views_core.views.base import PostgresMaterialisedViewMixin, PostgresViewFromQueryset
from orm_views_core.views.fields import Settled
from orm_views_core.views.guards import RefusedCascade
from orm_views_core.views.inference import Inferred
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.querysets import output_columns, selection_of
from orm_views_core.views.readable import is_readable
from orm_views_core.views.registry import registry

from .messages import message

_DECLARE = "Declare a field for each column; manage.py inspect_view prints them."
_MOVE_OR_DECLARE = f"Move the class below everything that it uses. Or: {_DECLARE}"


def _made() -> list[Any]:
    """Return the classes of the views that are not skipped. What another engine needs may not be there."""
    skipped = {view for alias in registry.databases() for view in registry.skipped(alias)}
    return [view for view in registry.views() if view not in skipped]


@register("orm_views")
def check_querysets(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Run the checks of querysets: E005, W002 and W003."""
    views = [view for view in _made() if issubclass(view, PostgresViewFromQueryset)]
    return [problem for view in views for problem in _check_queryset(view)]


def _check_queryset(view: type[PostgresViewFromQueryset]) -> Iterator[CheckMessage]:
    """orm_views_core.E005: ``get_queryset()`` fails; W002: the view has every column of a model; W003: a
    slice has no order.
    """
    # What was inferred from the queryset when the class was created is not built again.
    settled: Settled | None = getattr(view, "_view_fields", None)
    selection = settled.selection if settled else None
    if selection is None:
        try:
            queryset: Any = view.get_queryset()
        except NotImplementedError:
            return  # A sync reports a class that has neither sql nor get_queryset().
        except Exception as error:  # noqa: BLE001 - code of a project may raise anything
            why = f"fails: {type(error).__name__}: {error}"
        else:
            why = "" if isinstance(queryset, QuerySet) else f"returns {queryset!r}, not a queryset"
        if why:
            hint = "Fix it. Until then no view of its database can be synced."
            yield message("E005", view, f"its get_queryset() {why}", hint)
            return
        selection = selection_of(queryset)
    if selection.is_whole:
        problem = (
            f"its queryset does not end in .values(), so the view has every column of {selection.model}, and "
            "gets those that are added later."
        )
        hint = (
            "Name the columns: .values('id', …). A column that is added to the model later may be personal."
        )
        yield message("W002", view, problem, hint)
    if selection.is_unordered_slice:
        problem = "its queryset is a slice without an order, so PostgreSQL may choose any rows."
        yield message("W003", view, problem, "Put .order_by(…) before the slice.")


@register("orm_views")
def check_fields(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Run the checks of the fields and keys of readable views: E006 to E010, and W004 to W007."""
    checks = (_check_missing_fields, _check_columns, _check_nulls, _check_key, _check_cascades, _check_table)
    views = [view for view in _made() if is_readable(view)]
    return [problem for view in views for check in checks for problem in check(view)]


@register("orm_views")
def check_build_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.E012: the ``build_settings`` of a view are wrong."""
    messages = []
    for view in registry.views():
        own, is_built = ViewOptions(view).build_settings, issubclass(view, PostgresMaterialisedViewMixin)
        problems = list(problems_of(own)) if is_built else [(NOT_BUILT, "Remove it.")] if own else []
        messages += [message("E012", view, problem, hint) for problem, hint in problems]
    return messages


@register("orm_views")
def check_staff(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.E014: the ``staff`` of a view is no dict of lists of names."""
    return [
        message("E014", view, problem, hint)
        for view in registry.views()
        for problem, hint in staff.problems_of(ViewOptions(view).staff)
    ]


@register("orm_views")
def check_references(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.E011: a model with a table has a foreign key constraint to a view."""
    managed = [model._meta for model in apps.get_models() if model._meta.managed]
    fields: list[Any] = [f for opts in managed for f in (*opts.local_fields, *opts.local_many_to_many)]
    return [
        message(
            "E011",
            field.model._meta.label,
            f"its field {field.name!r} refers to {field.related_model._meta.label}, which is a view, but a "
            "foreign key constraint can only refer to a table.",
            "Set db_constraint=False, and on_delete=models.DO_NOTHING if the field has an on_delete.",
        )
        for field in fields
        if field.remote_field
        and is_readable(field.related_model)
        # A ForeignObject joins by several columns, and has no constraint.
        and getattr(field.remote_field if field.many_to_many else field, "db_constraint", False)
    ]


def _check_missing_fields(view: Any) -> Iterator[CheckMessage]:
    """orm_views_core.W004: only the declared fields are known; E006: no fields are known; E007: the type of
    a column is not known.
    """
    settled: Settled = view._view_fields
    undeclared = _columns(view) - {field.column for field in view._meta.concrete_fields}
    if settled.error and settled.declares and undeclared:
        problem = (
            f"it has only the fields that it declares, and none for {', '.join(sorted(undeclared))}: its "
            f"queryset was not available when the class was created ({settled.error})."
        )
        yield message("W004", view, problem, _MOVE_OR_DECLARE)
    elif settled.inferred is None and not settled.declares:
        why = settled.error or "it is raw SQL, and no field is declared"
        hint = _MOVE_OR_DECLARE if settled.error else _DECLARE
        yield message("E006", view, f"it has no fields: {why}.", hint)
    for column, why in (settled.inferred or Inferred()).problems.items():
        hint = f"Give the expression an output_field, or declare the field {column!r}."
        yield message("E007", view, f"the type of its column {column!r} is not known: {why}", hint)


def _check_columns(view: Any) -> Iterator[CheckMessage]:
    """orm_views_core.E008: a field has no column."""
    settled: Settled = view._view_fields
    columns = _columns(view)
    for field in view._meta.concrete_fields if columns else ():
        # E009 reports the key that Django added, unless the queryset was not available to infer a key from.
        is_reported = field.auto_created and not (settled.error and settled.declares)
        if field.column not in columns and not is_reported:
            problem = f"its field {field.name!r} has no column: the queryset has no {field.column!r}."
            listed = ", ".join(sorted(columns))
            hint = f"Add the column to .values(), or remove the field. The columns: {listed}."
            yield message("E008", view, problem, hint)


def _check_nulls(view: Any) -> Iterator[CheckMessage]:
    """orm_views_core.W005: a field does not allow NULL, and its column may be NULL."""
    inferred = view._view_fields.inferred or Inferred()
    for field in view._meta.concrete_fields:
        if field.column in inferred.nullable and not field.null and field not in view._meta.pk_fields:
            problem = f"its field {field.name!r} is not null=True, but its column may be NULL."
            hint = "Set null=True. Without it, joins and exclude() may leave rows out."
            yield message("W005", view, problem, hint)


def _columns(view: Any) -> Set[str]:
    """Return the names of the columns of a view's queryset, even if it has become available only now."""
    settled: Settled = view._view_fields
    if settled.inferred:
        return settled.inferred.names
    try:
        return {column.name for column in output_columns(view.get_queryset().query)}
    except Exception:  # noqa: BLE001 - E005 reports it, and raw SQL has no queryset
        return frozenset()


def _check_key(view: Any) -> Iterator[CheckMessage]:
    """orm_views_core.E009: no columns identify a row; W006: no unique index guards the key of a materialised
    view.
    """
    settled: Settled = view._view_fields
    if settled.problem and not settled.error:
        hint = (
            "Set pk_field = … to the column or columns that identify a row, or declare a field with "
            "primary_key=True, or add the model's key to .values()."
        )
        yield message("E009", view, f"it has no key: {settled.problem}.", hint)
    elif _is_stored(view) and not view._view_pk_columns():
        columns = tuple(str(field.column) for field in view._meta.pk_fields)
        key = columns[0] if len(columns) == 1 else columns
        problem = (
            f"without pk_field, no unique index guards its key {key!r}, and a refresh locks readers out."
        )
        yield message("W006", view, problem, f"Set pk_field = {key!r}.")


def _is_stored(view: Any) -> bool:
    """Return whether a view is materialised in its database."""
    is_declared = issubclass(view, PostgresMaterialisedViewMixin)
    return is_declared and spelling_on(str(ViewOptions(view).database)).abilities.materialised


def _check_cascades(view: Any) -> Iterator[CheckMessage]:
    """orm_views_core.E010: the ``on_delete`` of a field would write to the view."""
    for field in view._meta.concrete_fields:
        on_delete = getattr(field.remote_field, "on_delete", None)
        if isinstance(on_delete, RefusedCascade):
            problem = (
                f"its field {field.name!r} has on_delete={on_delete.name}, so deleting a "
                f"{field.related_model._meta.label} would write to the view."
            )
            hint = (
                "Set on_delete=models.DO_NOTHING. The rows of a view disappear with the rows that it reads."
            )
            yield message("E010", view, problem, hint)


def _check_table(view: Any) -> Iterator[CheckMessage]:
    """orm_views_core.W007: a view has the name of a table."""
    schema, name = parse_db_table(view._meta.db_table)
    # Without schemas the view would have the name of the table itself. A plan finds that.
    if schema and (owner := tables_of(view._meta.apps).get(name)):
        problem = (
            f"its name {name!r} is that of the table of {owner}. A query of another model that joins both "
            "fails, because PostgreSQL does not know which of the two is meant."
        )
        hint = "Set another 'name'. Queries that begin at the view, as those of its own managers do, work."
        yield message("W007", view, problem, hint)
