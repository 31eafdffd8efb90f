from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as Migrate
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from orm_views_core.autodetector import Autodetector
from orm_views_core.engines.finding import plain_engine_of
from orm_views_core.engines.postgresql.stand_ins.standing import read_all_views
from orm_views_core.inspection.broken import telling_broken
from orm_views_core.spelling import spelling_of
from orm_views_core.with_migrations.foresee import foresee
from orm_views_core.with_migrations.guard import ADVICE, find_danger, named_in
from orm_views_core.with_migrations.segments import find_plan


class Command(Migrate):
    autodetector = Autodetector
    guards_views = True

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        if self.guards_views:
            parser.add_argument(
                "--drop-views", action="store_true", help="Go on although migrations drop views with CASCADE."
            )

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        changes_nothing = any(options.get(name) for name in ("plan", "check_unapplied", "prune", "fake"))
        if not self.guards_views or changes_nothing or spelling_of(connection) is None:
            super().handle(*args, **options)
            return
        if plain_engine_of(connection) is not None:
            with telling_broken(connection, lambda line: self.stderr.write(line, self.style.WARNING)):
                super().handle(*args, **options)
            return
        self._look(connection, options)
        try:
            super().handle(*args, **options)
        except DatabaseError as error:
            if views := named_in(connection, error):
                named = ", ".join(map(str, views))
                self.stderr.write(f"\nThe migration failed because of {named}. {ADVICE}")
            raise

    def _look(self, connection: Any, options: dict[str, Any]) -> None:
        """Name the views that pending migrations would fail because of, or drop.

        Raises:
            CommandError: when one would be dropped that is still wanted.
        """
        if not read_all_views(connection):  # as in a new database
            return
        executor = MigrationExecutor(connection)
        if executor.loader.detect_conflicts():
            return
        danger = find_danger(connection, foresee(connection, executor, find_plan(executor, options) or []))
        lines = "\n".join(danger.lines)
        if danger.lost and not options.get("drop_views"):
            raise CommandError(f"{lines}\nTo drop them all the same, use --drop-views.")
        if lines:
            self.stderr.write(lines, self.style.WARNING)
