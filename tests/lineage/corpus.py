"""The views of `truth/`, and the schemas that have them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.lineage import RelationColumn
from orm_views_core.names import ViewName, quote_identifier

from .notation import ALL, TrueView, read_file

_TRUTH = Path(__file__).parent / "truth"
SCHEMA = "truth"
TPCH = "tpch"
#: The files, in the order in which they are run.
SUBJECTS = (
    "tables",
    "columns",
    "aggregates",
    "grouping",
    "windows",
    "distinct",
    "joins",
    "lateral",
    "sublinks",
    "ctes",
    "recursion",
    "sets",
    "values",
    "rows",
    "types",
    "json",
    "xml",
    "functions",
    "user_functions",
    "relations",
    "names",
    "changes",
    TPCH,
)
_COLUMNS = """
SELECT n.nspname, c.relname, a.attname
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
ORDER BY a.attrelid, a.attnum
"""


class Subject(NamedTuple):
    """One file."""

    name: str
    schema: str
    first: str
    views: list[TrueView]


def subjects(version: int, *, libxml: bool = True) -> list[Subject]:
    """Return the files, with those of their views that a major version of PostgreSQL can create."""
    found = []
    for name in SUBJECTS:
        schema = TPCH if name == TPCH else SCHEMA
        first, views = read_file((_TRUTH / f"{name}.sql").read_text(), schema)
        can = [view for view in views if view.since <= version and (libxml or not view.needs_libxml)]
        found.append(Subject(name, schema, first, can))
    return found


def create(connection: BaseDatabaseWrapper, found: list[Subject]) -> None:
    """Create everything in a transaction that the caller takes back."""
    with connection.cursor() as cursor:
        for schema in dict.fromkeys(subject.schema for subject in found):
            cursor.execute(f"CREATE SCHEMA {quote_identifier(schema)}")
        for subject in found:
            cursor.execute(f"SET LOCAL search_path = {quote_identifier(subject.schema)}")
            for statements in filter(None, [subject.first, *(view.statements for view in subject.views)]):
                cursor.execute(statements)
        cursor.execute("SET LOCAL search_path = DEFAULT")


def columns_of_relations(connection: BaseDatabaseWrapper) -> dict[ViewName, list[str]]:
    """Return the columns that each relation has, in their order."""
    columns: dict[ViewName, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        for schema, relation, column in cursor.fetchall():
            columns.setdefault(ViewName(schema, relation), []).append(column)
    return columns


def expander(
    columns: dict[ViewName, list[str]],
) -> Callable[[frozenset[RelationColumn]], frozenset[RelationColumn]]:
    """Return a function that puts all columns of a relation in the place of ``ALL``.

    It refuses a column that is in no relation, which would be a slip in the truth.
    """

    def expand(written: frozenset[RelationColumn]) -> frozenset[RelationColumn]:
        found = set()
        for each in written:
            there = columns[each.relation]
            named = there if each.column == ALL else [each.column]
            assert set(named) <= set(there), f"There is no column {each}."
            found.update(RelationColumn(each.relation, name) for name in named)
        return frozenset(found)

    return expand
