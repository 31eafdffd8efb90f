from __future__ import annotations

import json
from functools import partial
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from orm_views_core.callers import called_by_command
from orm_views_core.engines.connections import open_database
from orm_views_core.engines.finding import plain_engine_of
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.hooks.post_migrate import not_syncing
from orm_views_core.inspection.broken import telling_broken
from orm_views_core.management.arguments import add_grant_argument
from orm_views_core.management.commands.migrate import Command as Migrate
from orm_views_core.management.interruption import interruptible
from orm_views_core.management.migrating import as_foresight, migrate_plainly
from orm_views_core.management.printing import StepPrinter
from orm_views_core.output.migrations import (
    foresight_as_dict,
    foresight_lines,
    put_aside_lines,
    result_as_dict,
    waiting_lines,
)
from orm_views_core.output.plans import plan_as_dict, plan_lines, summary
from orm_views_core.plan.steps import Plan
from orm_views_core.spelling import spelling_on
from orm_views_core.sync.api import SyncResult, plan_views
from orm_views_core.sync.refusals import may_need_a_migration
from orm_views_core.with_migrations.alone import NotTogetherError
from orm_views_core.with_migrations.api import Listener, MigrateResult, migrate_views
from orm_views_core.with_migrations.aside import PutAside
from orm_views_core.with_migrations.foresee import Foresight, foresee
from orm_views_core.with_migrations.options import MigrateOptions
from orm_views_core.with_migrations.outlook import Outlook, look_ahead
from orm_views_core.with_migrations.segments import cut, find_plan, find_tables, leaves_some
from orm_views_core.with_migrations.steps import Steps

_FLAGS = {
    "--rebuild-inside": "Build materialised views in the transaction of the migrations. Their readers wait.",
    "--split": "Cut the run where a migration cannot be in one transaction with those before it.",
    "--drop-dependents": "Drop views of others that do not fit the new tables, or our views, any more.",
    "--allow-drop-all": "Drop every view of a database for which no view is registered any more.",
    "--json": "Print the plan, or what was done, as JSON.",
}


