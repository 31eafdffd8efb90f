"""How long a run may take where the database does not tell whether anybody works on it.

A run that is taken for lost too early gets its result after all, when it ends.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Max
from django.utils import timezone

from orm_views_admin.models import Run
from orm_views_core.conf import get_settings

#: Each run may take so much longer than the longest one, and so many times as long.
_ALLOWANCE, _FACTOR = dt.timedelta(seconds=60), 3


def is_silent(run: Run) -> bool:
    """Return whether a running run has taken so long that its process must have died.

    It may wait for LOCK_WAIT, and for SYNC_WAIT if it has said that it waits. Then it may take three times as
    long as the longest run of its kind there.
    """
    settings = get_settings()
    alike = Run.objects.filter(database=run.database, kind=run.kind, state=Run.State.SUCCEEDED)
    longest = alike.aggregate(longest=Max("seconds"))["longest"] or 0.0
    wait = settings.LOCK_WAIT + (settings.SYNC_WAIT if run.waiting_for else 0.0)
    since = run.started_at or run.claimed_at or run.queued_at
    return timezone.now() - since > _ALLOWANCE + dt.timedelta(seconds=wait + _FACTOR * longest)
