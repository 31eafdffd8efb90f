from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from orm_views_admin.models import Run
from orm_views_admin.runs import perform, prune, reconcile


class Command(BaseCommand):
    help = "Carries out the refreshes and syncs that staff have started and nobody has begun."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than",
            type=float,
            default=5.0,
            metavar="SECONDS",
            help="Leave to their executor what has been in the queue for less time than this (default: 5).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        active = list(Run.objects.filter(state__in=Run.ACTIVE))
        reconcile(active)
        for run in active:
            if not run.is_active:
                self._say(run)
        before = timezone.now() - dt.timedelta(seconds=options["older_than"])
        waiting = Run.objects.filter(state=Run.State.QUEUED, claimed_at=None, queued_at__lte=before)
        requests = dict.fromkeys(waiting.order_by("queued_at", "pk").values_list("request", flat=True))
        for request in requests:
            mine = list(waiting.filter(request=request).values_list("pk", flat=True))
            perform(request)
            for run in Run.objects.filter(pk__in=mine).order_by("pk"):
                self._say(run)
        if not requests:
            self.stdout.write("There is nothing in the queue.")
        if count := prune():
            self.stdout.write(f"Deleted {count} old runs.")

    def _say(self, run: Run) -> None:
        is_bad = run.state in {Run.State.FAILED, Run.State.LOST}
        style = self.style.ERROR if is_bad else self.style.SUCCESS
        took = "" if run.seconds is None else f" ({run.seconds:.3f}s)"
        what = run.view_name or f"all of database '{run.database}'"
        self.stdout.write(f"  {run.get_kind_display()} {what}... {style(run.get_state_display())}{took}")
        if run.error:
            self.stdout.write(f"    {run.error}")
