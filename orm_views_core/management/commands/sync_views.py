from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orm_views_core.callers import called_by_command
from orm_views_core.engines.connections import view_databases
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.management.arguments import add_database_argument, add_grant_argument, add_views_argument
from orm_views_core.management.comparing import (
    add_compare_arguments,
    compare_plans,
    compared_as_dict,
    compared_lines,
    refuse_alone,
)
from orm_views_core.management.interruption import interruptible
from orm_views_core.management.printing import StepPrinter
from orm_views_core.output.plans import plan_as_dict, plan_lines, summary
from orm_views_core.plan.steps import Plan
from orm_views_core.spelling import spelling_on
from orm_views_core.sync.api import plan_views, sync_views

_MODES = {
    "--plan": "Show what would be done and why, with its SQL at -v 2. Change nothing.",
    "--check": "Exit with 1 if anything but sync states would be written. Change nothing.",
}
_FLAGS = {
    "--force": "Replace or rebuild every view although nothing differs.",
    "--allow-drop-all": "Drop every view of a database for which no view is registered any more.",
    "--drop-dependents": "Drop views of others that read ours and do not fit them any more.",
    "--json": "Print the plan, or what was done, as JSON.",
}


def _commits_each_view(alias: str) -> bool:
    return not spelling_on(alias).abilities.atomic


def _what_became_of(plan: Plan) -> str:
    """Return what became of a plan that was not carried out to its end."""
    if _commits_each_view(plan.database):
        return "stopped here: what was done before stays done"
    return "rolled back"


def _what_is_left(databases: Sequence[str] | None) -> str:
    """Return what an interrupted sync has left behind, a sentence."""
    aliases = view_databases() if databases is None else databases
    if names := ", ".join(repr(alias) for alias in aliases if _commits_each_view(alias)):
        return (
            f"In database {names} what was done before stays done, and the next sync does the rest. Any "
            "other database that was being worked on is as before."
        )
    return "The database that was being worked on is as before."


class Command(BaseCommand):
    help = "Makes the databases match the registered views, touching only what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        add_views_argument(parser)
        mode = parser.add_mutually_exclusive_group()
        for flag, text in _MODES.items():
            mode.add_argument(flag, action="store_true", help=text)
        add_database_argument(parser, "Sync")
        for flag, text in _FLAGS.items():
            parser.add_argument(flag, action="store_true", help=text)
        add_grant_argument(parser)
        add_compare_arguments(parser)

    @called_by_command()
    def handle(self, *args: Any, **options: Any) -> None:
        arguments = {
            "views": options["views"] or None,
            "databases": [options["database"]] if options["database"] else None,
            "grant_select_permissions_to_user": options["grant_select_to"],
            **{name: options[name] for name in ("force", "allow_drop_all", "drop_dependents")},
        }
        refuse_alone(options)
        try:
            with interruptible(_what_is_left(arguments["databases"])):
                if options["plan"] or options["check"]:
                    self._plan(plan_views(**arguments), options)
                else:
                    self._sync(arguments, options)
        except OrmViewsError as error:
            raise CommandError(str(error)) from error

    def _plan(self, plans: list[Plan], options: dict[str, Any]) -> None:
        compared = compare_plans(plans, options)
        if options["json"]:
            found = [{**plan_as_dict(plan), **compared_as_dict(compared, plan)} for plan in plans]
            self.stdout.write(json.dumps(found, indent=2))
        else:
            for plan in plans:
                is_long = options["verbosity"] > 1
                lines = plan_lines(plan, with_sql=is_long), compared_lines(compared, plan, every=is_long)
                for line in chain(*lines):
                    self.stdout.write(self._styled(line))
        if not options["check"]:
            return
        pending = [plan.database for plan in plans if not plan.is_empty and not plan.only_records]
        if pending:
            names = ", ".join(map(repr, pending))
            blocked = any(plan.problems for plan in plans)
            todo = "See above what is in the way." if blocked else "Run sync_views."
            raise CommandError(f"Views are out of step in database {names}. {todo}", returncode=1)
        if recorded := ", ".join(repr(plan.database) for plan in plans if plan.only_records):
            (self.stderr if options["json"] else self.stdout).write(
                f"Only sync states would be written in database {recorded}, by sync_views. The views are as "
                "their classes say."
            )

    def _styled(self, line: str) -> str:
        if not line.startswith("  "):
            return self.style.MIGRATE_HEADING(line)
        if line.startswith("     "):
            return line
        styles = {"+": "SUCCESS", "~": "WARNING", "±": "WARNING", "-": "ERROR", "!": "ERROR", "W": "WARNING"}
        style = styles.get(line.strip()[:1])
        return getattr(self.style, style)(line) if style else line

    def _sync(self, arguments: dict[str, Any], options: dict[str, Any]) -> None:
        quiet = options["json"] or options["verbosity"] == 0
        printer = StepPrinter(self)
        events: dict[str, Any] = {} if quiet else {"on_plan": printer.on_plan, "progress": printer.progress()}
        try:
            results = sync_views(**arguments, **events)
        except (OrmViewsError, KeyboardInterrupt):
            if printer.plan:
                self.stdout.write(self.style.ERROR(f"  {_what_became_of(printer.plan)}"))
            raise
        if options["json"]:
            done = [{**plan_as_dict(r.plan), "seconds": round(r.seconds, 3)} for r in results]
            self.stdout.write(json.dumps(done, indent=2))
            return
        if not quiet:
            for result in results:
                self.stdout.write(f"  {summary(result.plan)} ({result.seconds:.3f}s)")
        # The last line of the predecessor's command, which pipelines may look for.
        self.stdout.write("Successfully sync'd all views using orm_views_core")
