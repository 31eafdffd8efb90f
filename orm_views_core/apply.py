"""Carrying out a Plan: the only module that writes views. All of it in the caller's transaction."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from . import ddl
from .catalog import InstalledView, installed_fingerprint, read_catalog
from .definition import ViewDefinition
from .names import ViewKind, ViewName
from .plan import Action, Plan, Step
from .refusal import database_refused, is_ownership, is_refusal, view_refused
from .tag import Tag, join_comment

#: Statements that need no error of their own are sent together; a round trip costs more than they do.
_BATCH = 100


@dataclass(frozen=True)
class StepResult:
    """A step that was carried out, and how many seconds it took."""

    step: Step
    seconds: float


def apply_plan(
    connection: BaseDatabaseWrapper,
    plan: Plan,
    *,
    command_roles: Iterable[str] = (),
    on_step: Callable[[Step], None] | None = None,
    on_done: Callable[[StepResult], None] | None = None,
) -> list[StepResult]:
    """Carry out a plan.

    Args:
        connection: its database, inside a transaction that holds the sync lock.
        plan: a plan without problems.
        command_roles: the roles that only the command line named, to be remembered.
        on_step: called before each step.
        on_done: called after each step.

    Raises:
        ViewSQLError: when PostgreSQL refuses the SQL of a view.
        SyncFailedError: when it refuses anything else. Either way the transaction is to be rolled back.
    """
    results = []
    with connection.cursor() as cursor:
        # Building materialised views aside, and swapping them in, will take the place of this loop.
        drops = {step.name: step for step in plan.steps if step.drop_statement}
        for name in plan.drops_first:
            _execute(connection, cursor, drops[name], drops[name].drop_statement)
        for step in plan.steps:
            if on_step:
                on_step(step)
            started = time.perf_counter()
            for statement in step.statements:
                _execute(connection, cursor, step, statement)
            results.append(StepResult(step, time.perf_counter() - started))
            if on_done:
                on_done(results[-1])
        _write_tags(connection, cursor, results, list(command_roles))
    return results


def _execute(connection: BaseDatabaseWrapper, cursor: CursorWrapper, step: Step, statement: str) -> None:
    try:
        cursor.execute(statement)
    except DatabaseError as error:
        if not is_refusal(error):
            raise
        if (
            step.definition is not None
            and statement.startswith(("CREATE ", "COMMENT "))
            and not is_ownership(error)
        ):
            raise view_refused(step.definition, statement, error) from error
        where = step.definition.where if step.definition else step.target
        raise database_refused(connection, f"{where}: {step.action.verb} failed: ", error) from error


def _write_tags(
    connection: BaseDatabaseWrapper,
    cursor: CursorWrapper,
    results: list[StepResult],
    command_roles: list[str],
) -> None:
    """Record on every view that was touched what its class said and what PostgreSQL stored."""
    touched = {r.step.name: r.step.definition for r in results if r.step.definition is not None}
    if not touched:
        return
    built: dict[ViewName, float] = {}
    before = {result.step.name: result.step.installed for result in results}
    for result in results:
        if result.step.action in {Action.CREATE, Action.REBUILD, Action.REPLACE}:
            built[result.step.name] = result.seconds
    stars = [name for name, definition in touched.items() if definition.has_star]
    catalog = read_catalog(connection, [], only=list(touched), sources_of=stars)
    now = timezone.now().astimezone(dt.timezone.utc)
    statements = []
    for name, definition in touched.items():
        installed = catalog.relations[name]
        tag = _tag(definition, installed, before[name], built.get(name), now, command_roles)
        comment = join_comment(definition.comment, tag)
        statements.append(ddl.comment_on_view(definition.kind, name, comment))
    for start in range(0, len(statements), _BATCH):
        cursor.execute(";\n".join(statements[start : start + _BATCH]))


def _tag(
    definition: ViewDefinition,
    installed: InstalledView,
    before: InstalledView | None,
    seconds: float | None,
    now: dt.datetime,
    command_roles: list[str],
) -> Tag:
    old = before.tag if before else None
    materialised = definition.kind is ViewKind.MATERIALISED_VIEW
    indexes = tuple(index.name for index in definition.indexes if _has_index(installed, index.name))
    named = (*(old.granted_by_command if old else ()), *command_roles)
    tag = Tag(
        database=definition.database,
        code=definition.fingerprint,
        installed=installed_fingerprint(installed, indexes),
        synced=now if seconds is not None or old is None else old.synced,
        refreshed=old.refreshed if old and materialised else None,
        seconds=old.seconds if old and materialised else None,
        indexes=indexes,
        sources=installed.sources if definition.has_star else None,
        granted=definition.grant_select_to,
        granted_by_command=()
        if definition.hidden
        else tuple(dict.fromkeys(role for role in named if role not in definition.grant_select_to)),
    )
    if materialised and seconds is not None:
        filled = installed.populated
        tag = replace(tag, refreshed=now if filled else None, seconds=round(seconds, 3) if filled else None)
    return tag


def _has_index(view: InstalledView, name: str) -> bool:
    return any(index.name == name for index in view.indexes)
