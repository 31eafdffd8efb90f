"""Paging without waiting for a count."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

from orm_views_core.engines.postgresql.rows import count_queryset


class EstimatingPaginator(Paginator):  # type: ignore[type-arg]
    """Counts exactly within ``ORM_VIEWS["COUNT_TIMEOUT"]``, and shows the planner's estimate after that.

    Attributes:
        is_exact: whether ``count`` is one; known once it has been asked for.
    """

    is_exact = True

    @cached_property
    def count(self) -> int:
        """The number of rows. An estimate is never so low that everything would seem to fit on one page."""
        if not isinstance(self.object_list, QuerySet):
            return len(self.object_list)
        found = count_queryset(self.object_list)
        rows, self.is_exact = found.rows or 0, found.exact
        return rows if found.exact else max(rows, self.per_page + 1)