class Command(Migrate):
    help = "Applies migrations and syncs the views of a database: on PostgreSQL in one transaction."
    guards_views = False
    _steps: Steps | None = None

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        for flag, text in _FLAGS.items():
            parser.add_argument(flag, action="store_true", help=text)
        add_grant_argument(parser)

    @called_by_command()
    def handle(self, *args: Any, **options: Any) -> None:
        self.put_aside: list[PutAside] = []
        if options["prune"]:
            _refuse_with_prune(options)
            super().handle(*args, **options)
            return
        if options["json"]:
            options["verbosity"] = 0
        try:
            with interruptible(_what_is_left(options["database"])):
                self._run(*args, **options)
        except OrmViewsError as error:
            raise CommandError(str(error)) from error

    def _run(self, *args: Any, **options: Any) -> None:
        foresight, is_partial = self._foresee(options)
        if foresight is None:  # Django's command says what is wrong
            super().handle(*args, **options)
            return
        if options["plan"] or options["check_unapplied"]:
            self._show(foresight, _asked(options, is_partial), options)
            return
        if plain_engine_of(open_database(options["database"])):
            self._plainly(foresight, _asked(options, is_partial), args, options)
            return
        cuts: dict[str, bool] = {}
        if not options["split"]:
            for each in foresight.migrations:
                if each.alone:
                    raise NotTogetherError(str(each), each.alone)
        results: list[MigrateResult] = []
        while True:
            first, *others = cut(foresight, cuts)
            try:
                if first.is_alone:
                    self._alone(first.targets, args, options)
                else:
                    targets = first.targets if others else []
                    results.append(
                        self._together(first.foresight, targets, is_partial or bool(others), args, options)
                    )
            except NotTogetherError as error:
                if not options["split"] or error.migration in cuts:
                    raise
                cuts[error.migration] = error.is_alone
                continue
            if not others:
                break
            foresight, is_partial = self._foresee(options)
            assert foresight is not None
        if options["json"]:
            self.stdout.write(json.dumps([result_as_dict(result) for result in results], indent=2))

    def _plainly(
        self, foresight: Foresight, asked: MigrateOptions, args: tuple[Any, ...], options: dict[str, Any]
    ) -> None:
        """Run migrations and then a sync."""
        printer = _Printer(self, options["verbosity"])
        migrate = partial(super().handle, *args, **options)
        with not_syncing(), telling_broken(connections[options["database"]], self._warn):
            result = migrate_plainly(options["database"], migrate, foresight, asked, printer)
        if result.synced is not None:
            printer.synced(result.synced)
        if options["json"]:
            self.stdout.write(json.dumps([result_as_dict(result)], indent=2))
        elif options["verbosity"]:
            for line in waiting_lines(result.waiting):
                self.stdout.write(line)

    def _warn(self, line: str) -> None:
        self.stderr.write(line, self.style.WARNING)

    def _foresee(self, options: dict[str, Any]) -> tuple[Foresight | None, bool]:
        connection = open_database(options["database"])
        executor = MigrationExecutor(connection)
        executor.loader.check_consistent_history(connection)
        if executor.loader.detect_conflicts() or (plan := find_plan(executor, options)) is None:
            return None, False
        if plain_engine_of(connection):
            return as_foresight(plan, fake=options["fake"]), leaves_some(executor, plan)
        fakes = {name: options[name] for name in ("fake", "fake_initial")}
        return foresee(connection, executor, plan, **fakes), leaves_some(executor, plan)

    def _together(
        self,
        foresight: Foresight,
        targets: list[tuple[str, str]],
        is_partial: bool,
        args: tuple[Any, ...],
        options: dict[str, Any],
    ) -> MigrateResult:
        """Run migrations and a sync in one transaction.

        Args:
            targets: the apps and their migrations to end at; empty for what the options say.
        """

        def migrate(steps: Steps) -> None:
            self._steps = steps
            self.put_aside.clear()  # of a try that was rolled back
            with not_syncing():
                for label, name in targets or [(options["app_label"], options["migration_name"])]:
                    asked_for = {**options, "app_label": label, "migration_name": name}
                    super(Command, self).handle(*args, **asked_for)

        try:
            return migrate_views(
                options["database"],
                migrate,
                _asked(options, is_partial),
                foresight=foresight,
                listener=_Printer(self, options["verbosity"]),
            )
        except BaseException:
            if options["verbosity"] and self._steps and self._steps.current:
                self.stdout.write(self.style.ERROR("  rolled back"))
            raise
        finally:
            self._steps = None

    def _alone(self, targets: list[tuple[str, str]], args: tuple[Any, ...], options: dict[str, Any]) -> None:
        ((label, name),) = targets
        with not_syncing():
            super().handle(*args, **{**options, "app_label": label, "migration_name": name})

    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:
        if self._steps and action in {"apply_start", "unapply_start"}:
            self._steps.before(migration)
        super().migration_progress_callback(action, migration, fake)
        if self._steps and action in {"apply_success", "unapply_success"}:
            self._steps.after(migration)
            if self.verbosity >= 1:
                for line in put_aside_lines(self.put_aside, every=self.verbosity > 1):
                    self.stdout.write(f"    put aside: {line}")
            self.put_aside.clear()

    def _show(self, foresight: Foresight, asked: MigrateOptions, options: dict[str, Any]) -> None:
        """Print what would be done; with --check, exit with 1 if there is anything."""
        alias = options["database"]
        connection = open_database(alias)
        engine = plain_engine_of(connection)
        tables: list[str] = []
        plans: list[Plan] = []
        if options["run_syncdb"]:
            tables = find_tables(connection, MigrationExecutor(connection), options)
        outlook, waiting = None, ""
        if foresight.migrations or tables:
            outlook = Outlook() if engine else look_ahead(connection, foresight, asked)
        else:
            plans, waiting = _plan(alias, asked)
        if options["json"]:
            shown = {
                **foresight_as_dict(alias, foresight, outlook or Outlook(), tables),
                "sync": [plan_as_dict(plan) for plan in plans],
                "not_synced": waiting or None,
            }
            self.stdout.write(json.dumps(shown, indent=2))
        elif outlook:
            for line in foresight_lines(alias, foresight, outlook, asked, tables):
                self.stdout.write(line if line.startswith(" ") else self.style.MIGRATE_HEADING(line))
            if engine:
                title = engine.spelling.title
                self.stdout.write(f"  {title} commits each migration by itself, and then the sync.")
        else:
            self.stdout.write(f"No migrations to apply to database '{alias}'.")
            for plan in plans:
                for line in plan_lines(plan, with_sql=options["verbosity"] > 1):
                    self.stdout.write(line)
            for line in waiting_lines(waiting):
                self.stdout.write(line)
        is_pending = (
            outlook is not None
            or bool(waiting)
            or any(not plan.is_empty and not plan.only_records for plan in plans)
        )
        if options["check_unapplied"] and is_pending:
            raise CommandError(
                f"Migrations or views of database {alias!r} are yet to be applied. Run migrate_views.",
                returncode=1,
            )


