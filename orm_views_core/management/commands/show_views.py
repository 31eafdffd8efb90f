from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orm_views_core.definitions.lookup import is_called
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.management.arguments import add_database_argument, add_views_argument
from orm_views_core.output.openmetrics import openmetrics
from orm_views_core.output.refreshes import stale_views
from orm_views_core.output.statuses import status_as_dict, status_matches, status_table
from orm_views_core.status import DatabaseStatus, get_statuses


class Command(BaseCommand):
    help = "Shows the state of every view: synced, changed, drifted, missing, ..."
    # The checks of other apps, and the URLs that they import, are for a deploy.
    requires_system_checks = ("orm_views",)

    def add_arguments(self, parser: CommandParser) -> None:
        add_views_argument(parser)
        add_database_argument(parser, "Show")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="Print the statuses as JSON.")
        form.add_argument(
            "--openmetrics", action="store_true", help="Print age, duration, rows and state for Prometheus."
        )
        parser.add_argument(
            "--check-freshness", action="store_true", help="Exit with 1 if a view is older than promised."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            statuses = get_statuses([options["database"]] if options["database"] else None)
        except OrmViewsError as error:
            raise CommandError(str(error)) from error
        for text in options["views"]:
            named = [_only(database, [text]) for database in statuses]
            if not any(database.views or database.skipped for database in named):
                raise CommandError(f"No view is called {text!r}. show_views lists all views.")
        shown = [_only(database, options["views"]) for database in statuses]
        if options["json"]:
            self.stdout.write(json.dumps([status_as_dict(database) for database in shown], indent=2))
        elif options["openmetrics"]:
            self.stdout.write("\n".join(openmetrics(shown)))
        else:
            for database in shown:
                self.stdout.write(self.style.MIGRATE_HEADING(database.database))
                for state, line in status_table(database):
                    style = state.style if state else ""
                    self.stdout.write(getattr(self.style, style)(line) if style else line)
        if failed := [database for database in shown if database.error]:
            raise CommandError("\n".join(str(database.error) for database in failed))
        if options["check_freshness"] and (stale := stale_views(shown)):
            raise CommandError(f"Stale: {', '.join(stale)}. Run refresh_views --due.", returncode=1)


def _only(database: DatabaseStatus, wanted: list[str]) -> DatabaseStatus:
    """Return a status with the wanted views only; with all of them when none is wanted."""
    if not wanted:
        return database
    views = [view for view in database.views if any(status_matches(view, text) for text in wanted)]
    skipped = [view for view in database.skipped if any(is_called(view, text) for text in wanted)]
    return replace(database, views=tuple(views), skipped=tuple(skipped))
