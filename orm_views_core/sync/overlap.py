"""Creating the views of an empty database while the classes of the next ones are still being compiled.

From empty, half of a sync's time is Django's, which compiles querysets, and half PostgreSQL's, which creates
views; neither need wait for the other. What is sent ahead are statements that the plan will have as well, in
the transaction that is rolled back when it has a problem; applying it leaves out what has been sent. Where
anything is refused, all of that is taken back, and the usual way says what is wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from types import TracebackType

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import Catalog
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql import ddl
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sql.references import qualified_references

#: With fewer views than that there is nothing to be gained.
ENOUGH = 100


def is_empty_for(catalog: Catalog, schemas: Collection[str], classes: Collection[type]) -> bool:
    """Say whether views can be created before there is a plan: nothing that exists can be concerned.

    Args:
        catalog: the database.
        schemas: the schemas that the views are to be in.
        classes: the registered classes.
    """
    ours = set(schemas)
    return (
        len(classes) >= ENOUGH
        and ours.isdisjoint(catalog.schemas)
        and ours.isdisjoint(catalog.search_path)  # else a name without schema might be that of a view
        and catalog.session.creates_schemas
        and not catalog.session.read_only
    )


class Ahead:
    """Sends statements from a thread of its own, as long as the ``with`` block lasts.

    Attributes:
        sent: the statements that PostgreSQL has carried out; complete once the block is left.
    """

    def __init__(self, connection: BaseDatabaseWrapper, schemas: Iterable[str]) -> None:
        self.sent: frozenset[str] = frozenset()
        self._connection = connection
        self._schemas = tuple(schemas)
        self._names: set[ViewName] = set()
        self._batches: SimpleQueue[list[str]] = SimpleQueue()
        self._done: list[str] = []
        self._is_refused = False
        self._savepoint = ""
        self._thread = Thread(target=self._send, name="orm_views_core.sync.overlap")

    def offer(self, definitions: Iterable[ViewDefinition]) -> None:
        """Send what creates those of some views that read no view which has not been sent."""
        statements = []
        for definition in definitions:
            if self._can_be_sent(definition):
                self._names.add(definition.name)
                statements.append(
                    ddl.create_view(definition, sql=definition.sql, with_data=definition.with_data)
                )
        if statements:
            self._batches.put(statements)

    def _can_be_sent(self, definition: ViewDefinition) -> bool:
        if definition.kind is not ViewKind.VIEW:
            return False  # it may take minutes, which whoever waits wants to be told
        references = qualified_references(definition.sql, self._schemas)
        return self._names.issuperset(definition.declared_dependencies) and all(
            reference.target in self._names for reference in references
        )

    def __enter__(self) -> Ahead:
        self._savepoint = str(self._connection.savepoint())
        self._connection.inc_thread_sharing()
        self._batches.put([ddl.create_schema(schema) for schema in self._schemas])
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._batches.put([])
        self._thread.join()
        self._connection.dec_thread_sharing()
        if kind is None:
            self._connection.savepoint_commit(self._savepoint)
            self.sent = frozenset() if self._is_refused else frozenset(self._done)

    def _send(self) -> None:
        with self._connection.cursor() as cursor:
            while statements := self._next():
                if self._is_refused:
                    continue
                try:
                    cursor.execute(";\n".join(statements))
                    self._done += statements
                except Error:
                    # The usual way meets it again, and knows which view it is about.
                    self._is_refused = True
                    with suppress(Error):  # the connection is lost, as whoever uses it next is told
                        self._connection.savepoint_rollback(self._savepoint)

    def _next(self) -> list[str]:
        """Wait for statements and return all there are; none once the block has been left.

        All, because this thread gets its turn only when the one that compiles has had its own.
        """
        statements = self._batches.get()
        while statements and not self._batches.empty():
            more = self._batches.get()
            if not more:
                self._batches.put(more)
                break
            statements = [*statements, *more]
        return statements
