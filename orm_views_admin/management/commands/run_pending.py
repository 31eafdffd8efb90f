from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, router
from django.utils import timezone

from orm_views_admin.models import Run
from orm_views_admin.runs import perform, prune, reconcile
from orm_views_core.engines.postgresql.errors.diagnostics import sqlstate

_READ_ONLY = "25006"  # read_only_sql_transaction

logger = logging.getLogger("orm_views_admin")


class Command(BaseCommand):
    help = "Performs the refreshes, syncs and exports that staff have started and no process has begun."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than",
            type=float,
            default=5.0,
            metavar="SECONDS",
            help="Leave requests to their executor that were queued less than this long ago (default: 5).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._perform_pending(options)
        except DatabaseError as error:
            if sqlstate(error) != _READ_ONLY:
                raise
            raise CommandError(
                f"Database {router.db_for_write(Run)!r} cannot be written: it is a replica, or its "
                "transactions are read-only. Run this command where the primary is that database.",
                returncode=1,
            ) from error

    def _perform_pending(self, options: dict[str, Any]) -> None:
        before = timezone.now() - dt.timedelta(seconds=options["older_than"])
        active = list(Run.objects.filter(state__in=Run.ACTIVE).order_by("queued_at", "pk"))
        old = [run for run in active if run.queued_at <= before]
        # This queues the runs of a dead process again as of now. They are performed below all the same.
        reconcile(run for run in active if run.state == Run.State.RUNNING or run.claimed_at)
        for run in active:
            if not run.is_active:
                self._write(run)
        waiting = [run for run in old if run.state == Run.State.QUEUED and run.claimed_at is None]
        has_failed = False
        for request in dict.fromkeys(run.request for run in waiting):
            try:
                perform(request)
            except Exception:  # an error in the code of one view does not stop the other requests
                logger.exception("Request %s failed", request)
                has_failed = True
            for run in Run.objects.filter(request=request, pk__in=[run.pk for run in waiting]).order_by("pk"):
                self._write(run)
        if not waiting:
            self.stdout.write("There is nothing in the queue.")
        if count := prune():
            self.stdout.write(f"Deleted {count} old runs.")
        if has_failed:
            raise CommandError(
                "Not all requests could be performed. The runs and the log have the errors.", returncode=1
            )

    def _write(self, run: Run) -> None:
        style = self.style.ERROR if run.state in {Run.State.FAILED, Run.State.LOST} else self.style.SUCCESS
        took = "" if run.seconds is None else f" ({run.seconds:.3f}s)"
        target = run.view_name or f"all of database '{run.database}'"
        self.stdout.write(f"  {run.get_kind_display()} {target}... {style(run.get_state_display())}{took}")
        if run.error:
            self.stdout.write(f"    {run.error}")
