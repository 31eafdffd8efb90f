"""For the tests of view classes: the definition of one class."""

from __future__ import annotations

from django.db import connections

from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import ViewDefinition


def compile_view(view: type) -> ViewDefinition:
    """Compile one class for the default database, and raise its error if it is invalid."""
    definitions = compile_definitions(connections["default"], [view])
    definitions.raise_errors()
    (definition,) = definitions.views.values()
    return definition
