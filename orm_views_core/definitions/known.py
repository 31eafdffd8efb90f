"""The definitions that this process has compiled, so that pages and commands compile each class once.

What a class says does not change while a process runs. A sync and a plan compile anew nevertheless, because
they must not rely on that. The definition of a class is kept on the class: a reloaded module has new classes,
and a class that is gone takes its definition with it. Those of all classes together are kept besides, if all
classes are valid.
"""

from __future__ import annotations

from .definition import Definitions, ViewDefinition
from .registered import Kept

_ATTRIBUTE = "_view_compiled"

_together: Kept[Definitions] = Kept()


def known_definition(view: type, database: str, state: tuple[object, ...] | None) -> ViewDefinition | None:
    """Return the definition of a class that was compiled before; None if none was.

    Args:
        view: the class.
        database: the alias.
        state: see ``registry_state()``. Other classes may have come and gone.
    """
    key, definition = vars(view).get(_ATTRIBUTE, (None, None))
    return definition if state is not None and key == (database, *state[1:]) else None


def keep_definition(definition: ViewDefinition, state: tuple[object, ...] | None) -> None:
    """Keep a definition. Of two threads that compile one class, the later one is kept; both are equal."""
    assert definition.view is not None
    if state is not None:
        setattr(definition.view, _ATTRIBUTE, ((definition.database, *state[1:]), definition))


def known_definitions(database: str, state: tuple[object, ...] | None) -> Definitions | None:
    """Return the definitions of all classes, if all were compiled before and are valid; else None."""
    return _together.get(database, state)


def keep_definitions(definitions: Definitions, state: tuple[object, ...] | None) -> None:
    """Keep the definitions of all classes. A class that fails to compile is to be tried again."""
    if not definitions.errors:
        _together.keep(definitions.database, state, definitions)