def _what_is_left(alias: str) -> str:
    """Return what an interrupted run has left behind, a sentence."""
    if spelling_on(alias).abilities.atomic:
        return "The transaction that was being worked on is rolled back."
    return "What was done before stays done."


def _refuse_with_prune(options: dict[str, Any]) -> None:
    """Refuse what --prune does not heed. Django prunes although it was asked for a plan.

    Raises:
        CommandError: when there is such an option.
    """
    for flag, name in {"--plan": "plan", "--check": "check_unapplied", "--json": "json"}.items():
        if options[name]:
            raise CommandError(f"--prune cannot be combined with {flag}.")


def _asked(options: dict[str, Any], is_partial: bool) -> MigrateOptions:
    """Return what the command line asks for beside what Django's command does."""
    names = ("rebuild_inside", "drop_dependents", "allow_drop_all", "grant_select_to", "split")
    return MigrateOptions(is_partial=is_partial, **{name: options[name] for name in names})


def _plan(alias: str, asked: MigrateOptions) -> tuple[list[Plan], str]:
    """Return the plans of a sync with no migration before it, or why the views would not be synced."""
    try:
        plans = plan_views(
            [alias],
            grant_select_permissions_to_user=asked.of_sync.grant_select_to,
            allow_drop_all=asked.allow_drop_all,
            drop_dependents=asked.drop_dependents,
        )
    except OrmViewsError as error:
        if not asked.is_partial or not may_need_a_migration(error):
            raise
        return [], str(error)
    return plans, ""


class _Printer(Listener):
    """Prints what happens."""

    def __init__(self, command: Command, verbosity: int) -> None:
        self.command, self.verbosity = command, verbosity
        if verbosity:
            self.steps = StepPrinter(command, ends_transaction=False)
            self.on_plan, self.progress = self.steps.on_plan, self.steps.progress()

    def put(self, view: PutAside) -> None:
        self.command.put_aside.append(view)

    def migrated(self, result: MigrateResult) -> None:
        if not self.verbosity:
            return
        self.steps.ends_transaction = True  # what follows is a sync as any other
        write, style = self.command.stdout.write, self.command.style
        if result.synced is not None:
            self.synced(result.synced)
        for line in waiting_lines(result.waiting):
            write(line)
        for name in result.dropped:
            write(style.WARNING(f"  Dropped {name}, which did not fit any more."))
        if result.migrations:
            write(
                f"  Committed. Readers of what was changed waited for {result.locked_seconds:.3f}s at most."
            )

    def synced(self, result: SyncResult) -> None:
        if self.verbosity:
            self.command.stdout.write(f"  {summary(result.plan)} ({result.seconds:.3f}s)")
