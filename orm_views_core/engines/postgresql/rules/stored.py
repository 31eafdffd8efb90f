"""What the lineage of views is found from, as it was read of the catalogs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from orm_views_core.names import ViewName

from .sources import Functions

#: PostgreSQL itself creates objects with the oids below. https://www.postgresql.org/docs/current/system-catalog-initial-data.html
FIRST_USER_OID = 16384

#: Relations of PostgreSQL that have values of other tables, by name.
OPAQUE_RELATIONS = frozenset(
    ViewName("pg_catalog", name) for name in ("pg_statistic", "pg_statistic_ext_data", "pg_largeobject")
)


class StoredRule(NamedTuple):
    """The rule of a view.

    Attributes:
        text: the node tree.
        reads: the oids of the relations that it reads; all of them, even if the tree cannot be read.
    """

    text: str
    reads: frozenset[int]


@dataclass(frozen=True)
class StoredRelation:
    """A relation that a view reads, or the view itself.

    Attributes:
        kind: pg_class.relkind.
        is_system: whether it is in a schema of PostgreSQL itself.
        root: the oid of the partitioned table that it is a partition of; None when it is none.
        columns: the names of its columns, by number.
        generated: the expressions of its generated columns as node trees, by number.
    """

    name: ViewName
    kind: str
    is_system: bool = False
    root: int | None = None
    columns: Mapping[int, str] = field(default_factory=dict)
    generated: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stored:
    """Everything that the lineage of some views is found from, by oid.

    Attributes:
        version: the major version of the server.
    """

    version: int
    rules: Mapping[int, StoredRule]
    relations: Mapping[int, StoredRelation]
    functions: Functions
