from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orm_views_core.catalogue import Catalogue, Written, read_catalogue, write_catalogue
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.management.arguments import add_database_argument


class Command(BaseCommand):
    help = (
        "Writes a catalogue of the views for those who read them: pages that need no server, and one JSON "
        "file. It has descriptions, columns and where they come from, and no rows."
    )
    # The checks of other apps, and the URLs that they import, are for a deploy.
    requires_system_checks = ("orm_views",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--output",
            required=True,
            type=Path,
            metavar="DIR",
            help="Write to this directory: a new or an empty one, or that of an earlier catalogue.",
        )
        parser.add_argument(
            "--role",
            metavar="ROLE",
            help="Only what this role may read; public for what every role may read. "
            "By default the role that Django connects as.",
        )
        add_database_argument(parser, "Describe")
        parser.add_argument("--sql", action="store_true", help="Also show the SQL of each view.")
        parser.add_argument(
            "--no-times",
            action="store_false",
            dest="times",
            help="Leave out as of which time rows are, so that a refresh changes no file.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        databases = [options["database"]] if options["database"] else None
        try:
            catalogue = read_catalogue(
                databases, role=options["role"], sql=options["sql"], times=options["times"]
            )
            written = write_catalogue(options["output"], catalogue)
        except OrmViewsError as error:
            raise CommandError(str(error)) from error
        self._report(catalogue, written)

    def _report(self, catalogue: Catalogue, written: Written) -> None:
        views, tables = len(list(catalogue.views)), len(list(catalogue.tables))
        if not views:
            who = f"Role {catalogue.role!r}" if catalogue.role else "The role that Django connects as"
            self.stdout.write(self.style.WARNING(f"{who} may read no view: the catalogue is empty."))
        if locked := [str(view.name) for view in catalogue.views if catalogue.has_sql and view.sql is None]:
            names = ", ".join(locked)
            self.stdout.write(
                self.style.WARNING(
                    f"The SQL of {names} is missing: another session had locked it. Run this again."
                )
            )
        self.stdout.write(
            f"{_count(views, 'view')} and {_count(tables, 'table')} in {_count(len(written.files), 'file')}: "
            f"{len(written.changed)} written, {len(written.removed)} removed."
        )
        self.stdout.write(f"Open {written.directory / 'index.html'}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
