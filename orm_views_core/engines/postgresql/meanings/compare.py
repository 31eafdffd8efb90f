"""What the columns and the rows of views mean, so that two versions of a view can be compared. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from orm_views_core.engines.postgresql.rules.node_kinds import Unknown
from orm_views_core.engines.postgresql.rules.nodes import Malformed, parse
from orm_views_core.engines.postgresql.rules.selects import select_node
from orm_views_core.engines.postgresql.rules.stored import Stored
from orm_views_core.names import ViewName

from .query import QueryDigests

_LOCATION = re.compile(r":(?:location|stmt_location|stmt_len|list_start|list_end) -?\d+")
_RELATION = re.compile(r"(:(?:relid|resorigtbl) )(\d+)")


@dataclass(frozen=True)
class Meaning:
    """What a view means, as digests. They are equal where two versions of a view mean the same.

    Attributes:
        columns: the digest of each output column, by name.
        rows: that of what decides which rows it has, and in which order.
    """

    columns: Mapping[str, str]
    rows: str


@dataclass(frozen=True)
class Difference:
    """What means something else in another version of a view.

    Attributes:
        columns: the columns that both versions have and that mean something else.
        rows: whether other rows, or rows in another order, may be in it.
        is_exact: whether both versions could be read to the end. If not, everything may mean something else.
    """

    columns: tuple[str, ...] = ()
    rows: bool = False
    is_exact: bool = True

    def __bool__(self) -> bool:
        return bool(self.columns or self.rows)


def read_meaning(stored: Stored, oid: int, schemas: Mapping[str, str]) -> Meaning | None:
    """Return what a view means; None when its SELECT cannot be read to the end.

    Args:
        stored: what was read of the catalogs.
        oid: that of the view.
        schemas: the real schema of each staging schema. A view there counts as the one in the real schema.
    """

    def name_of(relation: int) -> str:
        found = stored.relations.get(relation)
        if found is None:
            return f"relation {relation}"
        return ViewName(schemas.get(found.name.schema, found.name.schema), found.name.name).quoted

    def columns_of(relation: int) -> Mapping[int, str]:
        found = stored.relations.get(relation)
        return found.columns if found else {}

    columns = stored.relations[oid].columns
    try:
        tree = select_node(parse(stored.rules[oid].text, whole=True))
        query = QueryDigests(tree, name_of, columns_of)
        by_name = {columns[n]: digest for n, digest in zip(sorted(columns), query.columns, strict=True)}
        return Meaning(by_name, query.rows)
    except (Unknown, Malformed, RecursionError, ValueError):
        return None


def compare(stored: Stored, schemas: Mapping[str, str]) -> dict[ViewName, Difference]:
    """Return what means something else in the staged versions of views, by their names.

    A view without a version in both places is left out.

    Args:
        stored: what was read of the catalogs while the views were staged.
        schemas: the real schema of each staging schema.
    """
    oids = {stored.relations[oid].name: oid for oid in stored.rules}
    versions = {}
    for staged, oid in oids.items():
        real = ViewName(schemas.get(staged.schema, ""), staged.name)
        if real in oids:
            versions[oid] = oids[real]
    columns = {oid: stored.relations[oid].columns for pair in versions.items() for oid in pair}
    places = {str(new): str(old) for new, old in versions.items() if columns[new] == columns[old]}
    found = {}
    for new, old in versions.items():
        difference = Difference()
        if not _is_alike(stored.rules[old].text, stored.rules[new].text, places):
            before, after = (read_meaning(stored, oid, schemas) for oid in (old, new))
            kept = {*columns[old].values()}
            both = [column for _, column in sorted(columns[new].items()) if column in kept]
            difference = _difference(before, after, both)
        found[stored.relations[old].name] = difference
    return found


def _is_alike(before: str, after: str, places: Mapping[str, str]) -> bool:
    """Return whether two rules are the same text, but for where something is written and is read.

    That is so for most views that are built anew without a change, and much faster than reading both.

    Args:
        before: the rule of the version in the real schema.
        after: that of the staged one.
        places: the oids of the real versions of staged views that have the same columns, by theirs.
    """

    def plain(text: str) -> str:
        text = _LOCATION.sub("", text)
        return _RELATION.sub(lambda match: match[1] + places.get(match[2], match[2]), text)

    return plain(before) == plain(after)


def _difference(before: Meaning | None, after: Meaning | None, both: list[str]) -> Difference:
    if before is None or after is None:
        return Difference(tuple(both), rows=True, is_exact=False)
    changed = tuple(column for column in both if before.columns[column] != after.columns[column])
    return Difference(changed, before.rows != after.rows)
