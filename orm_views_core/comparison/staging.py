"""Stages both sides of a comparison as plain views. Only what is trusted may be read afterwards.

CREATE VIEW locks what it reads as a reader does, and nobody sees the new view before a commit, which never
comes. The staging schemas differ, so that each side reads its own versions.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from django.db import DatabaseError, transaction
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.staging import staging_schemas
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.catalog.fetch import array, fetch
from orm_views_core.engines.postgresql.catalog.reach import read_untrusted
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor, catalog_path
from orm_views_core.engines.postgresql.errors.diagnostics import is_lock_timeout
from orm_views_core.engines.postgresql.errors.refusals import is_fault_of_view
from orm_views_core.engines.postgresql.locking.locks import limit_lock_waits
from orm_views_core.engines.postgresql.staging import create_staging, staged_first
from orm_views_core.engines.postgresql.untrusted import distrusted
from orm_views_core.graph import closure
from orm_views_core.names import ViewName
from orm_views_core.sentences import NOTHING, Sentence, says
from orm_views_core.sql.references import move_references

from .errors import why_failed

_READS = """
SELECT DISTINCT n.nspname, c.relname, c.oid, rn.nspname, rc.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid
LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> c.oid
LEFT JOIN pg_catalog.pg_class rc ON rc.oid = d.refobjid
LEFT JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace
WHERE n.nspname = ANY(%(schemas)s::name[]) AND c.relkind = 'v'
"""


@dataclass
class Staged:
    """The staged views of one side.

    Attributes:
        schemas: the staging schema of each schema.
        views: their definitions.
        missing: the views that should be staged too, and cannot be.
        reads: the staged views that each of them reads.
        why_not: why some views are not read, in words.
    """

    schemas: Mapping[str, str]
    views: Sequence[ViewDefinition]
    missing: Collection[ViewName] = ()
    reads: dict[ViewName, set[ViewName]] = field(default_factory=dict)
    why_not: dict[ViewName, Sentence] = field(default_factory=dict)

    @property
    def names(self) -> list[ViewName]:
        """The views, by their real names."""
        return [view.name for view in self.views]

    def at(self, name: ViewName) -> ViewName:
        """Return where a view is staged."""
        return ViewName(self.schemas[name.schema], name.name)

    def why_not_read(self, name: ViewName) -> Sentence:
        """Return why a view is not read, or one that it reads; "" if all may be."""
        below = sorted(closure(self.reads, [name]) - {name})
        return next((self.why_not[each] for each in [name, *below] if each in self.why_not), NOTHING)


def stage(
    cursor: CursorWrapper, views: Sequence[ViewDefinition], search_path: Collection[str], side: str
) -> Staged:
    """Create views in staging schemas.

    Args:
        cursor: in the transaction that is rolled back.
        views: the definitions of plain views, each after those that it reads.
        search_path: the schemas in which unqualified names are looked up.
        side: a letter that is in the names of the schemas.
    """
    schemas = staging_schemas((view.name.schema for view in views), f"_{side}{secrets.token_hex(4)}")
    staged = Staged(schemas, views)
    create_staging(cursor, schemas)
    moves = {view.name: schemas[view.name.schema] for view in views}
    with staged_first(cursor, schemas, search_path):
        for view in views:
            path = catalog_path(cursor) if view.is_canonical else nullcontext()
            sql = ddl.create_view(view, at=staged.at(view.name), sql=move_references(view.sql, moves))
            try:
                with transaction.atomic(using=cursor.db.alias), path:
                    cursor.execute(sql)
            except DatabaseError as error:
                if not is_fault_of_view(error) and not is_lock_timeout(error):
                    raise
                if is_lock_timeout(error):
                    # Many views may read what is locked: the next ones do not wait for it again.
                    limit_lock_waits(cursor.db, 0)
                staged.why_not[view.name] = why_failed(
                    says("%(view)s cannot be tried", view=view.name), error
                )
    limit_lock_waits(cursor.db)
    return staged


def judge_staged(cursor: CatalogCursor, staged: Staged, trusted: Collection[int]) -> None:
    """Find the staged views that may not be read, or that do not read what is staged with them.

    Args:
        cursor: in the transaction in which they are staged.
        staged: the views; what they read, and why they are not read, is added to it.
        trusted: the oids of the roles that we trust.
    """
    real = {stage: schema for schema, stage in staged.schemas.items()}
    oids: dict[ViewName, int] = {}
    names, stuck = set(staged.names), dict[ViewName, ViewName]()
    for schema, name, oid, read_schema, read in fetch(cursor, _READS, {"schemas": array(real)}):
        view = ViewName(real[schema], name)
        oids[view] = oid
        source = ViewName(real.get(read_schema, read_schema), read)
        if read_schema in real or source in staged.missing:
            staged.reads.setdefault(view, set()).add(source)
        elif source in names:
            stuck[view] = source
    for definition in staged.views:
        declared = names.intersection(definition.declared_dependencies) - {definition.name}
        if hidden := declared - staged.reads.get(definition.name, set()):
            stuck.setdefault(definition.name, min(hidden))
    for view, source in stuck.items():
        text = says(
            "%(view)s reads %(source)s through a string or a function, which finds the version in the "
            "database only. So its rows cannot be compared.",
            view=view,
            source=source,
        )
        staged.why_not.setdefault(view, text)
    untrusted = read_untrusted(cursor, list(oids.values()), trusted)
    for view, oid in oids.items():
        if what := untrusted.get(oid):
            staged.why_not[view] = distrusted(view, what, is_itself=False)
