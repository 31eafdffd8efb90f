"""What a relation is, without what is in it."""

from __future__ import annotations

import enum
from typing import NamedTuple


class RelationKind(enum.Enum):
    """What a relation is that has rows. The value is what people read."""

    TABLE = "table"
    PARTITIONED = "partitioned table"
    FOREIGN = "foreign table"
    VIEW = "view"
    MATERIALISED_VIEW = "materialised view"


class KnownRelation(NamedTuple):
    """A table or a view, without what is in it.

    Attributes:
        kind: what it is.
        is_found: whether its name without a schema leads to it, along the search path of the project.
    """

    kind: RelationKind
    is_found: bool
