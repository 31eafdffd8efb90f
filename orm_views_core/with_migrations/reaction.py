"""What happens around each statement of a migration, so that no view stands against it and none is lost.

What the text of a statement tells is put aside before it is sent. What PostgreSQL refuses all the same is
rolled back to a savepoint, put aside, and sent again; so is what would drop views with CASCADE. Nothing else
of the migration is done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.engines.postgresql.errors.diagnostics import detail_of, sqlstate
from orm_views_core.engines.postgresql.stand_ins.standing import (
    find_described,
    read_all_views,
    read_columns_in,
    read_made_types,
    read_standing,
    resolve,
)
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, says
from orm_views_core.sql.alterations import Script, read_script

from .aside import Aside

#: Objects depend on what is dropped; a view or a rule uses a column whose type changes.
REFUSED = {"2BP01", "0A000"}
_BY_NAME = says("PostgreSQL refused a statement because of it")


class _Lost(Exception):  # noqa: N818 - not an error: the statement is sent again
    """A statement has dropped views, which are its argument."""


class Reaction:
    """An ``execute_wrapper`` for the connection on which migrations run.

    Args:
        connection: the database, in a transaction.
        aside: the views that are put aside.
        on_refused: called with the script of a statement that fails, and with the error.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        aside: Aside,
        on_refused: Callable[[Script, DatabaseError], None] | None = None,
    ) -> None:
        self._connection, self._aside, self._on_refused = connection, aside, on_refused
        self._is_paused = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let the statements of a block pass: they are our own."""
        before, self._is_paused = self._is_paused, True
        try:
            yield
        finally:
            self._is_paused = before

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        script = Script() if self._is_paused else read_script(self._text(sql))
        try:
            if not script.changes:
                return execute(sql, params, many, context)
            return self._changing(script, lambda: execute(sql, params, many, context))
        except DatabaseError as error:
            if self._on_refused and not self._is_paused:
                self._on_refused(script, error)
            raise

    def _text(self, sql: Any) -> str:
        """Return the text of a statement, which may be an object of the driver."""
        if hasattr(sql, "as_string"):
            sql = sql.as_string(self._connection.connection)
        return sql.decode(errors="replace") if isinstance(sql, bytes) else str(sql)

    def _changing(self, script: Script, send: Callable[[], Any]) -> Any:
        dropped = set()
        with self.paused():
            if (script.renamings or script.views) and self._aside.views:
                self._aside.bring_back()  # their SQL has the names that there are now
            standing = read_standing(self._connection, script.alterations)
            why = {name: alteration.sentence for name, alteration in standing.views.items()}
            self._aside.put(why, standing.gone_types)
            if script.dropped_views:
                dropped = set(resolve(self._connection, script.dropped_views).values())
        while True:
            try:
                with transaction.atomic(using=self._connection.alias):
                    with self.paused():
                        before = read_all_views(self._connection) if script.may_cascade else {}
                    result = send()
                    if lost := self._lost(before) - dropped:
                        raise _Lost(lost)
                break
            except _Lost as error:
                with self.paused():
                    if not self._put(dict.fromkeys(error.args[0], says("a CASCADE would drop it"))):
                        dropped |= error.args[0]  # nothing is left that could go without them
            except DatabaseError as error:
                if sqlstate(error) not in REFUSED or not self._put_named(error):
                    raise
        self._aside.forget(dropped)
        if script.defines_views:
            with self.paused():
                self._aside.forget(resolve(self._connection, script.views).values())
        return result

    def _put(self, why: dict[ViewName, Sentence]) -> bool:
        """Put views aside; if they are already, do without the types that somebody has made."""
        if self._aside.put(why):
            return True
        types = read_made_types(self._connection, why)
        return bool(types and self._aside.put(why, types))

    def _lost(self, before: dict[ViewName, int]) -> set[ViewName]:
        if not before:
            return set()
        with self.paused():
            now = set(read_all_views(self._connection).values())
        return {name for name, oid in before.items() if oid not in now}

    def _put_named(self, error: DatabaseError) -> bool:
        """Put aside the views that an error names, and all that read the same columns; return whether any."""
        detail = detail_of(error)
        with self.paused():
            with self._connection.cursor() as cursor:
                named = set(find_described(cursor, detail))
            if not named:
                return False
            columns = read_columns_in(self._connection, named, detail)
            standing = read_standing(self._connection, columns).views
            return self._put(dict.fromkeys([*named, *standing], _BY_NAME))
