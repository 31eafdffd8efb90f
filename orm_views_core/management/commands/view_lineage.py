from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orm_views_core.engines.connections import get_connection, staging_databases
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.lineage import Answer, ask
from orm_views_core.management.arguments import add_database_argument
from orm_views_core.output.lineage import answer_lines, answers_as_list
from orm_views_core.output.personal import findings_as_dict, findings_lines
from orm_views_core.privacy.api import judge_views
from orm_views_core.privacy.marks import are_used
from orm_views_core.sentences import says


class Command(BaseCommand):
    help = "Shows what the columns of views are made of, and what hangs on a view, a table or a column."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "name",
            nargs="?",
            metavar="NAME",
            help=(
                "A view (loan_book, views.loan_book, lending.LoanBook), a model (lending.Loan), a table "
                "(lending_loan, public.lending_loan), or one of these with a column or a field "
                "(lending.Loan.status); all views when none."
            ),
        )
        way = parser.add_mutually_exclusive_group()
        way.add_argument(
            "--upstream",
            action="store_true",
            help="What it is made of, followed to tables. The default is this and --downstream for a view.",
        )
        way.add_argument(
            "--downstream",
            action="store_true",
            help="What hangs on it: which columns of which views, and in what way. The default for tables.",
        )
        way.add_argument(
            "--personal",
            action="store_true",
            help="The columns of all views for which the guard of personal columns would refuse a sync.",
        )
        parser.add_argument("--json", action="store_true", help="Print an object for each column as JSON.")
        add_database_argument(parser, "Look in")

    def handle(self, *args: Any, **options: Any) -> None:
        name, databases = options["name"], [options["database"]] if options["database"] else None
        if options["downstream"] and name is None:
            raise CommandError("Name what --downstream begins at: a view, a model, a table or a column.")
        if options["personal"] and name is not None:
            raise CommandError("--personal looks at all views. Leave the name out.")
        try:
            if options["personal"]:
                self._print_personal(databases, options)
            else:
                answers = ask(name, databases=databases, up=options["upstream"], down=options["downstream"])
                self._print(answers, options)
        except OrmViewsError as error:
            raise CommandError(str(error)) from error

    def _print(self, answers: Sequence[Answer], options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(answers_as_list(answers), indent=2))
            return
        blocks = {answer.database: answer_lines(answer) for answer in answers}
        self._print_blocks(blocks)

    def _print_personal(self, databases: Sequence[str] | None, options: dict[str, Any]) -> None:
        if not are_used():
            raise CommandError(
                "Nothing is personal. Mark fields of models with orm_views_core.privacy.personal(), or name "
                "them in ORM_VIEWS['PERSONAL']."
            )
        what = says("The search for personal columns")
        aliases = staging_databases(databases)
        findings = {alias: judge_views(get_connection(alias, what)) for alias in aliases}
        if options["json"]:
            found = [{"database": alias, **findings_as_dict(each)} for alias, each in findings.items()]
            self.stdout.write(json.dumps(found, indent=2))
            return
        is_verbose = options["verbosity"] > 1
        self._print_blocks(
            {alias: findings_lines(alias, each, with_notes=is_verbose) for alias, each in findings.items()}
        )

    def _print_blocks(self, blocks: Mapping[str, Iterable[str]]) -> None:
        """Print lines of one or several databases. A heading names each of several."""
        for number, (alias, lines) in enumerate(blocks.items()):
            if len(blocks) > 1:
                if number:
                    self.stdout.write("")
                self.stdout.write(self.style.MIGRATE_HEADING(f"Database '{alias}':"))
            for line in lines:
                is_heading = bool(line) and not line.startswith(" ")
                self.stdout.write(self.style.MIGRATE_LABEL(line) if is_heading else line)
