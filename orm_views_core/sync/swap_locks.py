"""What the swap does before its statements: it locks readers out and checks that nothing was changed."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.backends.utils import CursorWrapper

from orm_views_core.database.extras import Extra
from orm_views_core.database.relations import InstalledView
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.batches import send
from orm_views_core.engines.postgresql.catalog.extras import read_extras
from orm_views_core.engines.postgresql.catalog.introspection import read_again
from orm_views_core.engines.postgresql.catalog.search_path import catalog_path
from orm_views_core.engines.postgresql.locking.locks import Overtaken
from orm_views_core.engines.postgresql.locking.moment import wait_for_a_good_moment
from orm_views_core.engines.postgresql.locking.touches import touch
from orm_views_core.engines.postgresql.locking.within import all_within
from orm_views_core.plan.steps import Action, Phase, Plan, Step
from orm_views_core.sentences import says


def lock_readers_out(cursor: CursorWrapper, plan: Plan, timeout: float) -> None:
    """Lock all views of the swap.

    Args:
        timeout: in seconds.
    """
    steps = {step.installed.oid: step for step in plan.swapped if step.installed}
    views = [step.installed for step in steps.values() if step.installed]
    locks = [_lock(steps[view.oid]) for view in wait_for_a_good_moment(cursor, views)]
    send(cursor, all_within(timeout, locks))


def _lock(step: Step) -> str:
    assert step.installed is not None
    assert step.installed.kind is not None
    creates = step.action in {Action.REPLACE, Action.REBUILD}
    return ddl.lock_view(step.installed.kind, step.name, owner=None if creates else step.installed.owner)


def check_that_nothing_was_changed(cursor: CursorWrapper, plan: Plan) -> None:
    """Check that the views are as the plan found them, and keep others from changing them afterwards.

    Raises:
        Overtaken: when a view or its extras have changed, or when a view that is dropped has a new reader.
    """
    touch(cursor, list(plan.extras))
    swapped = {step.name: step for step in plan.swapped}
    with catalog_path(cursor) as catalog:
        extras = read_extras(catalog, list(plan.extras))
        views = read_again(catalog, list(swapped))
    for name, step in swapped.items():
        before, after = step.installed, views.get(name)
        assert before is not None
        if after is None or (*_state(after), after.rule) != (*_state(before), before.rule or after.rule):
            raise Overtaken(says("%(view)s was changed meanwhile", view=name))
        if _but_comments(extras.get(before.oid, ())) != _but_comments(plan.extras.get(before.oid, ())):
            raise Overtaken(
                says("%(view)s was given or lost a grant, an index or the like meanwhile", view=name)
            )
        new = {reader for reader in after.read_by if reader.schema not in plan.staging.values()}
        new -= before.read_by | {other.name for other in plan.steps}
        if new and step.sql_in(Phase.DROP):
            raise Overtaken(
                says("%(reader)s was made meanwhile and reads %(view)s", reader=min(new), view=name)
            )


def _but_comments(extras: Iterable[Extra]) -> list[Extra]:
    """Leave out the view's comment: a refresh writes its time into it."""
    return [extra for extra in extras if extra.kind != "comment"]


def _state(view: InstalledView) -> tuple[object, ...]:
    """Return what others may change of a view and is not one of its extras; the rule is left out."""
    return view.oid, view.owner, view.text, view.options
