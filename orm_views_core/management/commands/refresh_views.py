from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orm_views_core.definition import ViewDefinition
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.management.arguments import add_database_argument, add_views_argument
from orm_views_core.refresh import RefreshResult, refresh_views


class Command(BaseCommand):
    help = "Refreshes materialised views, each after those that it reads."

    def add_arguments(self, parser: CommandParser) -> None:
        add_views_argument(parser)
        parser.add_argument(
            "--concurrently",
            action=BooleanOptionalAction,
            default=None,
            help="Insist on letting readers go on reading, or on not; by default, wherever it is possible.",
        )
        add_database_argument(parser, "Refresh in")

    def handle(self, *args: Any, **options: Any) -> None:
        def on_start(definition: ViewDefinition, concurrently: bool, why_not: str) -> None:
            how = (
                "concurrently"
                if concurrently
                else f"readers wait: {why_not}"
                if why_not
                else "readers wait, as asked"
            )
            self.stdout.write(f"  Refreshing {definition.name} ({how})...", ending="")
            self.stdout.flush()

        def on_done(result: RefreshResult) -> None:
            self.stdout.write(self.style.SUCCESS(" OK") + f" ({result.seconds:.3f}s)")

        try:
            results = refresh_views(
                options["views"] or None,
                concurrently=options["concurrently"],
                databases=[options["database"]] if options["database"] else None,
                on_start=on_start,
                on_done=on_done,
            )
        except OrmViewsError as error:
            raise CommandError(str(error)) from error
        if not results:
            self.stdout.write("There is no materialised view to refresh.")
