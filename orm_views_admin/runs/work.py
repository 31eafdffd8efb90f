"""A refresh or a sync that core reports, and its run."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from orm_views_admin.models import Run, Target
from orm_views_admin.origins import Origin, find_origin


@dataclass(frozen=True)
class Work:
    """A refresh or a sync that core reports.

    Attributes:
        request: the id of the call of ``refresh_views()`` or ``sync_views()``.
        target: what is refreshed or synced.
        origin: who started it; it names the run when that was created before.
    """

    request: uuid.UUID
    target: Target
    origin: Origin = field(default_factory=find_origin)

    @property
    def runs(self) -> models.QuerySet[Run]:
        """The run of this work, if this process may write it."""
        if (pk := self.origin.runs.get(self.target)) is not None:
            return Run.objects.filter(pk=pk, claimed_at=self.origin.claimed_at)
        return Run.objects.filter(request=self.request, **self.target._asdict())

    @property
    def has_run(self) -> bool:
        """Whether this work has a run, which another process may have taken."""
        return self.target in self.origin.runs or self.runs.exists()

    def new_run(self, **facts: Any) -> Run:
        """Return a run that is not saved."""
        return Run(
            request=self.request,
            kind=Run.Kind.REFRESH if self.target.name else Run.Kind.SYNC,
            **self.target._asdict(),
            origin=self.origin.origin,
            user=self.origin.user,
            who=self.origin.who,
            **facts,
        )
