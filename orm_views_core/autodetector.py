"""Keeping readable views out of migrations.

They are unmanaged models, for which ``makemigrations`` would still write a CreateModel. Django 5.2 made the
autodetector an attribute of the commands for customising it; ``makemigrations`` and ``migrate`` of this app
use this one. A project with commands of its own mixes :class:`IgnoreViews` into its autodetector.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.state import ProjectState

from .readable import is_readable
from .registry import registry


class IgnoreViews:
    """A mixin for an autodetector that sees no readable view, registered or not, new or gone."""

    def __init__(self, from_state: ProjectState, to_state: ProjectState, *args: Any, **kwargs: Any) -> None:
        views = {
            (view._meta.app_label, view._meta.model_name)  # type: ignore[attr-defined]
            for view in {*registry.views(), *apps.get_models()}
            if is_readable(view)
        }
        super().__init__(_without(from_state, views), _without(to_state, views), *args, **kwargs)  # type: ignore[call-arg]


class Autodetector(IgnoreViews, MigrationAutodetector):
    """Django's autodetector without readable views."""


def _without(state: ProjectState, views: set[tuple[str, str]]) -> ProjectState:
    if views.isdisjoint(state.models):
        return state
    state = state.clone()
    for key in views & state.models.keys():
        state.remove_model(*key)
    return state
