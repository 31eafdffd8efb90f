"""Finds registered views by name or by label."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from orm_views_core.exceptions import SkippedViewError, UnknownViewError
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sentences import listed, says
from orm_views_core.views.base import BasePostgresView
from orm_views_core.views.identity import name_of

from .definition import SkippedView, ViewDefinition
from .registered import registered_views


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
            raise UnknownViewError(
                says(
                    "%(where)s: %(name)s is not a %(kind)s.",
                    where=matches[0].where,
                    name=matches[0].name,
                    kind=kind.label,
                )
            )
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
        for handle, views in registered_views(alias).by_handle.items():
            found[handle] += [(alias, view) for view in views]
    return dict(found)


def find_views(wanted: Collection[str], databases: Sequence[str]) -> dict[str, set[ViewName]]:
    """Return the names of the wanted views, by the alias of their database.

    Args:
        wanted: names (``loan_book``, ``views.loan_book``) or labels (``lending.LoanBook``).
        databases: aliases.

    Raises:
        UnknownViewError: when no registered view has one of the names or labels.
        SkippedViewError: when one that has it is skipped.
        InvalidViewError: when a class that a label names has no valid name.
    """
    found: defaultdict[str, set[ViewName]] = defaultdict(set)
    for text in wanted:
        views = {alias: registered_views(alias).by_handle.get(text, ()) for alias in databases}
        if not any(views.values()):
            refuse_skipped(text, databases)
            raise unknown_view(text, views_by_handle(databases))
        for alias, several in views.items():
            found[alias].update(name_of(view) for view in several)
    return {alias: names for alias, names in found.items() if names}


def is_called(view: SkippedView, text: str) -> bool:
    """Return whether a skipped view has a name or a label."""
    return text == view.label or (view.name is not None and text in {str(view.name), view.name.name})


def refuse_skipped(text: str, databases: Iterable[str]) -> None:
    """Raise an error if what somebody names is a view that is skipped.

    Raises:
        SkippedViewError: it is. The error says why.
    """
    for alias in databases:
        for view in registered_views(alias).skipped:
            if is_called(view, text):
                raise SkippedViewError(says("%(view)s is skipped. %(why)s", view=view.label, why=view.reason))


def unknown_view(text: str, handles: Iterable[str]) -> UnknownViewError:
    """Return the error for a name that no view has. It suggests similar names."""
    close = difflib.get_close_matches(text, list(handles), n=3)
    hint = says("show_views lists them.")
    if close:
        hint = says("Did you mean %(names)s?", names=listed(close, " or "))
    return UnknownViewError(says("No registered view is called %(text)r. %(hint)s", text=text, hint=hint))
