from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from orm_views_core.callers import called_by_command
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.hooks.post_migrate import not_syncing
from orm_views_core.management.commands.migrate import Command as Migrate
from orm_views_core.management.interruption import interruptible
from orm_views_core.management.printing import StepPrinter
from orm_views_core.output.plans import summary
from orm_views_core.with_migrations.api import MigrateOptions, migrate_views
from orm_views_core.with_migrations.aside import PutAside
from orm_views_core.with_migrations.steps import Steps

_FLAGS = {
    "--rebuild-inside": "Build materialised views in the transaction of the migrations. Their readers wait.",
    "--drop-dependents": "Drop views of others that do not fit the new tables, or our views, any more.",
    "--allow-drop-all": "Drop every view of a database for which no view is registered any more.",
}


class Command(Migrate):
    help = "Applies migrations and syncs the views, in one transaction."
    _steps: Steps | None = None

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        for flag, text in _FLAGS.items():
            parser.add_argument(flag, action="store_true", help=text)
        parser.add_argument(
            "--grant-select-permissions-to-user",
            action="append",
            dest="grant_select_to",
            metavar="ROLE",
            help="Grant SELECT on all views that are not hidden to this role too. May be repeated.",
        )

    @called_by_command()
    def handle(self, *args: Any, **options: Any) -> None:
        if options["plan"] or options["check_unapplied"] or options["prune"]:
            super().handle(*args, **options)
            return
        self._put: list[PutAside] = []
        asked = MigrateOptions(
            grant_select_to=options["grant_select_to"],
            **{name: options[name] for name in ("rebuild_inside", "drop_dependents", "allow_drop_all")},
        )
        printer = StepPrinter(self)
        quiet = options["verbosity"] == 0

        def migrate(steps: Steps) -> None:
            self._steps = steps
            with not_syncing():
                super(Command, self).handle(*args, **options)

        try:
            with interruptible("The database is as before."):
                result = migrate_views(
                    options["database"],
                    migrate,
                    asked,
                    on_put=self._put.append,
                    on_plan=None if quiet else printer.on_plan,
                    progress=None if quiet else printer.progress(),
                )
        except OrmViewsError as error:
            raise CommandError(str(error)) from error
        if not quiet:
            for synced in (result.synced, result.rebuilt):
                if synced is not None:
                    self.stdout.write(f"  {summary(synced.plan)} ({synced.seconds:.3f}s)")

    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:
        if self._steps and action in {"apply_start", "unapply_start"}:
            self._steps.before(migration)
        super().migration_progress_callback(action, migration, fake)
        if self._steps and action in {"apply_success", "unapply_success"}:
            self._steps.after(migration)
            if self.verbosity >= 1:
                for each in self._put:
                    whose = "" if each.is_ours else ", which is not ours,"
                    self.stdout.write(f"    put aside: {each.view.name}{whose} because {each.why}")
            self._put.clear()
