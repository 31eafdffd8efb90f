"""What the columns of views are made of. Nothing here is imported by a sync that has no personal columns."""

from orm_views_core.database.lineage import ColumnLineage, Lineage, RelationColumn, ViewLineage

from .answers import Answer, ask
from .api import read_lineage
from .asked import Asked
from .questions import Way, downstream, upstream, ways
from .search import Found, find_hanging

__all__ = [
    "Answer",
    "Asked",
    "ColumnLineage",
    "Found",
    "Lineage",
    "RelationColumn",
    "ViewLineage",
    "Way",
    "ask",
    "downstream",
    "find_hanging",
    "read_lineage",
    "upstream",
    "ways",
]
