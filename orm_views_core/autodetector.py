"""Keeps readable views out of migrations.

They are unmanaged models, and ``makemigrations`` would write a CreateModel for them. Since Django 5.2 the
autodetector is an attribute of the commands. The ``makemigrations`` and ``migrate`` commands of this app have
one. A project with its own commands adds :class:`IgnoreViews` to its autodetector.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set
from typing import Any

from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.utils import resolve_relation

from orm_views_core.views.readable import is_readable
from orm_views_core.views.registry import registry


class IgnoreViews:
    """A mixin for an autodetector that ignores all readable views, including those that are not registered.

    If a model has a foreign key to a view, migrations need the view's key for the type of the column. They
    contain such a view as an unmanaged model with only its key, which is never changed.

    Args:
        from_state: the state that the migrations lead to.
        to_state: the state of the models.

    Example:
        >>> from django.core.management.commands import makemigrations
        >>> from django.db.migrations.autodetector import MigrationAutodetector
        >>> from orm_views_core.autodetector import IgnoreViews
        >>> class Autodetector(IgnoreViews, MigrationAutodetector):
        ...     "Of a project whose command does more than Django's."
        >>> class Command(makemigrations.Command):
        ...     autodetector = Autodetector
    """

    def __init__(self, from_state: ProjectState, to_state: ProjectState, *args: Any, **kwargs: Any) -> None:
        views = {
            (view._meta.app_label, view._meta.model_name): view  # type: ignore[attr-defined]
            for view in {*registry.views(), *apps.get_models()}
            if is_readable(view)
        }
        referenced = _referenced(to_state, views.keys())
        before = _without(from_state, views.keys() - referenced.keys())
        after = _without(to_state, views.keys())
        for key, fields in referenced.items():
            after.add_model(before.models[key] if key in before.models else _stub(views[key], fields))
        super().__init__(before, after, *args, **kwargs)  # type: ignore[call-arg]


class Autodetector(IgnoreViews, MigrationAutodetector):
    """Django's autodetector without readable views."""


def _without(state: ProjectState, views: Set[tuple[str, str]]) -> ProjectState:
    if views.isdisjoint(state.models):
        return state
    state = state.clone()
    for key in views & state.models.keys():
        state.remove_model(*key)
    return state


def _referenced(state: ProjectState, views: Set[tuple[str, str]]) -> dict[tuple[str, str], set[str | None]]:
    """Return the views that models refer to, with the names of the target fields; None is the key."""
    targets: defaultdict[tuple[str, str], set[str | None]] = defaultdict(set)
    for model in state.models.keys() - views:
        for field in state.models[model].fields.values():
            if field.remote_field:
                target = resolve_relation(field.remote_field.model, *model)
                if target in views:
                    targets[target].add(getattr(field.remote_field, "field_name", None))
    return targets


def _stub(view: Any, fields: Set[str | None]) -> ModelState:
    """Return the state of a view for migrations: its key, and the fields that models refer to."""
    opts = view._meta
    kept = [field for field in opts.local_fields if field.primary_key or field.name in fields]
    options = {"managed": False, "db_table": opts.db_table}
    return ModelState(opts.app_label, opts.object_name, [(f.name, f.clone()) for f in kept], options)


__all__ = ["IgnoreViews"]
