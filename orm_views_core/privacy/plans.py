"""Judges a plan: what the views would show once it is carried out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import Catalog
from orm_views_core.definitions.definition import Definitions
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor, catalog_cursor
from orm_views_core.engines.postgresql.rules.catalog import read_stored
from orm_views_core.engines.postgresql.rules.readers import (
    Readers,
    read_default_readers,
    read_readers,
)
from orm_views_core.engines.postgresql.rules.stored import Stored
from orm_views_core.lineage.api import safe_functions
from orm_views_core.names import ViewName
from orm_views_core.plan.diff import Scope, grantee, wanted_readers
from orm_views_core.plan.steps import Action, Plan

from .judging import judge_stored
from .personal_columns import read_marked
from .telling import told_once


class PlanGuard:
    """Reads what a plan is judged by, and judges it.

    Args:
        connection: the database, in the transaction of the plan.
        definitions: the registered views.
        command_roles: further roles to grant SELECT to, named on the command line.

    Attributes:
        marked: the personal columns of the database.
    """

    def __init__(
        self, connection: BaseDatabaseWrapper, definitions: Definitions, command_roles: Collection[str]
    ) -> None:
        self.connection, self.definitions = connection, definitions
        self.granted = {
            name: frozenset(map(grantee, wanted_readers(definition, [*command_roles])))
            for name, definition in definitions.views.items()
        }
        self.schemas: Mapping[str, str] = {}
        self.staged: Mapping[ViewName, Readers] = {}
        self.stored: Stored | None = None
        with catalog_cursor(connection) as cursor:
            self.marked = read_marked(cursor)
            self.readers = read_readers(cursor) if self.marked.columns else {}

    def read_staged(self, cursor: CatalogCursor, schemas: Mapping[str, str]) -> None:
        """Read the rules of the views that others may read, now or by the plan, and of staged views.

        Args:
            cursor: sends the queries while the views are staged.
            schemas: the real schema of each staging schema.
        """
        found = read_readers(cursor) if schemas else {}
        staged = {name: readers for name, readers in found.items() if name.schema in schemas}
        self.staged = {ViewName(schemas[n.schema], n.name): readers for n, readers in staged.items()}
        readable = {name for name, readers in self.readers.items() if readers.is_anybody}
        readable |= {name for name, granted in self.granted.items() if granted}
        self.schemas, self.stored = schemas, read_stored(cursor, [*staged, *readable], safe_functions())

    def judge(self, plan: Plan, catalog: Catalog, scope: Scope) -> Plan:
        """Return the plan with what the guard has found added to its problems, warnings and notes.

        Args:
            plan: the plan.
            catalog: what the database contains.
            scope: what the plan looks at.
        """
        with catalog_cursor(self.connection) as cursor:
            if self.stored is None:
                self.read_staged(cursor, {})
            assert self.stored is not None
            defaults = read_default_readers(cursor)
            readers = {
                name: self._readers_after(name, scope, catalog.session.role, defaults)
                for name in self.definitions.views
            }
            dropped = {step.name for step in plan.steps if step.action is Action.DROP}
            findings = judge_stored(
                cursor,
                self.stored,
                self.schemas,
                self.marked.columns,
                self.definitions,
                {**self.readers, **readers},
                passed_over=dropped | (self.definitions.views.keys() - scope.looked_at),
            )
        return replace(
            plan,
            problems=(*plan.problems, *(each.sentence for each in told_once(findings.problems))),
            warnings=(
                *plan.warnings,
                *(each.sentence for each in (*self.marked.missing, *findings.warnings)),
            ),
            notes=(*plan.notes, *findings.notes),
        )

    def _readers_after(
        self, name: ViewName, scope: Scope, role: str, defaults: Iterable[tuple[str, str]]
    ) -> Readers:
        """Return who may read a registered view once the plan is carried out."""
        found = self.readers.get(name, Readers(role))
        found = replace(found, is_invoker=self.staged.get(name, found).is_invoker)
        difference = scope.differences.get(name)
        if difference is None:
            return found
        revoked = set(map(grantee, difference.revoke))
        granted = set(self.granted[name])
        if difference.missing:
            granted |= {reader for schema, reader in defaults if schema in ("", name.schema)}
        return replace(found, roles=found.roles - revoked | granted - {found.owner})
