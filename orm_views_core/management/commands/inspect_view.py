from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from orm_views_core.exceptions import OrmViewsError
from orm_views_core.inspection.inspect import inspect_view
from orm_views_core.inspection.source import declaration_lines, inspection_as_dict
from orm_views_core.management.arguments import add_database_argument


class Command(BaseCommand):
    help = "Prints the fields that a view's columns need, ready to paste into its class. Changes nothing."

    # A class without fields fails the system checks, and this command is for such classes.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("view", metavar="VIEW", help="loan_book, views.loan_book or lending.LoanBook.")
        add_database_argument(parser, "Look in")
        parser.add_argument("--json", action="store_true", help="Print the columns as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            inspection = inspect_view(options["view"], options["database"])
        except (OrmViewsError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(inspection_as_dict(inspection), indent=2))
        else:
            for line in declaration_lines(inspection):
                self.stdout.write(line)
