"""Which columns may identify the rows of a view. Whether they do, the comparison itself finds out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql.catalog.fetch import fetch
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor
from orm_views_core.names import ViewName
from orm_views_core.views.base import PostgresMaterialisedViewMixin
from orm_views_core.views.readable import is_readable

from .columns import Pair, in_both

#: So many columns are tried as a key at most, if nothing declares one.
_GUESSES = 3
#: So many rows of the new definition are looked at, before a guess is tried.
_LOOKED_AT = 10_000

# Unique indexes of a relation and of what it reads, those of the relation first, and primary keys first.
_UNIQUE = """
WITH RECURSIVE read AS (
    SELECT pg_catalog.to_regclass(%(name)s)::oid AS oid, 0 AS depth
    UNION
    SELECT d.refobjid, read.depth + 1
    FROM read
    JOIN pg_catalog.pg_rewrite r ON r.ev_class = read.oid
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
                               AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> read.oid
    WHERE read.depth < 10
)
SELECT found.depth = 0,
       ARRAY(SELECT a.attname::text
             FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k (number, place)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
             ORDER BY k.place)
FROM (SELECT oid, min(depth) AS depth FROM read GROUP BY oid) AS found
JOIN pg_catalog.pg_index i ON i.indrelid = found.oid
WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY found.depth, NOT i.indisprimary, i.indnkeyatts, i.indexrelid
"""


class Candidate(NamedTuple):
    """Columns that may identify a row.

    Attributes:
        is_declared: whether somebody says that they do; else they are guessed.
    """

    columns: tuple[str, ...]
    is_declared: bool


def find_candidates(
    cursor: CatalogCursor,
    definition: ViewDefinition | None,
    installed: ViewName | None,
    new: ViewName,
    pairs: Sequence[Pair],
) -> list[Candidate]:
    """Return the columns that may be the key of a view, best first.

    Args:
        cursor: in the transaction in which it is staged.
        definition: what its class declares.
        installed: the view in its place, whose unique indexes are looked at; None if there is none.
        new: where the new definition is staged.
        pairs: its columns.
    """
    usable = [pair.column.name for pair in in_both(pairs) if pair.can_be_key]
    declared = list(_declared(definition)) if definition else []
    guessed: list[tuple[str, ...]] = []
    for name in (installed, new):
        rows = fetch(cursor, _UNIQUE, {"name": name.quoted}) if name else []
        declared += [tuple(columns) for is_own, columns in rows if is_own]
        guessed += [tuple(columns) for is_own, columns in rows if not is_own]
    # The first column of a view is often its key.
    guessed += [("id",), tuple(usable[:1]), tuple(usable[:2])]
    found = [Candidate(columns, True) for columns in _fitting(declared, usable)]
    others = [c for c in _fitting(guessed, usable) if all(set(c) != set(f.columns) for f in found)]
    return [*found, *(Candidate(columns, False) for columns in others[:_GUESSES])]


def _declared(definition: ViewDefinition) -> Iterator[tuple[str, ...]]:
    view = definition.view
    if view is None:
        return
    if issubclass(view, PostgresMaterialisedViewMixin):
        yield tuple(view._view_pk_columns())
    if is_readable(view):
        yield tuple(field.column for field in view._meta.pk_fields)  # type: ignore[attr-defined]


def _fitting(candidates: Iterable[tuple[str, ...]], usable: Collection[str]) -> list[tuple[str, ...]]:
    return list(dict.fromkeys(c for c in candidates if c and set(c) <= set(usable)))


def look_statement(new: ViewName, pairs: Mapping[str, Pair], candidates: Sequence[Candidate]) -> str:
    """Return the statement that counts some rows, and then the different keys among them by candidate."""
    used = list(dict.fromkeys(column for each in candidates for column in each.columns))
    selected = ", ".join(f"{pairs[column].new} AS {pairs[column].alias}" for column in used)
    counts = []
    for each in candidates:
        keys = ", ".join(pairs[column].alias for column in each.columns)
        there = " AND ".join(f"{pairs[column].alias} IS NOT NULL" for column in each.columns)
        counts.append(
            f"(SELECT pg_catalog.count(*) FROM (SELECT DISTINCT {keys} FROM looked_at WHERE {there}) AS keys)"
        )
    return (
        f"WITH looked_at AS MATERIALIZED (SELECT {selected} FROM {new.quoted} LIMIT {_LOOKED_AT})"
        f" SELECT (SELECT pg_catalog.count(*) FROM looked_at), {', '.join(counts)}"
    )
