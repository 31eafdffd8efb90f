"""Recording what a sync has changed: each view as it was found, and as the sync left it.

This is done after the commit, so that no reader waits for it, and so that a sync that is rolled back has
changed nothing. The plan has the definitions. What else there is of a view is read once more. Another session
may have changed the view by then: what is read of it is not taken for the work of the sync.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from django.db import Error as DriverError
from django.db import transaction
from django.utils import timezone

from orm_views_admin.models import Facts, Run, ViewChange, digest_of
from orm_views_admin.models.changes import UNKNOWN, privileges_by_role
from orm_views_core.database.relations import Column, InstalledView
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.plan.steps import Action, Step
from orm_views_core.quoting import summary_of
from orm_views_core.sentences import listed
from orm_views_core.status.stored import read_stored
from orm_views_core.sync import SyncResult

from .work import Work
from .writing import recorded

#: The actions after which the definition may be another one.
_DEFINING = {Action.CREATE, Action.REPLACE, Action.REBUILD, Action.DROP}
#: The actions that are not about a view.
_OTHER = {Action.MIGRATE, Action.SCHEMA}
#: How many changes one statement inserts. A definition may have 100 kB.
_BATCH = 100


def record_when_committed(work: Work, result: SyncResult) -> None:
    """Record what a sync has changed, once that is committed, in a transaction of the caller as well.

    Args:
        work: the sync.
        result: what it did.
    """
    steps = _by_view(done.step for done in result.steps)
    if steps:
        record = partial(_record, work, steps, timezone.now())
        transaction.on_commit(record, using=work.target.database, robust=True)


def _by_view(steps: Iterable[Step]) -> dict[ViewName, list[Step]]:
    """Return the steps of each view in their order."""
    by_view: defaultdict[ViewName, list[Step]] = defaultdict(list)
    for step in steps:
        if step.action not in _OTHER:
            by_view[step.name].append(step)
    return {**by_view}


def _record(work: Work, steps: Mapping[ViewName, Sequence[Step]], at: dt.datetime) -> None:
    stored: Mapping[ViewName, InstalledView] = {}
    with suppress(DriverError, OrmViewsError):  # then the plan has to do
        kept = [name for name, done in steps.items() if done[0].installed and not _drops(done)]
        stored = read_stored(work.target.database, kept)
    changes = [_change(done, stored.get(name)) for name, done in steps.items()]
    for change in changes:
        change.database, change.at = work.target.database, at
        change.origin, change.who = work.origin.origin, work.origin.who
    _write(work, changes)


@recorded
def _write(work: Work, changes: Sequence[ViewChange]) -> None:
    run = Run.objects.filter(pk=pk) if (pk := work.origin.runs.get(work.target)) else work.runs
    run_id = run.values_list("pk", flat=True).first()
    for change in changes:
        change.run_id = run_id
        change.keep_sentences()
    ViewChange.objects.bulk_create(changes, batch_size=_BATCH)


def _change(steps: Sequence[Step], stored: InstalledView | None) -> ViewChange:
    """Return the change of a view, not saved.

    Args:
        steps: what was done to the view.
        stored: the view as it was read after the commit; None for a new one, whose SQL says all.
    """
    first, last = steps[0], steps[-1]
    found = first.installed
    tried = next((step.expected for step in steps if step.expected), None)
    facts = None
    if stored is not None and _is_work_of(last, stored):
        facts = _facts(stored, tried.columns if tried else first.columns)
    change = ViewChange(
        schema=first.name.schema,
        name=first.name.name,
        actions=[step.action.value for step in steps],
        reason=listed(dict.fromkeys(summary_of(step.reason) for step in steps), "\n"),
        found=_found(found) if found else "",
        lost=[summary_of(lost) for step in steps for lost in step.lost],
        sql="\n".join(step.sql for step in steps if step.statements),
        facts_before=_facts(found, first.columns) if found else None,
        facts_after=facts,
    )
    if defining := [step for step in steps if _is_defining(step)]:
        before = found.definition if found else ""
        change.before, change.before_digest = before or "", digest_of(before)
        change.after, change.after_digest = _left_by(defining[-1])
    return change


def _is_defining(step: Step) -> bool:
    return step.action in _DEFINING or (step.action is Action.ADOPT and step.expected is not None)


def _drops(steps: Sequence[Step]) -> bool:
    return steps[-1].action is Action.DROP


def _found(view: InstalledView) -> str:
    """Return how a view was found, as its sync state tells."""
    if view.state is None:
        return ""
    if view.is_as_recorded:
        return ViewChange.Found.AS_LEFT
    return ViewChange.Found.RESTORED if view.restored else ViewChange.Found.CHANGED


def _is_work_of(step: Step, view: InstalledView) -> bool:
    """Return whether a view is as a step has left it. Views of others have no sync state that tells."""
    if step.definition is None:
        return True
    return view.state is not None and view.state.code == step.definition.fingerprint and view.is_as_recorded


def _left_by(step: Step) -> tuple[str, str]:
    """Return the definition of a view after a step, and its digest.

    A new view that was not tried has the SELECT of its class: reading PostgreSQL's text of many views takes
    as long as syncing them.
    """
    if step.action is Action.DROP:
        return "", digest_of("")
    if step.expected is not None:
        return step.expected.definition, digest_of(step.expected.definition)
    return step.definition.sql if step.definition else "", UNKNOWN


def _facts(view: InstalledView, columns: Sequence[Column]) -> Facts:
    facts: Facts = {
        "kind": view.kind.value if view.kind else "",
        "owner": view.owner,
        "comment": view.text,
        "column_comments": dict(view.column_comments),
        "options": dict(view.options),
        "indexes": {
            index.name: " ".join(
                [
                    *(["UNIQUE"] if index.unique else []),
                    f"USING {index.tail}",
                    *([f"TABLESPACE {index.tablespace}"] if index.tablespace else []),
                ]
            )
            for index in view.indexes
        },
        "grants": privileges_by_role(view.grants),
    }
    if columns:
        facts["columns"] = [[each.name, _type_of(each)] for each in columns]
    return facts


def _type_of(column: Column) -> str:
    return f"{column.type} COLLATE {column.collation}" if column.collation else column.type
