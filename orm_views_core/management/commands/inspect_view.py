from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orm_views_core.exceptions import OrmViewsError
from orm_views_core.inspection.inspect import inspect_view, is_declared
from orm_views_core.inspection.source import declaration_lines, inspection_as_dict
from orm_views_core.inspection.undeclared import Drafted, draft_schema, draft_view
from orm_views_core.management.arguments import add_database_argument


class Command(BaseCommand):
    help = (
        "Prints the fields that a view's columns need, ready to paste into its class. Of a view that only "
        "the database has, prints a class. Changes nothing."
    )

    # A class without fields fails the system checks, and this command is for such classes.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "view",
            nargs="?",
            metavar="VIEW",
            help="loan_book, views.loan_book or lending.LoanBook; with --all, a schema.",
        )
        parser.add_argument(
            "--all",
            action="store_true",
            help="Print a module with classes for the views of a schema that only the database has.",
        )
        add_database_argument(parser, "Look in")
        parser.add_argument("--json", action="store_true", help="Print the columns as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted, database = options["view"], options["database"]
        if not (wanted or options["all"]):
            raise CommandError(
                "Name a view, or use --all for the views of a schema that only the database has."
            )
        try:
            if options["all"]:
                self._print_draft(draft_schema(wanted, database), options)
            elif not is_declared(wanted, database):
                self._print_draft(draft_view(wanted, database), options)
            else:
                inspection = inspect_view(wanted, database)
                facts = inspection_as_dict(inspection)
                self._print(facts if options["json"] else declaration_lines(inspection))
        except (OrmViewsError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error

    def _print_draft(self, drafted: Drafted, options: dict[str, Any]) -> None:
        facts = {
            "database": drafted.database,
            "views": list(drafted.views),
            "draft": "\n".join(drafted.lines),
        }
        self._print(facts if options["json"] else drafted.lines)

    def _print(self, output: dict[str, Any] | Iterable[str]) -> None:
        if isinstance(output, dict):
            self.stdout.write(json.dumps(output, indent=2))
            return
        for line in output:
            self.stdout.write(line)
