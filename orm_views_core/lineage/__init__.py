"""What the columns of views are made of. Nothing here is imported by a sync that has no personal columns."""

from orm_views_core.database.lineage import ColumnLineage, Lineage, RelationColumn, ViewLineage

from .api import read_lineage

__all__ = ["ColumnLineage", "Lineage", "RelationColumn", "ViewLineage", "read_lineage"]
