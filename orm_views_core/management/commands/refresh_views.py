from __future__ import annotations

import json
import sys
from argparse import BooleanOptionalAction
from collections.abc import Iterable, Sized
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.management.arguments import add_database_argument, add_views_argument
from orm_views_core.output.refreshes import (
    how_refreshed,
    planned_refresh_as_dict,
    refresh_as_dict,
    refresh_plan_lines,
    who_waits,
)
from orm_views_core.refresh.api import plan_refresh, refresh_views
from orm_views_core.refresh.planner import PlannedRefresh
from orm_views_core.refresh.results import RefreshResult, RefreshStart


class Command(BaseCommand):
    help = "Refreshes materialised views, each after those that it reads."

    def add_arguments(self, parser: CommandParser) -> None:
        add_views_argument(parser)
        parser.add_argument(
            "--due",
            action="store_true",
            help="Only those that have no rows yet, or rows older than refresh_every.",
        )
        parser.add_argument(
            "--downstream", action="store_true", help="Also those that read them, through plain views too."
        )
        parser.add_argument("--upstream", action="store_true", help="Also those that they read.")
        parser.add_argument(
            "--jobs", type=int, default=1, metavar="N", help="How many at once, each on its own connection."
        )
        parser.add_argument(
            "--fresh", action="store_true", help="Join no refresh that has begun before this command."
        )
        parser.add_argument(
            "--concurrently",
            action=BooleanOptionalAction,
            default=None,
            help="Insist on letting readers go on reading, or on not; by default, wherever it is possible.",
        )
        add_database_argument(parser, "Refresh in")
        parser.add_argument(
            "--plan", action="store_true", help="Show what would be refreshed, and how. Refresh nothing."
        )
        parser.add_argument(
            "--json", action="store_true", help="Print what came of it, or the plan, as JSON."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["jobs"] < 1:
            raise CommandError(f"--jobs is {options['jobs']}. Give a number from 1 on.")
        asked = {
            "views": options["views"] or None,
            "concurrently": options["concurrently"],
            "databases": [options["database"]] if options["database"] else None,
            **{name: options[name] for name in ("due", "downstream", "upstream")},
        }
        try:
            if options["plan"]:
                self._show(plan_refresh(**asked), options)
            else:
                self._refresh(asked, options)
        except OrmViewsError as error:
            raise CommandError(str(error), returncode=1) from error
        except KeyboardInterrupt as error:
            said = "Interrupted. What was being refreshed has its old rows."
            raise CommandError(said, returncode=130) from error

    def _show(self, planned: list[PlannedRefresh], options: dict[str, Any]) -> None:
        if options["json"]:
            self._dump(map(planned_refresh_as_dict, planned))
            return
        for line in refresh_plan_lines(planned):
            self.stdout.write(line)
        self._say_if_nothing(planned, options)

    def _refresh(self, asked: dict[str, Any], options: dict[str, Any]) -> None:
        quiet = options["json"] or options["verbosity"] == 0
        said = None if quiet else _Said(self, is_alone=options["jobs"] == 1, details=options["verbosity"] > 1)
        results: list[RefreshResult] = []

        def on_end(result: RefreshResult) -> None:
            results.append(result)
            if said:
                said.on_end(result)

        try:
            refresh_views(
                **asked,
                fresh=options["fresh"],
                jobs=options["jobs"],
                on_start=said.on_start if said else None,
                on_done=on_end,
                on_failed=on_end,
                on_wait=said.on_wait if said else None,
            )
        finally:
            if options["json"] and (results or not sys.exc_info()[0]):
                self._dump(map(refresh_as_dict, results))
        if not quiet:
            self._say_if_nothing(results, options)

    def _dump(self, facts: Iterable[dict[str, Any]]) -> None:
        self.stdout.write(json.dumps(list(facts), indent=2))

    def _say_if_nothing(self, found: Sized, options: dict[str, Any]) -> None:
        if not found:
            nothing = "No view is due." if options["due"] else "There is no materialised view to refresh."
            self.stdout.write(nothing)


class _Said:
    """What is printed meanwhile: a line for each view, two where several are refreshed at once."""

    def __init__(self, command: BaseCommand, *, is_alone: bool, details: bool) -> None:
        self.out, self.style = command.stdout, command.style
        self.is_alone, self.details = is_alone, details
        self.is_in_line = False

    def on_start(self, definition: ViewDefinition, concurrently: bool, why_not: str) -> None:
        self._end_line()
        self.out.write(
            f"  Refreshing {definition.name} ({who_waits(concurrently, why_not)})...",
            ending="" if self.is_alone else "\n",
        )
        self.out.flush()
        self.is_in_line = self.is_alone

    def on_wait(self, start: RefreshStart, what: str) -> None:
        self._end_line()
        self.out.write(self.style.WARNING(f"  {start.name} waits: {what}"))

    def on_end(self, result: RefreshResult) -> None:
        word, rest = how_refreshed(result, details=self.details)
        styled = self.style.SUCCESS(word) if result.ok else self.style.ERROR(word)
        self.out.write(f"{'' if self.is_in_line else f'  {result.name}:'} {styled}{rest}")
        self.is_in_line = False

    def _end_line(self) -> None:
        if self.is_in_line:
            self.out.write("")
        self.is_in_line = False
