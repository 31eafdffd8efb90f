"""The definitions that this process has compiled, so that pages and commands compile each class once.

What a class says does not change while a process runs. A sync and a plan compile anew nevertheless, because
they must not rely on that. A definition is kept on its class: a reloaded module has new classes, and a class
that is gone takes its definition with it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.signals import setting_changed
from django.db.backends.base.base import BaseDatabaseWrapper
from django.dispatch import receiver

from .definition import ViewDefinition

_ATTRIBUTE = "_view_compiled"

#: How often a setting was overridden. Definitions depend on several: ORM_VIEWS, TIME_ZONE, LANGUAGE_CODE.
_generation = 0


@receiver(setting_changed)
def _forget(**kwargs: Any) -> None:
    global _generation
    _generation += 1


def known_definition(
    view: type, connection: BaseDatabaseWrapper, schemas: Collection[str]
) -> ViewDefinition | None:
    """Return the definition of a class that was compiled before for this database; None if none was.

    Args:
        schemas: what the functions that give schemas return on the connection.
    """
    key, definition = vars(view).get(_ATTRIBUTE, (None, None))
    return definition if key == _key(connection, schemas) else None


def keep_definition(
    definition: ViewDefinition, connection: BaseDatabaseWrapper, schemas: Collection[str]
) -> None:
    """Keep a definition. Of two threads that compile one class, the later one is kept; both are equal."""
    assert definition.view is not None
    setattr(definition.view, _ATTRIBUTE, (_key(connection, schemas), definition))


def _key(connection: BaseDatabaseWrapper, schemas: Collection[str]) -> tuple[str, int, tuple[str, ...]]:
    return connection.alias, _generation, tuple(schemas)
