"""What an engine can do with views, and how it writes names and values. No connection is needed for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.names import ViewName
from orm_views_core.sql.places import Places
from orm_views_core.sql.rules import Rules


@dataclass(frozen=True)
class Abilities:
    """What an engine can do with views. ``docs/engines.md`` has the same as a table.

    Attributes:
        staging: new versions are tried and built beside those in use, and then swapped in. What only
            PostgreSQL has comes with it: lineage, comparisons, exports, the guard of personal data.
        schemas: views are in schemas. Elsewhere the schema is a part of the name.
        atomic: a sync is all or nothing. Elsewhere each view is changed by itself.
        materialised: views can be materialised. Elsewhere they are plain ones.
        updatable: rows can be written through a view.
        grants: roles can be granted SELECT on a view.
        options: the options that a plain view can have.
        one_writer: only one connection writes at a time, and the others wait.
        refuses: whether a class that asks for what the engine lacks is refused. Elsewhere that is left out.
    """

    staging: bool = False
    schemas: bool = False
    atomic: bool = False
    materialised: bool = False
    updatable: bool = False
    grants: bool = False
    options: frozenset[str] = frozenset()
    one_writer: bool = False
    refuses: bool = False


class Spelling(Protocol):
    """How an engine writes the names of views, and values.

    Attributes:
        words: what ``sql`` and ``engines`` of a class may call the engine, the most precise one first.
        title: its name for people.
        abilities: what it can do.
        rules: how its SQL is split into tokens.
    """

    words: tuple[str, ...]
    title: str
    abilities: Abilities
    rules: Rules

    def place(self, name: ViewName) -> str:
        """Return the name of a view as SQL and ``Meta.db_table`` have it, with quotes."""
        ...

    def places(self, names: Collection[ViewName]) -> Places | None:
        """Return the names that views have in the database; None where these are schema and name."""
        ...

    def literal(self, connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> str:
        """Return SQL with its parameters as literals: a view cannot have parameters."""
        ...

    def compiling(self, connection: BaseDatabaseWrapper) -> AbstractContextManager[None]:
        """Return a block in which querysets are compiled to the same SQL each time."""
        ...
