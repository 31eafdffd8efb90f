"""System checks of what view classes say: their querysets, and the fields and keys of readable ones.

Each has an id that never changes, and a hint that says what to do next. None of them needs a database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004
from django.db.models import QuerySet

from orm_views_core.views.base import PostgresMaterialisedViewMixin, PostgresViewFromQueryset
from orm_views_core.views.fields import Settled
from orm_views_core.views.guards import RefusedCascade
from orm_views_core.views.identity import describe
from orm_views_core.views.inference import Inferred
from orm_views_core.views.querysets import output_columns
from orm_views_core.views.readable import is_readable
from orm_views_core.views.registry import registry

_DECLARE = "Declare a field for each column; manage.py inspect_view prints them."


@register("orm_views")
def check_querysets(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.E005: ``get_queryset()`` fails; W002: it takes every column; W003: a slice, any rows."""
    messages: list[CheckMessage] = []
    for view in registry.views():
        if not issubclass(view, PostgresViewFromQueryset):
            continue
        try:
            queryset: Any = view.get_queryset()
        except NotImplementedError:
            continue  # a sync says that it has neither sql nor get_queryset()
        except Exception as error:  # noqa: BLE001 - reported, whatever it is
            why = f"fails: {type(error).__name__}: {error}"
        else:
            if isinstance(queryset, QuerySet):
                messages += _queryset_messages(view, queryset)
                continue
            why = f"returns {queryset!r}, not a queryset"
        messages.append(
            Error(
                f"{describe(view)}: its get_queryset() {why}",
                hint="Mend it. Until then none of the views of its database can be synced.",
                id="orm_views_core.E005",
            )
        )
    return messages


def _queryset_messages(view: type, queryset: QuerySet[Any, Any]) -> Iterator[CheckMessage]:
    query: Any = queryset.query
    if queryset._fields is None:  # type: ignore[attr-defined]
        yield Warning(
            f"{describe(view)}: its queryset does not end in .values(), so the view has every column of "
            f"{query.get_meta().label}, and gets those that are added later: they may be personal.",
            hint="Name the columns: .values('id', …).",
            id="orm_views_core.W002",
        )
    ordered = query.order_by or query.extra_order_by or (query.default_ordering and query.get_meta().ordering)
    if query.is_sliced and not ordered:
        yield Warning(
            f"{describe(view)}: its queryset is a slice of rows in no order, so which rows the view has is "
            "chance.",
            hint="Put .order_by(…) before the slice.",
            id="orm_views_core.W003",
        )


@register("orm_views")
def check_fields(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.E006 to E010, W004 to W006: the fields and the key of readable views."""
    messages: list[CheckMessage] = []
    for view in registry.views():
        if is_readable(view):
            messages += _field_messages(view)
            messages += _key_messages(view)
            messages += _cascade_messages(view)
    return messages


@register("orm_views")
def check_references(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """orm_views_core.E011: a model refers to a view, and its table cannot."""
    managed = [model._meta for model in apps.get_models() if model._meta.managed]
    fields: list[Any] = [f for opts in managed for f in (*opts.local_fields, *opts.local_many_to_many)]
    return [
        Error(
            f"{field.model._meta.label}: its field {field.name!r} refers to "
            f"{field.related_model._meta.label}, which is a view, and foreign keys are to tables only.",
            hint="Say db_constraint=False; and on_delete=models.DO_NOTHING where there is an on_delete.",
            id="orm_views_core.E011",
        )
        for field in fields
        if field.remote_field
        and is_readable(field.related_model)
        and (field.remote_field if field.many_to_many else field).db_constraint
    ]


def _field_messages(view: Any) -> Iterator[CheckMessage]:
    settled: Settled = view._view_fields
    columns = _columns(view, settled)
    undeclared = columns - {field.column for field in view._meta.concrete_fields}
    if settled.error and settled.declares and undeclared:
        yield Warning(
            f"{describe(view)}: only the fields that it declares are known, and there is none for "
            f"{', '.join(sorted(undeclared))}: its queryset could not be had when the class was created "
            f"({settled.error}).",
            hint=f"Put the class behind what it reads. Or: {_DECLARE}",
            id="orm_views_core.W004",
        )
    elif settled.inferred is None and not settled.declares:
        why = settled.error or "it is raw SQL, and no field is declared"
        yield Error(
            f"{describe(view)}: it has no fields: {why}.",
            hint=_DECLARE if not settled.error else f"Put the class behind what it reads. Or: {_DECLARE}",
            id="orm_views_core.E006",
        )
    inferred = settled.inferred or Inferred()
    for column, why in inferred.problems.items():
        yield Error(
            f"{describe(view)}: the type of its column {column!r} is not known: {why}",
            hint=f"Give the expression an output_field, or declare the field {column!r}.",
            id="orm_views_core.E007",
        )
    known_later = settled.error and settled.declares
    for field in view._meta.concrete_fields:
        # A key that Django has added is for E009, where the queryset was there to find another.
        if not columns or field.column in columns or (field.auto_created and not known_later):
            continue
        yield Error(
            f"{describe(view)}: its field {field.name!r} has no column: the queryset has no "
            f"{field.column!r}.",
            hint=f"Add it to .values(), or take the field away. The columns: {', '.join(sorted(columns))}.",
            id="orm_views_core.E008",
        )
    for field in view._meta.concrete_fields:
        if field.column in inferred.nullable and not field.null and field not in view._meta.pk_fields:
            yield Warning(
                f"{describe(view)}: its field {field.name!r} is not null=True, and its column may be NULL.",
                hint="Say null=True; without it, joins and exclude() may leave rows out.",
                id="orm_views_core.W005",
            )


def _columns(view: Any, settled: Settled) -> Set[str]:
    """Return the names of the columns of a view's queryset, also where it can be had only by now."""
    if settled.inferred:
        return settled.inferred.names
    try:
        return {column.name for column in output_columns(view.get_queryset().query)}
    except Exception:  # noqa: BLE001 - E005 reports it, and raw SQL has none
        return frozenset()


def _key_messages(view: Any) -> Iterator[CheckMessage]:
    settled: Settled = view._view_fields
    if settled.problem and not settled.error:
        yield Error(
            f"{describe(view)}: it has no key: {settled.problem}.",
            hint="Say pk_field = … with the column, or the columns, that identify a row; or declare a field "
            "with primary_key=True; or add the key of the model to .values().",
            id="orm_views_core.E009",
        )
    elif issubclass(view, PostgresMaterialisedViewMixin) and not view._view_pk_columns():
        yield Warning(
            f"{describe(view)}: it is materialised and has no pk_field, so nothing keeps its key "
            f"{_key_of(view)!r} unique, and readers wait while it is refreshed.",
            hint=f"Say pk_field = {_key_of(view)!r}.",
            id="orm_views_core.W006",
        )


def _key_of(view: Any) -> str | tuple[str, ...]:
    columns = [str(field.column) for field in view._meta.pk_fields]
    return columns[0] if len(columns) == 1 else tuple(columns)


def _cascade_messages(view: Any) -> Iterator[CheckMessage]:
    for field in view._meta.concrete_fields:
        on_delete = getattr(field.remote_field, "on_delete", None)
        if isinstance(on_delete, RefusedCascade):
            yield Error(
                f"{describe(view)}: its field {field.name!r} says on_delete={on_delete.said}, so to delete a "
                f"{field.related_model._meta.label} would be to write to the view.",
                hint="Say on_delete=models.DO_NOTHING: the rows of a view go with those that it reads.",
                id="orm_views_core.E010",
            )
