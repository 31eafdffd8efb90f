"""Keeping readable views out of migrations.

They are unmanaged models, for which ``makemigrations`` would still write a CreateModel. Django 5.2 made the
autodetector an attribute of the commands for customising it; ``makemigrations`` and ``migrate`` of this app
use this one. A project with commands of its own mixes :class:`IgnoreViews` into its autodetector.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.utils import resolve_relation

from orm_views_core.views.readable import is_readable
from orm_views_core.views.registry import registry


class IgnoreViews:
    """A mixin for an autodetector that sees no readable view, registered or not, new or gone.

    Of a view that a model refers to, migrations have to know the key, for the type of the model's column.
    Such a view is an unmanaged model in them, with its key and nothing else, and stays as it was written.
    """

    def __init__(self, from_state: ProjectState, to_state: ProjectState, *args: Any, **kwargs: Any) -> None:
        views = {
            (view._meta.app_label, view._meta.model_name): view  # type: ignore[attr-defined]
            for view in {*registry.views(), *apps.get_models()}
            if is_readable(view)
        }
        referred = _referred(to_state, views.keys())
        before = _without(from_state, views.keys() - referred.keys())
        after = _without(to_state, views.keys())
        for key, fields in referred.items():
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


def _referred(state: ProjectState, views: Set[tuple[str, str]]) -> dict[tuple[str, str], set[str | None]]:
    """Return the views that models refer to, with the names of the fields meant; None is the key."""
    found: dict[tuple[str, str], set[str | None]] = {}
    for model in state.models.keys() - views:
        for field in state.models[model].fields.values():
            if field.remote_field:
                target = resolve_relation(field.remote_field.model, *model)
                if target in views:
                    found.setdefault(target, set()).add(getattr(field.remote_field, "field_name", None))
    return found


def _stub(view: Any, fields: Set[str | None]) -> ModelState:
    """Return what migrations know of a view: its key, and the fields that are referred to."""
    opts = view._meta
    return ModelState(
        opts.app_label,
        opts.object_name,
        [
            (field.name, field.clone())
            for field in opts.local_fields
            if field.primary_key or field.name in fields
        ],
        {"managed": False, "db_table": opts.db_table},
    )
