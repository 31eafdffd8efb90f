"""Views that strings in SQL name: PostgreSQL looks for them, and the order of creation does not know them."""

from __future__ import annotations

from contextlib import suppress

from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import InvalidViewError
from orm_views_core.names import ViewName
from orm_views_core.sentences import NOTHING, Sentence, says
from orm_views_core.sql.lexer import tokenize
from orm_views_core.views.base import BasePostgresView
from orm_views_core.views.identity import describe, name_of
from orm_views_core.views.registry import registry


def view_in_string(definition: ViewDefinition, statement: str, position: int) -> Sentence:
    """Return what to do if PostgreSQL does not find a view that a string names: ``'views.loans'::regclass``.

    Args:
        definition: the view whose SQL was refused.
        statement: the SQL that was sent.
        position: the error's character in it, counted from 1.

    Returns:
        a line; "" when the error is not at a string that names a view of another class.
    """
    tokens = (token for token in tokenize(statement) if token.start < position <= token.end)
    text = next((token.text for token in tokens if token.kind == "string"), "")
    name = _relation_in(text, definition.name) if text else None
    view = next(
        (view for view in registry.views(definition.database) if name and _is_called(view, name)), None
    )
    if view is None or name == definition.name:
        return NOTHING
    if name in definition.declared_dependencies:
        return says(
            "A string cannot be pointed at a new %(view)s that is only tried. sync_views creates it first.",
            view=name,
        )
    return says(
        "Its SQL names %(view)s in a string, where no dependency is found. Add %(class_)s to its "
        "view_dependencies, so that it is created first.",
        view=name,
        class_=describe(view),
    )


def _relation_in(literal: str, reader: ViewName) -> ViewName | None:
    """Return the relation that a literal names; None when it is no name."""
    content = literal.strip("'").replace("''", "'")
    if literal.startswith("$"):
        content = literal.split("$", 2)[2].rsplit("$", 2)[0]
    tokens = list(tokenize(content))
    parts = [token.identifier for token in tokens if token.kind == "identifier"]
    if len(tokens) != 2 * len(parts) - 1 or len(parts) > 2 or any(t.text != "." for t in tokens[1::2]):
        return None
    return ViewName(parts[0] if parts[1:] else reader.schema, parts[-1])


def _is_called(view: type[BasePostgresView], name: ViewName | None) -> bool:
    with suppress(InvalidViewError):
        return name_of(view) == name
    return False
