"""Migrations and a sync of the views in one transaction per database."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.errors.diagnostics import is_deadlock, is_lock_timeout
from orm_views_core.engines.postgresql.errors.refusals import database_refused, is_refusal
from orm_views_core.engines.postgresql.locking.locks import in_transaction, limit_lock_waits
from orm_views_core.engines.postgresql.locking.turns import take_sync_lock
from orm_views_core.exceptions import OrmViewsError, SyncFailedError
from orm_views_core.names import ViewName
from orm_views_core.plan.steps import Action, Phase, Plan, Step, in_phase
from orm_views_core.sentences import Sentence, says
from orm_views_core.sql.alterations import Script
from orm_views_core.sync.api import AnnouncedSync, SyncResult, announced, sync_database
from orm_views_core.sync.executor import Progress, StepResult

from .alone import as_not_together
from .aside import Aside, PutAside
from .finish import Finished, finish
from .foresee import Foresight
from .locks import take_locks
from .options import MigrateOptions
from .reaction import Reaction
from .steps import Steps


@dataclass(frozen=True)
class MigrateResult:
    """What was done.

    Attributes:
        migrations: the migrations that ran, in their order.
        aside: the views that were put aside for them.
        dropped: the views of others that did not fit any more.
        synced: what the sync in the same transaction did; None when it waits for other migrations.
        waiting: why the views were not synced, but came back as they were; "" when they were synced.
        rebuilt: what the sync after it did; None when nothing was left to build.
        seconds: how many seconds the transaction took.
        locked_seconds: for how many of these it held the locks of its tables and views.
    """

    migrations: tuple[str, ...]
    aside: tuple[PutAside, ...] = ()
    dropped: tuple[ViewName, ...] = ()
    synced: SyncResult | None = None
    waiting: str = ""
    rebuilt: SyncResult | None = None
    seconds: float = 0
    locked_seconds: float = 0


class Listener:
    """Whom to tell what happens. A caller overrides what it wants to know.

    Attributes:
        on_plan: called with each plan of a sync before it is carried out.
        progress: what to call while the views are synced.
    """

    on_plan: Callable[[Plan], None] | None = None
    progress = Progress()

    def put(self, view: PutAside) -> None:
        """A view is put aside."""

    def migrated(self, result: MigrateResult) -> None:
        """The migrations are committed, with the views."""

    def synced(self, result: SyncResult) -> None:
        """The materialised views are built."""


@dataclass
class _State:
    """What one try has found out, for the next one and for the caller.

    Attributes:
        put: the views that were put aside.
        steps: what followed the migrations.
        first: the relations that a lock could not be had of. The next try locks them first.
    """

    put: list[PutAside] = field(default_factory=list)
    steps: Steps | None = None
    first: set[ViewName] = field(default_factory=set)


def migrate_views(
    alias: str,
    migrate: Callable[[Steps], None],
    options: MigrateOptions,
    *,
    foresight: Foresight | None = None,
    listener: Listener | None = None,
) -> MigrateResult:
    """Run migrations and sync the views of a database in one transaction.

    Args:
        alias: the database.
        migrate: runs the migrations. It calls the ``Steps`` that it gets before and after each. It is called
            again when a lock could not be had; all that it did before is rolled back then.
        options: what else is asked for.
        foresight: what is known of the migrations; None to take locks as they come.
        listener: what to call meanwhile.

    Raises:
        OrmViewsError: when a view is invalid, does not fit the new tables, or cannot be put aside, or when a
            lock could not be had. The database is then as it was before.
    """
    told = listener or Listener()
    on_wait = told.progress.on_wait
    connection, began = get_connection(alias), time.perf_counter()
    state = _State()

    def work(connection: BaseDatabaseWrapper) -> Finished:
        limit_lock_waits(connection)
        state.put.clear()
        definitions = compile_definitions(connection)
        definitions.raise_errors()
        aside = Aside(connection, definitions, partial(_noted, state, told))
        reaction = Reaction(connection, aside, partial(_note_lock, state))

        def lock() -> None:
            if foresight is not None:
                take_locks(
                    connection, definitions, foresight.scripts, foresight.standing, state.first, on_wait
                )

        state.steps = Steps(connection, aside, reaction, lock)
        with connection.execute_wrapper(reaction), _naming_the_migration(connection, state.steps):
            migrate(state.steps)
        aside.bring_back()
        return finish(connection, aside, options, partial(_planned, about, told), told.progress)

    with announced(alias, uuid.uuid4()) as about:
        finished = in_transaction(
            connection,
            work,
            on_wait,
            take_turn=partial(take_sync_lock, on_wait=on_wait),
            acting=lambda _: nullcontext(),
        )
        assert state.steps is not None
        result = MigrateResult(
            migrations=tuple(state.steps.applied),
            aside=tuple(state.put),
            dropped=finished.dropped,
            waiting=finished.waiting,
            synced=finished.synced,
            seconds=time.perf_counter() - began,
            locked_seconds=state.steps.locked_seconds,
        )
        about.result = _as_sync(alias, result, state, result.seconds)
        told.migrated(result)
        if finished.is_unfinished:
            result = replace(result, rebuilt=_build(connection, options, told))
            about.result = _as_sync(alias, result, state, time.perf_counter() - began)
    return result


def _build(connection: BaseDatabaseWrapper, options: MigrateOptions, listener: Listener) -> SyncResult:
    """Build the materialised views that were left.

    Raises:
        SyncFailedError: when that fails. The migrations are committed.
    """
    try:
        result = sync_database(
            connection,
            options.of_sync,
            anew=False,
            on_plan=listener.on_plan,
            progress=listener.progress,
        )
    except OrmViewsError as error:
        more = says(
            "The migrations and all other views are committed. Materialised views that could not be built "
            "have the rows that they had. Fix this, and run sync_views."
        )
        raise SyncFailedError(error.message.followed_by(more, "\n")) from error
    listener.synced(result)
    return result


def _as_sync(alias: str, result: MigrateResult, state: _State, seconds: float) -> SyncResult:
    """Return what was done as the result of one sync, with a step for each migration."""
    assert state.steps is not None
    migrations = tuple(
        StepResult(Step(Action.MIGRATE, ViewName(*name.split(".", 1)), says("it was not applied")), took)
        for name, took in zip(state.steps.applied, state.steps.seconds, strict=True)
    )
    aside = {each.view.name: each for each in state.put}
    dropped = tuple(StepResult(_drop(name, aside.get(name))) for name in result.dropped)
    syncs = [each for each in (result.synced, result.rebuilt) if each is not None]
    steps = tuple(_as_it_was(step, aside) for each in syncs for step in each.steps)
    done = (*migrations, *dropped, *steps)
    plan = syncs[-1].plan if syncs else Plan(alias)
    plan = replace(plan, steps=tuple(each.step for each in done))
    return SyncResult(plan, done, seconds, result.locked_seconds or None)


def _drop(name: ViewName, each: PutAside | None) -> Step:
    """Return the step that dropped a view of others."""
    if each is None or each.view.kind is None:
        return Step(Action.DROP, name, says("it reads a view that does not fit the new tables"))
    sent = in_phase(Phase.DROP, [ddl.drop_view(each.view.kind, name)])
    why = says("it stood against a migration (%(why)s), and does not fit the new tables", why=each.why)
    return Step(Action.DROP, name, why, sent, installed=each.view)


def _as_it_was(done: StepResult, aside: Mapping[ViewName, PutAside]) -> StepResult:
    """Return a step with what its view was before the migrations; the plan has found its stand-in."""
    each = aside.get(done.step.name)
    if each is None or done.step.installed is None:
        return done
    return replace(done, step=replace(done.step, installed=each.view))


@contextmanager
def _naming_the_migration(connection: BaseDatabaseWrapper, steps: Steps) -> Iterator[None]:
    """Name the migration that runs in what PostgreSQL refuses, and tell what cannot run with others.

    Raises:
        NotTogetherError: when a migration cannot run in one transaction with others.
        SyncFailedError: when PostgreSQL refuses a statement of a migration.
    """
    try:
        yield
    except OrmViewsError:
        raise
    except Exception as error:
        if (alone := as_not_together(steps.current, error)) is not None:
            raise alone from error
        if steps.current and isinstance(error, DatabaseError) and is_refusal(error):
            raise database_refused(connection, Sentence(steps.current), error) from error
        raise


def _note_lock(state: _State, script: Script, error: DatabaseError) -> None:
    """Note the relations of a statement that could not have its locks."""
    if is_lock_timeout(error) or is_deadlock(error):
        state.first |= {*script.locked, *script.read_only}


def _planned(about: AnnouncedSync, listener: Listener, plan: Plan) -> None:
    about.note_plan(plan)
    if listener.on_plan:
        listener.on_plan(plan)


def _noted(state: _State, listener: Listener, each: PutAside) -> None:
    state.put.append(each)
    listener.put(each)
