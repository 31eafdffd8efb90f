from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from orm_views_admin.models import Run
from orm_views_admin.runs import perform, prune, reconcile

logger = logging.getLogger("orm_views_admin")


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
        before = timezone.now() - dt.timedelta(seconds=options["older_than"])
        active = list(Run.objects.filter(state__in=Run.ACTIVE).order_by("queued_at", "pk"))
        old = [run for run in active if run.queued_at <= before]
        # That puts what a dead process had taken into the queue again as of now; it has waited all the same.
        reconcile(run for run in active if run.state == Run.State.RUNNING or run.claimed_at)
        for run in active:
            if not run.is_active:
                self._say(run)
        waiting = [run for run in old if run.state == Run.State.QUEUED and run.claimed_at is None]
        wrong = 0
        for request in dict.fromkeys(run.request for run in waiting):
            try:
                perform(request)
            except Exception:  # a mistake in somebody's code is no reason to leave the others undone
                logger.exception("Request %s failed", request)
                wrong += 1
            mine = [run.pk for run in waiting if run.request == request]
            for run in Run.objects.filter(pk__in=mine).order_by("pk"):
                self._say(run)
        if not waiting:
            self.stdout.write("There is nothing in the queue.")
        if count := prune():
            self.stdout.write(f"Deleted {count} old runs.")
        if wrong:
            raise CommandError("Not all could be carried out: the runs and the log say why.", returncode=1)

    def _say(self, run: Run) -> None:
        is_bad = run.state in {Run.State.FAILED, Run.State.LOST}
        style = self.style.ERROR if is_bad else self.style.SUCCESS
        took = "" if run.seconds is None else f" ({run.seconds:.3f}s)"
        what = run.view_name or f"all of database '{run.database}'"
        self.stdout.write(f"  {run.get_kind_display()} {what}... {style(run.get_state_display())}{took}")
        if run.error:
            self.stdout.write(f"    {run.error}")
