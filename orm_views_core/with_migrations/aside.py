"""Putting views aside while a migration changes what they read, and bringing them back.

A plain view stays the relation that it is: its SELECT is replaced by one that reads no table. So it keeps its
oid, its privileges, its comment, and the views that read it. A materialised view has no OR REPLACE. Its
stand-in is built aside with all its extras, and takes its place. So does that of a plain view with a column
whose type ends with a table.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import Catalog, InstalledView
from orm_views_core.definitions.definition import Definitions
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.batches import send
from orm_views_core.engines.postgresql.catalog.introspection import (
    read_catalog,
    with_definitions,
)
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor, catalog_path
from orm_views_core.engines.postgresql.errors.diagnostics import primary_message, sqlstate
from orm_views_core.engines.postgresql.errors.refusals import is_fault_of_view
from orm_views_core.engines.postgresql.roles import as_sync_role
from orm_views_core.engines.postgresql.stand_ins.catalog import read_stand_in_columns, replaces_collations
from orm_views_core.engines.postgresql.stand_ins.sql import (
    StandInColumn,
    create_rows_function,
    with_rows,
    without_rows,
)
from orm_views_core.graph import creation_order
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.plan.diff import is_orphan
from orm_views_core.sentences import Sentence, says
from orm_views_core.sync.external_dependents import as_definition

from .exchange import exchange, stand_in
from .misfits import why_not
from .refusal import refuse

_INVALID_DEFINITION = "42P16"  # CREATE OR REPLACE VIEW would change a column


@dataclass(frozen=True)
class PutAside:
    """A view that has a stand-in.

    Attributes:
        view: what it was, with its definition.
        why: what it stood against, in words.
        is_ours: whether the sync at the end brings it back: a class declares it, or it is an orphan.
        is_moved: whether the stand-in is another relation.
    """

    view: InstalledView
    why: Sentence
    is_ours: bool
    is_moved: bool = False

    def __str__(self) -> str:
        whose = "" if self.is_ours else ", which is not ours"
        return f"{self.view.name}{whose}: {self.why}"


class Aside:
    """The views of a database that are put aside.

    Attributes:
        connection: the database, in a transaction.
        definitions: the registered views.
        views: the views that are put aside, by name.
        misfits: those that could not be brought back, each with what PostgreSQL says.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        definitions: Definitions,
        on_put: Callable[[PutAside], None] | None = None,
    ) -> None:
        self.views: dict[ViewName, PutAside] = {}
        self.misfits: dict[ViewName, str] = {}
        self.connection, self.definitions, self._on_put = connection, definitions, on_put

    def put(self, wanted: Mapping[ViewName, Sentence], gone_types: Collection[int] = ()) -> set[ViewName]:
        """Put views aside.

        Args:
            wanted: the views, each with what it stands against, in words.
            gone_types: the oids of types that end with their tables.

        Returns:
            those that were no stand-ins before, or had to be put aside further.

        Raises:
            PlanBlockedError: when one of them must not or cannot be put aside.
        """
        if not wanted:
            return set()
        with as_sync_role(self.connection), self._own_path() as cursor:
            catalog = self._read(wanted)
            columns = read_stand_in_columns(cursor, [v.oid for v in catalog.relations.values()], gone_types)
            gone = {n for n, v in catalog.relations.items() if any(c.is_gone for c in columns.get(v.oid, ()))}
            # What was put aside and reads something is no stand-in: the code of a migration has rolled back.
            new = {n: v for n, v in catalog.relations.items() if n in gone or n not in self.views or v.reads}
            moved = {n for n, view in new.items() if view.kind is ViewKind.MATERIALISED_VIEW} | gone
            refuse(self.connection, self.definitions, catalog, new)
            in_place = [view for name, view in new.items() if name not in moved]
            self._replace_in_place(cursor, in_place, columns)
            for view in in_place:
                self._note(view, wanted[view.name])
            if moved:
                self._move_stand_ins(cursor, catalog, moved, wanted, gone_types)
        return set(new)

    def bring_back(self, *, ours: bool = False) -> None:
        """Bring back the views of others, and ours too if asked; what does not fit is among the misfits."""
        pending = {name for name, each in self.views.items() if ours or not each.is_ours}
        before = None
        while pending and pending != before:
            before = set(pending)
            order = creation_order({n: self.views[n].view.reads & pending for n in sorted(pending)})
            for name in order:
                if name in self.views:
                    self._bring_back(name)
            pending = {name for name, each in self.views.items() if ours or not each.is_ours}

    def forget(self, names: Collection[ViewName]) -> None:
        """Forget views that a migration has dropped by name."""
        for name in names:
            self.views.pop(name, None)
            self.misfits.pop(name, None)

    @contextmanager
    def _own_path(self) -> Iterator[CatalogCursor]:
        with self.connection.cursor() as cursor, catalog_path(cursor) as catalog:
            yield catalog

    def _read(self, names: Collection[ViewName]) -> Catalog:
        catalog = read_catalog(self.connection, [], only=list(names))
        return with_definitions(self.connection, catalog, list(catalog.relations))

    def _note(self, view: InstalledView, why: Sentence, *, is_moved: bool = False) -> None:
        known = self.views.get(view.name)
        if known is None:
            known = PutAside(view, why, is_ours=self._is_ours(view))
            if self._on_put:
                self._on_put(known)
        self.views[view.name] = replace(known, is_moved=known.is_moved or is_moved)

    def _is_ours(self, view: InstalledView) -> bool:
        """Return whether the sync brings a view back, or drops it: a class declares it, or did."""
        return view.name in self.definitions.names or is_orphan(self.definitions, view)

    def _replace_in_place(
        self,
        cursor: CatalogCursor,
        views: Collection[InstalledView],
        columns: Mapping[int, Collection[StandInColumn]],
    ) -> None:
        """Replace the SELECTs of plain views, without check options: those are for views to write to."""
        database = self.definitions.database
        selects = [stand_in(database, v, without_rows(v.name, columns.get(v.oid, ()))) for v in views]
        if selects:
            send(cursor, [ddl.create_view(definition, replace=True) for definition in selects])

    def _move_stand_ins(
        self,
        cursor: CatalogCursor,
        catalog: Catalog,
        names: Collection[ViewName],
        wanted: Mapping[ViewName, Sentence],
        gone_types: Collection[int],
    ) -> None:
        """Build stand-ins aside, and put them in the places of their views.

        A materialised view that reads one of them has to be put aside too.
        """
        relations, moved = dict(catalog.relations), set(names)
        pending = set(names)
        while pending:
            readers = {reader for name in pending for reader in relations[name].read_by} - moved
            found = self.read(readers)
            relations |= found
            pending = {n for n, view in found.items() if view.kind is not ViewKind.VIEW}
            moved |= pending
        known = replace(catalog, relations=relations)
        refuse(self.connection, self.definitions, known, moved)
        columns = read_stand_in_columns(cursor, [view.oid for view in relations.values()], gone_types)
        selects: dict[ViewName, str] = {}
        functions: list[str] = []
        for name in moved:
            view, own = relations[name], columns.get(relations[name].oid, [])
            selects[name] = without_rows(name, own)
            is_filled = view.kind is ViewKind.MATERIALISED_VIEW and view.populated
            if is_filled and self._is_ours(view):
                functions += create_rows_function(view, own, catalog.session.role)
                selects[name] = with_rows(view, own)
        if functions:
            send(cursor, functions)
        for name in moved:
            self._note(relations[name], wanted.get(name, says("it reads what is put aside")), is_moved=True)
        self._exchange(cursor, known, selects, columns)

    def _exchange(
        self,
        cursor: CatalogCursor,
        catalog: Catalog,
        selects: Mapping[ViewName, str],
        columns: Mapping[int, Collection[StandInColumn]],
    ) -> None:
        """Put relations with other SELECTs in the places of some views, and point plain readers at them."""
        relations = catalog.relations
        readers = (
            {r for name in selects for r in relations[name].read_by} - selects.keys() - self.views.keys()
        )
        passing = [relations[name] for name in sorted(readers) if name in relations]
        refuse(self.connection, self.definitions, catalog, [view.name for view in passing])
        self._replace_in_place(cursor, passing, columns)
        exchange(self.connection, cursor, self.definitions.database, catalog, selects)
        for view in passing:
            self._point_back(view)

    def _point_back(self, view: InstalledView) -> None:
        """Give a plain view its SELECT again; put it aside if that does not fit."""
        if (error := self._replaced(view)) is not None:
            self._note(view, says("what it reads has changed: %(why)s", why=primary_message(error)))

    def _replaced(self, view: InstalledView) -> DatabaseError | None:
        """Give a plain view its SELECT again, where it is; return the error if PostgreSQL refuses that."""
        definition = as_definition(self.definitions.database, view)
        try:
            with transaction.atomic(using=self.connection.alias), self._own_path() as cursor:
                cursor.execute(ddl.create_view(definition, replace=True))
        except DatabaseError as error:
            if not is_fault_of_view(error):
                raise
            return error
        return None

    def _bring_back(self, name: ViewName) -> None:
        saved = self.views[name]
        with as_sync_role(self.connection):
            error = self._brought_back(saved)
        if error is None:
            self.misfits.pop(name, None)
            del self.views[name]
        else:
            self.misfits[name] = why_not(error)

    def _brought_back(self, saved: PutAside) -> DatabaseError | None:
        with self._own_path() as cursor:
            is_in_place = not saved.is_moved and replaces_collations(cursor, saved.view.oid)
        if is_in_place:
            error = self._replaced(saved.view)
            if error is None or sqlstate(error) != _INVALID_DEFINITION:
                return error
        noted = dict(self.views)
        try:
            with transaction.atomic(using=self.connection.alias), self._own_path() as cursor:
                now = self._with_readers(saved.view)
                columns = read_stand_in_columns(cursor, [v.oid for v in now.relations.values()], ())
                definition = as_definition(self.definitions.database, saved.view)
                self._exchange(cursor, now, {saved.view.name: definition.sql}, columns)
        except DatabaseError as error:
            if not is_fault_of_view(error):
                raise
            self.views = noted
            return error
        return None

    def _with_readers(self, saved: InstalledView) -> Catalog:
        """Return the catalog of a stand-in, with the definition that its view had, and of its plain readers.

        Materialised views that read it are put aside first.
        """
        readers = self.read(self._read([saved.name]).relations[saved.name].read_by)
        stored = {n for n, view in readers.items() if view.kind is not ViewKind.VIEW}
        if stored:
            self.put(
                dict.fromkeys(
                    stored, says("it reads %(view)s, which comes back with other columns", view=saved.name)
                )
            )
        now = self._read([saved.name])
        was = replace(
            now.relations[saved.name],
            definition=saved.definition,
            options=saved.options,
            state=saved.state,
            populated=saved.populated,
        )
        return replace(now, relations={**self.read(was.read_by), saved.name: was})

    def read(self, names: Collection[ViewName]) -> Mapping[ViewName, InstalledView]:
        """Return views, or what is in their places, as they are now."""
        return self._read(names).relations if names else {}
