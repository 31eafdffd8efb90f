"""Finds registered views by name or by label."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress

from orm_views_core.exceptions import InvalidViewError, UnknownViewError
from orm_views_core.names import ViewKind
from orm_views_core.views.base import BasePostgresView
from orm_views_core.views.identity import label_of, name_of
from orm_views_core.views.registry import registry

from .definition import ViewDefinition


def select_views(
    definitions: Sequence[ViewDefinition], wanted: Collection[str] | None, *, kind: ViewKind | None = None
) -> list[ViewDefinition]:
    """Return the definitions of the wanted views.

    Args:
        definitions: all definitions.
        wanted: names (``loan_book``, ``views.loan_book``) or labels (``lending.LoanBook``); all when None.
        kind: leave out views of another kind.

    Raises:
        UnknownViewError: no view, or no view of that kind, has one of the names or labels.
    """
    if wanted is None:
        return [d for d in definitions if kind is None or d.kind is kind]
    chosen: dict[tuple[str, str], ViewDefinition] = {}
    for text in wanted:
        matches = [definition for definition in definitions if text in _handles(definition)]
        if not matches:
            handles = [handle for definition in definitions for handle in _handles(definition)]
            raise unknown_view(text, handles)
        fitting = [definition for definition in matches if kind is None or definition.kind is kind]
        if kind is not None and not fitting:
            raise UnknownViewError(f"{matches[0].where}: {matches[0].name} is not a {kind.label}.")
        for definition in fitting:
            chosen[definition.database, str(definition.name)] = definition
    return list(chosen.values())


def _handles(definition: ViewDefinition) -> Iterable[str]:
    return str(definition.name), definition.name.name, definition.label


def views_by_handle(databases: Iterable[str]) -> dict[str, list[tuple[str, type[BasePostgresView]]]]:
    """Return the registered view classes, each with the alias of its database, by what they may be called.

    That is a label, a name with its schema, or a name. A class without a valid name has its label only.
    """
    found: defaultdict[str, list[tuple[str, type[BasePostgresView]]]] = defaultdict(list)
    for alias in databases:
        for view in registry.views(alias):
            for handle in _handles_of(view):
                found[handle].append((alias, view))
    return dict(found)


def _handles_of(view: type[BasePostgresView]) -> set[str]:
    with suppress(InvalidViewError):  # whoever asks for the view by its label is told
        name = name_of(view)
        return {label_of(view), str(name), name.name}
    return {label_of(view)}


def unknown_view(text: str, handles: Iterable[str]) -> UnknownViewError:
    """Return the error for a name that no view has. It suggests similar names."""
    close = difflib.get_close_matches(text, list(handles), n=3)
    hint = f"Did you mean {' or '.join(close)}?" if close else "show_views lists them."
    return UnknownViewError(f"No registered view is called {text!r}. {hint}")
