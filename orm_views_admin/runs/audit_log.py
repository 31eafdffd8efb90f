"""Entries in the log of Django's admin about what staff start and cancel."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import RegisteredView, Run

_LONGEST = 200  # the max_length of LogEntry.object_repr


def log(user: Any, run: Run, message: str) -> None:
    """Write an entry about the view that a run refreshes, or about the database that it syncs.

    Args:
        user: the user who started or cancelled the run.
        run: the run.
        message: what the user did, a sentence.
    """
    name = run.view_name
    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(RegisteredView),
        object_id=run.database if name is None else ViewAddress(run.database, name).key,
        object_repr=str(name or run.database)[:_LONGEST],
        action_flag=CHANGE,
        change_message=message,
    )
