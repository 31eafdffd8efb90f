"""Deleting old runs."""

from __future__ import annotations

import time

from django.utils import timezone

from orm_views_admin.conf import get_settings
from orm_views_admin.models import Run

_PAUSE = 3600.0  # seconds between two prunings by one process
_pruned: float | None = None


def prune() -> int:
    """Delete the runs that are older than ``ORM_VIEWS_ADMIN["KEEP_RUNS"]``; return how many were deleted.

    Active runs are kept.
    """
    try:
        oldest = timezone.now() - get_settings().KEEP_RUNS
    except OverflowError:  # with timedelta.max, for example: no run is that old
        return 0
    count, _ = Run.objects.filter(queued_at__lt=oldest).exclude(state__in=Run.ACTIVE).delete()
    return count


def prune_now_and_then() -> None:
    """Prune, unless this process has pruned within the last hour."""
    global _pruned
    if _pruned is None or time.monotonic() - _pruned > _PAUSE:
        prune()
        _pruned = time.monotonic()
