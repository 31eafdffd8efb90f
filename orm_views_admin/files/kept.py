"""The files of exports in their storage: their names, and when they are deleted."""

from __future__ import annotations

import datetime as dt
import logging
from functools import partial
from typing import Any

from django.db import router, transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from orm_views_admin.conf import get_settings
from orm_views_admin.datetimes import ago
from orm_views_admin.models import Run

from .formats import suffix_of
from .storage import export_storage

logger = logging.getLogger("orm_views_admin")


def name_in_storage(run: Run) -> str:
    """Return the name of the file of an export. It is known before there is a file."""
    return f"{run.request.hex}.{suffix_of(run)}"


def is_kept(run: Run) -> bool:
    """Return whether the file of an export can still be downloaded."""
    if not run.file or run.state != Run.State.SUCCEEDED:
        return False
    oldest = oldest_kept()
    return oldest is None or run.finished_at is None or run.finished_at >= oldest


def oldest_kept() -> dt.datetime | None:
    """Return the end of the oldest exports whose files are kept; None if all are."""
    return ago(get_settings().KEEP_EXPORTS)


def delete_file(name: str) -> bool:
    """Delete a file if it is there; return False when the storage refuses, which is logged."""
    try:
        export_storage().delete(name)
    except Exception:
        logger.warning("The file %s of an export could not be deleted.", name, exc_info=True)
        return False
    return True


def delete_partial_file(run: Run) -> None:
    """Delete what a process that was killed has written of an export."""
    delete_file(name_in_storage(run))


def prune_files() -> int:
    """Delete the files that are older than ``ORM_VIEWS_ADMIN["KEEP_EXPORTS"]``; return how many they were."""
    oldest = oldest_kept()
    if oldest is None:
        return 0
    count = 0
    for run in Run.objects.filter(kind=Run.Kind.EXPORT, finished_at__lt=oldest).exclude(file=""):
        if delete_file(run.file):
            Run.objects.filter(pk=run.pk).update(file="")
            count += 1
    return count


@receiver(post_delete, sender=Run, dispatch_uid="orm_views_admin.delete_file")
def delete_with_run(instance: Run, **kwargs: Any) -> None:
    """Delete the file of a run that is deleted, once that is committed."""
    if instance.file:
        transaction.on_commit(
            partial(delete_file, instance.file), using=router.db_for_write(Run), robust=True
        )
