"""Django's own log of what staff have done, in which what they start and cancel is as well."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import RegisteredView, Run

_LONGEST = 200  # LogEntry.object_repr


def log(user: Any, run: Run, message: str) -> None:
    """Write an entry about a run's view, or about the database that it syncs.

    Args:
        user: who did it.
        run: what it is about.
        message: what was done, a sentence.
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
