"""Which migrations a call of ``migrate`` means, and how they are cut into transactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import AmbiguityError

from .foresee import ForeseenMigration, Foresight

Plan = Sequence[tuple[Migration, bool]]


@dataclass(frozen=True)
class Segment:
    """Migrations that run together.

    Attributes:
        foresight: what is known of them.
        is_alone: whether they are one migration that runs outside of a transaction.
    """

    foresight: Foresight
    is_alone: bool = False

    @property
    def targets(self) -> list[tuple[str, str]]:
        """The last migration of each app, in the order of the run: the arguments for ``migrate``."""
        last: dict[str, str] = {}
        for each in self.foresight.migrations:
            last.pop(each.migration.app_label, None)
            last[each.migration.app_label] = each.migration.name
        return list(last.items())


def find_plan(executor: MigrationExecutor, options: Mapping[str, Any]) -> Plan | None:
    """Return the migrations that ``migrate`` would run with some options, each with whether it is unapplied.

    Returns:
        None when there are none for what the options say. Django's command says why.
    """
    label, name, loader = options["app_label"], options["migration_name"], executor.loader
    targets: list[tuple[str, str | None]] = list(loader.graph.leaf_nodes())
    if label and name == "zero":
        targets = [(label, None)]
    elif label and name:
        try:
            target = label, loader.get_migration_by_prefix(label, name).name
        except (AmbiguityError, KeyError):
            return None
        # A squashed migration that is partly applied is not in the graph. Its last one is.
        if target not in loader.graph.nodes and target in loader.replacements:
            target = loader.replacements[target].replaces[-1]
        targets = [target]
    elif label:
        targets = [key for key in targets if key[0] == label]
    if label and (label in loader.migrated_apps) is bool(options["run_syncdb"]):
        return None
    return executor.migration_plan(targets)


def find_tables(
    connection: BaseDatabaseWrapper, executor: MigrationExecutor, options: Mapping[str, Any]
) -> list[str]:
    """Return the tables that ``migrate --run-syncdb`` would create, of apps that have no migrations."""
    labels = {options["app_label"]} if options["app_label"] else executor.loader.unmigrated_apps
    with connection.cursor() as cursor:
        existing = connection.introspection.table_names(cursor)
    return sorted(
        model._meta.db_table
        for app in apps.get_app_configs()
        if app.models_module is not None and app.label in labels
        for model in router.get_migratable_models(app, connection.alias, include_auto_created=False)
        if model._meta.can_migrate(connection) and model._meta.db_table not in existing
    )


def leaves_some(executor: MigrationExecutor, plan: Plan) -> bool:
    """Return whether migrations stay unapplied after a plan."""
    everything = executor.migration_plan(executor.loader.graph.leaf_nodes())
    planned = {(each.app_label, each.name) for each, backwards in plan if not backwards}
    return any(backwards for _, backwards in plan) or any(
        (each.app_label, each.name) not in planned for each, _ in everything
    )


def cut(foresight: Foresight, cuts: Mapping[str, bool]) -> list[Segment]:
    """Cut a run before what cannot be in one transaction with what comes before it.

    Args:
        foresight: the migrations.
        cuts: those that were found to be so when they ran, by name, with whether they run alone.

    Returns:
        the segments. The last one may be empty: the views are synced in it.
    """
    segments: list[Segment] = []
    pending: list[ForeseenMigration] = []

    def end() -> None:
        if pending:
            segments.append(Segment(Foresight(tuple(pending))))
            pending.clear()

    for each in foresight.migrations:
        if each.alone or cuts.get(str(each), False):
            end()
            segments.append(Segment(Foresight((each,)), is_alone=True))
        else:
            if str(each) in cuts:
                end()
            pending.append(each)
    end()
    if not segments or segments[-1].is_alone:
        segments.append(Segment(Foresight()))
    return segments
