"""What the database has of the views that are in step with their classes, for checking the classes by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.relations import Column
from orm_views_core.database.sync_state import split_comment
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql.catalog.fetch import array, asked, fetch
from orm_views_core.engines.postgresql.catalog.introspection import canonical_names, read_columns
from orm_views_core.engines.postgresql.catalog.types import read_named_types
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sql.types import NamedType

_VIEWS = """
SELECT n.nspname, c.relname, c.oid, c.relispopulated, c.reltuples,
       pg_catalog.obj_description(c.oid, 'pg_class')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm')
  AND (n.nspname, c.relname) IN (SELECT * FROM unnest(%(schemas)s::text[], %(names)s::text[]))
"""

# The columns that PostgreSQL itself keeps unique.
_UNIQUE = """
SELECT i.indrelid, ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
                         WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey[:i.indnkeyatts - 1]))
FROM pg_catalog.pg_index i
WHERE i.indrelid = ANY(%(oids)s::oid[])
  AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
"""

# The question opens the view, so one that somebody holds exclusively would have to be waited for.
_WRITABLE = """
SELECT c.oid, pg_catalog.pg_relation_is_updatable(c.oid, true)
FROM pg_catalog.pg_class c
WHERE c.oid = ANY(%(oids)s::oid[]) AND c.oid NOT IN (
    SELECT relation FROM pg_catalog.pg_locks
    WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' AND granted AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
"""

#: What is refused, by its bit: two to the power of PostgreSQL's number for the command.
_COMMANDS = {"INSERT": 1 << 3, "UPDATE": 1 << 2, "DELETE": 1 << 4}


@dataclass(frozen=True)
class StepFacts:
    """A view that is installed as its class says, and what PostgreSQL knows of it.

    Attributes:
        populated: whether it can be read.
        rows: the planner's last count, for a materialised view that was analysed.
        unique: sets of columns that a unique index keeps unique, NULLs aside.
        refused: the commands that cannot be sent to it; None where that was not asked, or is not known.
    """

    definition: ViewDefinition
    columns: tuple[Column, ...]
    populated: bool = True
    rows: int | None = None
    unique: tuple[frozenset[str], ...] = ()
    refused: tuple[str, ...] | None = None
    named_types: Mapping[str, NamedType] = field(default_factory=dict)


def read_step_facts(
    connection: BaseDatabaseWrapper,
    definitions: Iterable[ViewDefinition],
    *,
    written: Collection[ViewName] = (),
    types: Iterable[str] = (),
) -> list[StepFacts]:
    """Read what is known of those views that the last sync left as their classes still say.

    The columns of any other are those of what its class was, or will be gone with the next sync.

    Args:
        connection: the database.
        definitions: the views.
        written: those of them to ask what can be written through.
        types: further types to look up, beside those of the columns.

    Returns:
        facts for each, in a number of queries that does not depend on that of the views.
    """
    by_name = {definition.name: definition for definition in definitions}
    if not by_name:
        return []
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor, canonical_names(cursor):
        found = {}
        for schema, name, oid, populated, tuples, comment in fetch(cursor, _VIEWS, asked(list(by_name))):
            definition, (_, state) = by_name[ViewName(schema, name)], split_comment(comment)
            if state is not None and state.code == definition.fingerprint:
                found[oid] = definition, populated, tuples
        columns = read_columns(cursor, list(found))
        texts = {column.type for several in columns.values() for column in several}
        named = read_named_types(cursor, [*texts, *types])
        unique: defaultdict[int, list[frozenset[str]]] = defaultdict(list)
        for oid, names in fetch(cursor, _UNIQUE, {"oids": array(found)}):
            unique[oid].append(frozenset(names))
        refused = _refused(
            cursor, [oid for oid, (definition, *_) in found.items() if definition.name in written]
        )
    return [
        StepFacts(
            definition,
            tuple(columns.get(oid, ())),
            populated,
            int(tuples) if definition.kind is ViewKind.MATERIALISED_VIEW and tuples >= 0 else None,
            tuple(unique[oid]),
            refused.get(oid),
            named,
        )
        for oid, (definition, populated, tuples) in found.items()
    ]


def _refused(cursor: CursorWrapper, oids: Collection[int]) -> dict[int, tuple[str, ...]]:
    if not oids:
        return {}
    rows = fetch(cursor, _WRITABLE, {"oids": array(oids)})
    return {oid: tuple(word for word, bit in _COMMANDS.items() if not bits & bit) for oid, bits in rows}
