from __future__ import annotations

import json
import sys
from argparse import BooleanOptionalAction
from collections.abc import Iterable, Sized
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orm_views_core.callers import called_by_command
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.management.arguments import add_database_argument, add_views_argument
from orm_views_core.management.interruption import interruptible
from orm_views_core.output.refreshes import (
    how_refreshed,
    planned_refresh_as_dict,
    refresh_as_dict,
    refresh_plan_lines,
    who_waits,
)
from orm_views_core.refresh.api import plan_refresh, refresh_views
from orm_views_core.refresh.plain import why_nothing
from orm_views_core.refresh.results import RefreshResult, RefreshStart


class Command(BaseCommand):
    help = "Refreshes materialised views, each after those that it reads."
    # Every few minutes: the checks of other apps, and the URLs that they import, are for a deploy.
    requires_system_checks = ("orm_views",)

    def add_arguments(self, parser: CommandParser) -> None:
        add_flag = partial(parser.add_argument, action="store_true")
        add_views_argument(parser)
        add_flag("--due", help="Only those that have no rows yet, or rows older than refresh_every.")
        add_flag("--downstream", help="Also those that read them, through plain views too.")
        add_flag("--upstream", help="Also those that they read.")
        parser.add_argument(
            "--jobs", type=int, default=1, metavar="N", help="How many at once, each on its own connection."
        )
        add_flag("--fresh", help="Do not join a refresh that began before this command.")
        parser.add_argument(
            "--concurrently",
            action=BooleanOptionalAction,
            default=None,
            help="Insist on a concurrent refresh, or on none. By default it is concurrent where possible.",
        )
        add_database_argument(parser, "Refresh in")
        add_flag("--plan", help="Show what would be refreshed, and how. Refresh nothing.")
        add_flag("--json", help="Print the results, or the plan, as JSON.")

    @called_by_command()
    def handle(self, *args: Any, **options: Any) -> None:
        if options["jobs"] < 1:
            raise CommandError(f"--jobs is {options['jobs']}. Give a number from 1 on.")
        request = {
            "views": options["views"] or None,
            "concurrently": options["concurrently"],
            "databases": [options["database"]] if options["database"] else None,
            **{name: options[name] for name in ("due", "downstream", "upstream")},
        }
        try:
            with interruptible("The views that were being refreshed have their old rows."):
                if options["plan"]:
                    self._show_plan(request, options)
                else:
                    self._refresh(request, options)
        except OrmViewsError as error:
            raise CommandError(str(error), returncode=1) from error

    def _show_plan(self, request: dict[str, Any], options: dict[str, Any]) -> None:
        planned = plan_refresh(**request)
        if options["json"]:
            self._print_json(map(planned_refresh_as_dict, planned))
            return
        for line in refresh_plan_lines(planned):
            self.stdout.write(line)
        self._say_if_nothing(planned, request, options)

    def _refresh(self, request: dict[str, Any], options: dict[str, Any]) -> None:
        report = _Report(self, options)
        try:
            refresh_views(
                **request,
                fresh=options["fresh"],
                jobs=options["jobs"],
                on_start=report.on_start,
                on_done=report.on_end,
                on_failed=report.on_end,
                on_wait=report.on_wait,
            )
        finally:
            if options["json"] and (report.results or not sys.exc_info()[0]):
                self._print_json(map(refresh_as_dict, report.results))
        if not report.is_quiet:
            self._say_if_nothing(report.results, request, options)

    def _print_json(self, facts: Iterable[dict[str, Any]]) -> None:
        self.stdout.write(json.dumps(list(facts), indent=2))

    def _say_if_nothing(self, views: Sized, request: dict[str, Any], options: dict[str, Any]) -> None:
        if views:
            return
        nothing = "No view is due." if options["due"] else "There is no materialised view to refresh."
        lines = why_nothing(request["views"], request["databases"])
        self.stdout.write("\n".join(lines) or nothing)


class _Report:
    """Collects the results, and prints what happens meanwhile.

    With one job, the result of a view is printed on the line of its start. With several, each has a line.
    """

    def __init__(self, command: BaseCommand, options: dict[str, Any]) -> None:
        self.results: list[RefreshResult] = []
        self.is_quiet = options["json"] or options["verbosity"] == 0
        self._out, self._style = command.stdout, command.style
        self._shares_lines, self._details = options["jobs"] == 1, options["verbosity"] > 1
        self._is_in_line = False

    def on_start(self, definition: ViewDefinition, concurrently: bool, why_not: str) -> None:
        start = f"  Refreshing {definition.name} ({who_waits(concurrently, why_not)})..."
        self._print(start, ends_line=not self._shares_lines)

    def on_wait(self, start: RefreshStart, what: str) -> None:
        self._print(self._style.WARNING(f"  {start.name} waits: {what}"))

    def on_end(self, result: RefreshResult) -> None:
        self.results.append(result)
        word, rest = how_refreshed(result, details=self._details)
        text = f"{self._style.SUCCESS(word) if result.ok else self._style.ERROR(word)}{rest}"
        if self._is_in_line:
            self._is_in_line = False
            self._print(f" {text}")
        else:
            self._print(f"  {result.name}: {text}")

    def _print(self, text: str, *, ends_line: bool = True) -> None:
        if self.is_quiet:
            return
        self._out.write(f"\n{text}" if self._is_in_line else text, ending="\n" if ends_line else "")
        self._out.flush()
        self._is_in_line = not ends_line
