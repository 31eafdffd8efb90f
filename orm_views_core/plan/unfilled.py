"""The materialised views that a sync cannot fill, because they read one that has no rows. Pure.

PostgreSQL refuses to read a materialised view without rows, whatever a query does with them. Plain views pass
that on to whatever reads them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sentences import Sentence, says
from orm_views_core.sql.references import find_references

from .facts import Facts
from .rules import Decisions, having
from .steps import Action

_MADE = {Action.CREATE, Action.REBUILD}


def wants_rows(definition: ViewDefinition, installed: InstalledView | None) -> bool:
    """Return whether a new version of a view gets rows: one that was ever filled is filled again."""
    was_filled = installed is not None and installed.kind is definition.kind and installed.populated
    return definition.kind is ViewKind.MATERIALISED_VIEW and (definition.with_data or was_filled)


def find_unfilled(decisions: Decisions, facts: Facts) -> dict[ViewName, ViewName]:
    """Return the views that should be created with rows and cannot, each with one without rows that it reads.

    Args:
        decisions: what happens to each view.
        facts: what the plan is made from.
    """
    relations, order = facts.catalog.relations, facts.scope.order
    made = having(decisions, *_MADE).intersection(order)
    # What cannot be read after the sync, each with the materialised view without rows that it reads, or is.
    closed = {name: name for name, view in relations.items() if _is_empty(view) and name not in made}
    closed |= {name: name for name in made if _stays_empty(facts.views[name], relations.get(name))}
    if not closed:
        return {}
    names = frozenset(facts.views) | closed.keys()
    unfilled: dict[ViewName, ViewName] = {}
    for name in order:
        is_made = name in made
        source = next((closed[read] for read in sorted(_reads(name, facts, names)) if read in closed), None)
        if source is None or name in closed:
            continue
        if not is_made and (name not in relations or relations[name].kind is not ViewKind.VIEW):
            continue  # a materialised view keeps its rows
        if is_made and facts.views[name].kind is ViewKind.MATERIALISED_VIEW:
            unfilled[name], source = source, name
        closed[name] = source
    return unfilled


def _is_empty(view: InstalledView) -> bool:
    return view.kind is ViewKind.MATERIALISED_VIEW and not view.populated


def _stays_empty(definition: ViewDefinition, installed: InstalledView | None) -> bool:
    return definition.kind is ViewKind.MATERIALISED_VIEW and not wants_rows(definition, installed)


def _reads(name: ViewName, facts: Facts, names: frozenset[ViewName]) -> Collection[ViewName]:
    """Return what a view will read: as PostgreSQL knows it or, if it was not tried, as its SQL names it."""
    if name in facts.dry_run.views:
        return facts.dry_run.views[name].reads
    if name in facts.catalog.relations:
        return facts.catalog.relations[name].reads
    path = facts.catalog.search_path
    return find_references(facts.views[name].sql, names, search_path=path, reader=name)


def find_emptied(
    decisions: Decisions, facts: Facts, unfilled: Mapping[ViewName, ViewName]
) -> Iterator[Sentence]:
    """Yield the problems with views that have rows now and would have none: nobody could read them."""
    relations = facts.catalog.relations
    for name, source in sorted(unfilled.items()):
        installed = relations.get(name)
        if installed is None or installed.kind is not ViewKind.MATERIALISED_VIEW or not installed.populated:
            continue
        cure = says("Refresh it first: refresh_views %(source)s --upstream.", source=source)
        if source not in relations:
            cure = says(
                "Have %(source)s created with its rows (with_data = True), or created and refreshed first.",
                source=source,
            )
        yield says(
            "%(view)s has to be rebuilt (%(reason)s), and its rows cannot be computed: it reads %(source)s, "
            "which has no rows. %(cure)s",
            view=name,
            reason=decisions[name].reason,
            source=source,
            cure=cure,
        )
