"""Deleting old runs and accesses to rows, and old changes of views if a project wants that."""

from __future__ import annotations

import time

from orm_views_admin.conf import get_settings
from orm_views_admin.datetimes import ago
from orm_views_admin.files.kept import prune_files
from orm_views_admin.models import RowAccess, Run, ViewChange

_PAUSE = 3600.0  # seconds between two prunings by one process
_pruned: float | None = None


def prune() -> int:
    """Delete the runs that are older than ``ORM_VIEWS_ADMIN["KEEP_RUNS"]``; return how many were deleted.

    Accesses to rows of that age are deleted too. Active runs are kept. Changes of views outlive their runs:
    they are deleted when they are older than ``ORM_VIEWS_ADMIN["KEEP_CHANGES"]``. Files of exports are
    deleted after ``ORM_VIEWS_ADMIN["KEEP_EXPORTS"]``, and with their runs.
    """
    settings = get_settings()
    prune_files()
    if settings.KEEP_CHANGES and (oldest := ago(settings.KEEP_CHANGES)):
        ViewChange.objects.filter(at__lt=oldest).delete()
    if (oldest := ago(settings.KEEP_RUNS)) is None:
        return 0
    RowAccess.objects.filter(at__lt=oldest).delete()
    count, _ = Run.objects.filter(queued_at__lt=oldest).exclude(state__in=Run.ACTIVE).delete()
    return count


def prune_now_and_then() -> None:
    """Prune, unless this process has pruned within the last hour."""
    global _pruned
    if _pruned is None or time.monotonic() - _pruned > _PAUSE:
        prune()
        _pruned = time.monotonic()
