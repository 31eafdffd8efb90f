from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orm_views_core.apply import StepResult
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.management.arguments import add_database_argument
from orm_views_core.plan import Plan, Step
from orm_views_core.report import plan_as_dict, plan_lines, summary
from orm_views_core.sync import plan_views, sync_views


class Command(BaseCommand):
    help = "Makes the databases match the registered views, touching only what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        mode = parser.add_mutually_exclusive_group()
        mode.add_argument(
            "--plan",
            action="store_true",
            help="Show what would be done and why, with its SQL at -v 2. Change nothing.",
        )
        mode.add_argument(
            "--check", action="store_true", help="Exit with 1 if anything would be done. Change nothing."
        )
        add_database_argument(parser, "Sync")
        parser.add_argument(
            "--force", action="store_true", help="Replace or rebuild every view although nothing differs."
        )
        parser.add_argument(
            "--allow-drop-all",
            action="store_true",
            help="Drop every view of a database for which no view is registered any more.",
        )
        parser.add_argument(
            "--grant-select-permissions-to-user",
            action="append",
            dest="grant_select_to",
            metavar="ROLE",
            help="Grant SELECT on all views that are not hidden to this role too. May be repeated.",
        )
        parser.add_argument("--json", action="store_true", help="Print the plan, or what was done, as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        databases = [options["database"]] if options["database"] else None
        asked = {
            "databases": databases,
            "grant_select_permissions_to_user": options["grant_select_to"],
            "force": options["force"],
            "allow_drop_all": options["allow_drop_all"],
        }
        try:
            if options["plan"] or options["check"]:
                self._plan(plan_views(**asked), options)
            else:
                self._sync(asked, options)
        except OrmViewsError as error:
            raise CommandError(str(error)) from error

    def _plan(self, plans: list[Plan], options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps([plan_as_dict(plan) for plan in plans], indent=2))
        else:
            for plan in plans:
                for line in plan_lines(plan, with_sql=options["verbosity"] > 1):
                    self.stdout.write(self._styled(line))
        pending = [plan for plan in plans if not plan.is_empty]
        if options["check"] and pending:
            names = ", ".join(repr(plan.database) for plan in pending)
            blocked = any(plan.problems for plan in plans)
            todo = "See above what is in the way." if blocked else "Run sync_views."
            raise CommandError(f"Views are out of step in database {names}. {todo}", returncode=1)

    def _styled(self, line: str) -> str:
        styles = {
            "+": self.style.SUCCESS,
            "~": self.style.WARNING,
            "±": self.style.WARNING,
            "-": self.style.ERROR,
            "!": self.style.ERROR,
        }
        style = styles.get(line.strip()[:1]) if line.startswith("  ") else self.style.MIGRATE_HEADING
        return style(line) if style and not line.startswith("     ") else line

    def _sync(self, asked: dict[str, Any], options: dict[str, Any]) -> None:
        quiet = options["json"] or options["verbosity"] == 0
        announced: set[str] = set()

        def on_plan(plan: Plan) -> None:
            if not quiet and plan.database not in announced:
                announced.add(plan.database)
                self.stdout.write(self.style.MIGRATE_HEADING(f"Syncing views in database '{plan.database}':"))
                if plan.is_empty:
                    self.stdout.write("  Nothing to do.")

        def on_step(step: Step) -> None:
            if not quiet:
                self.stdout.write(f"  {step.action.sign} {step.action.verb:<8} {step.target}...", ending="")
                self.stdout.flush()

        def on_done(result: StepResult) -> None:
            if not quiet:
                self.stdout.write(self.style.SUCCESS(" OK") + f" ({result.seconds:.3f}s)")

        def on_wait(message: str) -> None:
            if not quiet:
                self.stdout.write(self.style.WARNING(" waiting") + f" ({message}); all of it is tried again.")

        try:
            results = sync_views(**asked, on_plan=on_plan, on_step=on_step, on_done=on_done, on_wait=on_wait)
        except OrmViewsError:
            if announced:
                self.stdout.write(self.style.ERROR(" rolled back"))
            raise
        if options["json"]:
            done = [{**plan_as_dict(r.plan), "seconds": round(r.seconds, 3)} for r in results]
            self.stdout.write(json.dumps(done, indent=2))
            return
        if not quiet:
            for result in results:
                self.stdout.write(f"  {summary(result.plan)} ({result.seconds:.3f}s)")
        # The predecessor's last line, which pipelines look for.
        self.stdout.write("Successfully sync'd all views using orm_views_core")
