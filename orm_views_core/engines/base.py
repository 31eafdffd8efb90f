"""What is asked of an engine whose views are changed one after the other, where they stand.

PostgreSQL is not behind it. Its sync consists of staging, a swap and locks, which no other engine has, and an
interface with all of that would be as wide as PostgreSQL. What both give is the same: a ``Catalog``, a
``DryRun``, a ``Plan``, a ``SyncResult``, a ``ViewStatus``, rows. What shows or compares these knows none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.dry_run import DryRun
from orm_views_core.database.relations import Catalog, Column, InstalledView
from orm_views_core.database.sync_state import SyncState
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.names import ViewName
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import Sentence
from orm_views_core.spelling import Spelling

#: What Django calls around each statement of a connection.
ExecuteWrapper = Callable[..., Any]


@dataclass(frozen=True)
class PlainCatalog:
    """What a database contains, and what is wrong with it.

    Attributes:
        catalog: the views, and whatever has the name of a registered one.
        broken: why a view cannot be read, in the engine's words.
    """

    catalog: Catalog
    broken: Mapping[ViewName, Quoting] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """What a sync records of a view.

    Attributes:
        definition: what its class declares.
        installed: the view as it was before; None when it is new.
        state: its sync state, without what the database stores of it: ``carry_out()`` adds that.
    """

    definition: ViewDefinition
    installed: InstalledView | None
    state: SyncState


class PlainEngine(Protocol):
    """An engine without staging.

    Attributes:
        spelling: how it writes names and values, and what it can do.
        blocks: who has to wait while a view is replaced, in words.
        around_statements: what wraps the statements of migrations; None when no view is in their way.
    """

    spelling: Spelling
    blocks: Sentence
    around_statements: ExecuteWrapper | None

    def read_catalog(
        self, connection: BaseDatabaseWrapper, definitions: Definitions, roles: Collection[str] = ()
    ) -> PlainCatalog:
        """Read all views of a database.

        Args:
            connection: the database.
            definitions: the registered views. Their names are looked for.
            roles: the roles to look for.
        """
        ...

    def read_columns(
        self, connection: BaseDatabaseWrapper, names: Collection[ViewName]
    ) -> Mapping[ViewName, tuple[Column, ...]]:
        """Return the columns of those of some views that can be read."""
        ...

    def try_views(
        self, connection: BaseDatabaseWrapper, definitions: Sequence[ViewDefinition], catalog: Catalog
    ) -> DryRun:
        """Try views, each after those that it reads. Nothing is changed that anybody else sees."""
        ...

    def planning(self, connection: BaseDatabaseWrapper) -> AbstractContextManager[None]:
        """Return a block in which a plan is made."""
        ...

    def turn(
        self, connection: BaseDatabaseWrapper, on_wait: Callable[[str], None] | None
    ) -> AbstractContextManager[None]:
        """Return a block in which no other sync runs. If syncs are atomic, it is a transaction.

        Raises:
            LockNotAvailableError: when others do not let go within LOCK_WAIT.
        """
        ...

    def create_view(self, definition: ViewDefinition, replaces: InstalledView | None) -> tuple[str, ...]:
        """Return the statements that create a view, or put it in the place of another one, for a plan."""
        ...

    def drop_view(self, view: InstalledView) -> tuple[str, ...]:
        """Return the statements that drop a view, with what does not go away with it."""
        ...

    def grant(self, name: ViewName, grant: Collection[str], revoke: Collection[str]) -> Sequence[str]:
        """Return the statements that grant SELECT on a view to some roles, and revoke it from others."""
        ...

    def carry_out(
        self,
        connection: BaseDatabaseWrapper,
        name: ViewName,
        statements: Sequence[str],
        record: Record | None,
    ) -> None:
        """Send the statements of a step, and record its sync state.

        Args:
            connection: the database.
            name: the view.
            statements: those of the plan; none for a view that is only recorded.
            record: what to record; None for a view that is dropped.
        """
        ...

    def reading(
        self, connection: BaseDatabaseWrapper, seconds: float, *, writes: bool = False
    ) -> AbstractContextManager[CursorWrapper]:
        """Return a block with a cursor whose statements end after some seconds.

        Args:
            connection: the database.
            seconds: the limit. In such a block of such a block, the shorter one holds.
            writes: whether the block may write: it has statements of other code.
        """
        ...

    def untrusted(self, cursor: CursorWrapper, names: Collection[ViewName]) -> Mapping[ViewName, Sentence]:
        """Return why the rows of some views are not read: somebody who is not trusted has made them."""
        ...

    def said(self, error: DatabaseError) -> str:
        """Return what the engine said of an error."""
        ...
