"""A paginator that does not wait for a slow count."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

from orm_views_core.engines.rows import count_queryset
from orm_views_core.views.readable import is_readable


class EstimatingPaginator(Paginator):  # type: ignore[type-arg]
    """Counts the rows; if that takes longer than ``ORM_VIEWS["COUNT_TIMEOUT"]``, uses the planner's estimate.

    Attributes:
        is_exact: whether ``count`` is exact. It is set when ``count`` is read.
    """

    is_exact = True

    @cached_property
    def count(self) -> int:
        """The number of rows. An estimate is always more than a page, so that there is a link to the next."""
        if not isinstance(self.object_list, QuerySet):
            return len(self.object_list)
        if not is_readable(self.object_list.model):  # the log of a row
            return self.object_list.count()
        counted = count_queryset(self.object_list)
        rows, self.is_exact = counted.rows or 0, counted.exact
        return rows if counted.exact else max(rows, self.per_page + 1)
