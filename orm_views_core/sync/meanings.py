"""Finds which columns of which views mean something else once a plan is carried out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor
from orm_views_core.engines.postgresql.dry_run import WhileStaged
from orm_views_core.engines.postgresql.meanings.compare import compare
from orm_views_core.engines.postgresql.rules.catalog import read_stored
from orm_views_core.engines.postgresql.rules.follow import follow
from orm_views_core.engines.postgresql.rules.known import read_selects
from orm_views_core.lineage.api import safe_functions
from orm_views_core.lineage.changes import follow_changes
from orm_views_core.names import ViewName
from orm_views_core.plan.meanings import ChangedMeaning
from orm_views_core.plan.steps import Action, Plan


class MeaningReader:
    """Reads the stored rules of all views while new versions of some are staged.

    Args:
        ours: the registered views.
    """

    def __init__(self, ours: Collection[ViewName]) -> None:
        self.ours = ours
        self._found: Callable[[Plan], tuple[ChangedMeaning, ...]] = lambda plan: ()

    def read_staged(self, cursor: CatalogCursor, schemas: Mapping[str, str]) -> None:
        """Read and compare. What is found depends on the plan, which is made later.

        Args:
            cursor: sends the queries while the views are staged.
            schemas: the real schema of each staging schema.
        """
        stored = read_stored(cursor, None, safe_functions())
        differences = compare(stored, schemas)
        if not any(differences.values()):
            return

        def found(plan: Plan) -> tuple[ChangedMeaning, ...]:
            steps = {step.name: step for step in plan.steps}
            replaced = {n for n, step in steps.items() if step.action in {Action.REPLACE, Action.REBUILD}}
            dropped = {n for n, step in steps.items() if step.action is Action.DROP}
            own = {n: d for n, d in differences.items() if n in replaced and not steps[n].indirect}
            if not any(own.values()):
                return ()
            lineage = follow(stored, schemas, selects=read_selects(stored))
            changes = follow_changes(lineage, own, self.ours)
            return tuple(change for change in changes if change.view not in dropped)

        self._found = found

    def add_to(self, plan: Plan) -> Plan:
        """Return a plan with what means something else once it is carried out."""
        return replace(plan, meanings=self._found(plan))


def each_of(*readers: WhileStaged | None) -> WhileStaged | None:
    """Return what calls several readers of staged views, one after the other; None when there are none."""
    there = [reader for reader in readers if reader]
    if len(there) < 2:
        return there[0] if there else None

    def read(cursor: CatalogCursor, schemas: Mapping[str, str]) -> None:
        for reader in there:
            reader(cursor, schemas)

    return read
