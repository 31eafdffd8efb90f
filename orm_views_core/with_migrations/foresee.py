"""What migrations will do, as the SQL that Django would send.

Nothing is sent but what reads. An operation whose SQL cannot be had, such as code or one that looks for what
an earlier migration has yet to make, is met when it runs.
https://docs.djangoproject.com/en/stable/ref/schema-editor/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState

from orm_views_core.engines.postgresql.stand_ins.standing import read_all_views, read_each_standing
from orm_views_core.names import ViewName
from orm_views_core.sql.alterations import Alteration, Renaming, Script, read_script

from .alone import why_alone_by_class, why_alone_by_text

#: The first words of statements that read, and of what a transaction needs.
_READS = ("select", "show", "with", "savepoint", "release", "rollback")


class _Unforeseen(Exception):  # noqa: N818 - not an error: the operation is met when it runs
    """An operation would change the database to find out its SQL."""


class Change(NamedTuple):
    """A column of a table, or a whole table, that a migration alters, drops or renames.

    Attributes:
        relation: the name that the table has now. The schema is "" where the statement names none.
        column: the name that the column has now; "" for the whole table.
        what: what is done to it, in words, by the names that the migration uses.
    """

    relation: ViewName
    column: str
    what: str


@dataclass(frozen=True)
class ForeseenMigration:
    """What is known of a migration before it runs.

    Attributes:
        migration: the migration.
        backwards: whether it is unapplied.
        scripts: what its statements do.
        unforeseen: why its SQL is not known, or not all of it; "" if it is.
        alone: why it cannot run in a transaction with others; "" if it can.
        standing: the views that stand against it, each with what they stand against.
        lost: those among them that a CASCADE would drop without a word.
        changes: the columns and tables that it alters, drops or renames.
        only_recorded: whether it is recorded, and not run, as ``--fake`` and ``--fake-initial`` ask for.
    """

    migration: Migration
    backwards: bool
    scripts: tuple[Script, ...] = ()
    unforeseen: str = ""
    alone: str = ""
    standing: Mapping[ViewName, Alteration] = field(default_factory=dict)
    lost: frozenset[ViewName] = frozenset()
    changes: tuple[Change, ...] = ()
    only_recorded: bool = False

    def __str__(self) -> str:
        return str(self.migration)


@dataclass(frozen=True)
class Foresight:
    """What is known of the migrations of a run.

    Attributes:
        migrations: they, in their order.
    """

    migrations: tuple[ForeseenMigration, ...] = ()

    @property
    def standing(self) -> dict[ViewName, Alteration]:
        """The views that stand against any of them, each with the first alteration."""
        found: dict[ViewName, Alteration] = {}
        for each in self.migrations:
            for name, alteration in each.standing.items():
                found.setdefault(name, alteration)
        return found

    @property
    def scripts(self) -> Iterator[Script]:
        """What all statements do."""
        return (script for each in self.migrations for script in each.scripts)


def foresee(
    connection: BaseDatabaseWrapper,
    executor: MigrationExecutor,
    plan: Sequence[tuple[Migration, bool]],
    *,
    fake: bool = False,
    fake_initial: bool = False,
    state: ProjectState | None = None,
) -> Foresight:
    """Find out what migrations will do to the views of a database.

    Args:
        connection: the database.
        executor: has loaded the migrations.
        plan: they, each with whether it is unapplied.
        fake: whether they are only recorded.
        fake_initial: whether initial ones are only recorded if their tables are there.
        state: the models before the first of them; None for those of the applied migrations.
    """
    recorded = [
        fake or (fake_initial and not backwards and executor.detect_soft_applied(None, migration)[0])
        for migration, backwards in plan
    ]
    if all(recorded):
        return Foresight(tuple(_recorded(migration, backwards) for migration, backwards in plan))
    if not read_all_views(connection):  # as a new database has none
        found = [_without_sql(migration, backwards) for migration, backwards in plan]
    else:
        found = list(_collect(connection, executor, plan, state))
    found = [
        _recorded(each.migration, each.backwards) if is_recorded else each
        for each, is_recorded in zip(found, recorded, strict=True)
    ]
    return Foresight(tuple(_with_standing(connection, found)))


def _recorded(migration: Migration, backwards: bool) -> ForeseenMigration:
    return ForeseenMigration(migration, backwards, only_recorded=True)


def _without_sql(migration: Migration, backwards: bool) -> ForeseenMigration:
    return ForeseenMigration(migration, backwards, alone=why_alone_by_class(migration))


def _collect(
    connection: BaseDatabaseWrapper,
    executor: Any,
    plan: Sequence[tuple[Migration, bool]],
    state: ProjectState | None,
) -> Iterator[ForeseenMigration]:
    state = state or executor._create_project_state(with_applied_migrations=True)
    for migration, backwards in plan:
        if backwards:
            state = executor.loader.project_state((migration.app_label, migration.name), at_end=False)
        before, why = state.clone(), ""
        with connection.execute_wrapper(_only_reading):
            try:
                with connection.schema_editor(collect_sql=True, atomic=False) as editor:
                    run = migration.unapply if backwards else migration.apply
                    state = run(state, editor, collect_sql=True)
            except Exception as error:  # noqa: BLE001 - of operations, which may raise anything
                why = f"{type(error).__name__}: {error}"
                state = before if backwards else migration.mutate_state(before, preserve=False)
        scripts = tuple(map(read_script, editor.collected_sql))
        alone = why_alone_by_class(migration) or why_alone_by_text(scripts)
        yield ForeseenMigration(migration, backwards, scripts, why, alone)


def _only_reading(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    if not str(sql).lstrip(" (\n").lower().startswith(_READS):
        raise _Unforeseen("it changes the database to find out its SQL")
    return execute(sql, params, many, context)


def _with_standing(
    connection: BaseDatabaseWrapper, found: Iterable[ForeseenMigration]
) -> Iterator[ForeseenMigration]:
    """Add the views that stand against each migration, by the names that relations have now."""
    found = list(found)
    names = _Names()
    alterations, owners, cascades = [], [], []
    changes: list[list[Change]] = [[] for _ in found]
    for number, each in enumerate(found):
        for script in each.scripts:
            for alteration in script.alterations:
                alterations.append((names.now(alteration), alteration))
                owners.append(number)
                cascades.append(script.may_cascade)
            changes[number] += names.changes(script)
            names.rename(script.renamings)
    standing: list[dict[ViewName, Alteration]] = [{} for _ in found]
    lost: list[set[ViewName]] = [set() for _ in found]
    views = read_each_standing(connection, [now for now, _ in alterations])
    for number, (_, alteration), cascade, named in zip(owners, alterations, cascades, views, strict=True):
        for view in named:
            standing[number].setdefault(view, alteration)
        lost[number] |= set(named if cascade else ())
    for each, of_it, lost_to_it, changed in zip(found, standing, lost, changes, strict=True):
        yield replace(each, standing=of_it, lost=frozenset(lost_to_it), changes=tuple(dict.fromkeys(changed)))


class _Names:
    """The names that relations and columns have now, by those that migrations give them."""

    def __init__(self) -> None:
        self._relations: dict[ViewName, ViewName] = {}
        self._columns: dict[tuple[ViewName, str], str] = {}

    def rename(self, renamings: Iterable[Renaming]) -> None:
        for relation, new, column, new_column in renamings:
            now = self._relations.get(relation, relation)
            if column:
                self._columns[now, new_column] = self._columns.pop((now, column), column)
            else:
                self._relations[new] = now

    def now(self, alteration: Alteration) -> Alteration:
        relation = self._relations.get(alteration.relation, alteration.relation)
        name = self._columns.get((relation, alteration.name), alteration.name)
        return alteration._replace(relation=relation, name=name)

    def changes(self, script: Script) -> Iterator[Change]:
        """Yield what a script alters, drops or renames, before its renamings count."""
        for alteration in script.alterations:
            if alteration.what != "constraint":
                now = self.now(alteration)
                yield Change(now.relation, now.name, str(alteration))
        for relation, new, column, new_column in script.renamings:
            now = self.now(Alteration(relation, "column" if column else "relation", column))
            column_becomes = f"{_written(relation)}.{column} is renamed to {new_column}"
            what = column_becomes if column else f"{_written(relation)} is renamed to {_written(new)}"
            yield Change(now.relation, now.name, what)


def _written(relation: ViewName) -> str:
    return str(relation) if relation.schema else relation.name
