"""Names the classes whose changes may be what PostgreSQL refuses another class for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from orm_views_core.database.dry_run import DryRun
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.exceptions import OrmViewsError, ViewSQLError
from orm_views_core.graph import closure
from orm_views_core.names import ViewName
from orm_views_core.plan.rules import why_not_replace
from orm_views_core.sentences import NOTHING, Sentence, listed, says


def naming_sources(
    dry_run: DryRun,
    dependencies: Mapping[ViewName, Collection[ViewName]],
    definitions: Mapping[ViewName, ViewDefinition],
) -> DryRun:
    """Return a dry run whose errors name the views that lose a column, or change one, and are read there.

    Args:
        dry_run: what was tried, with its errors.
        dependencies: the views that each view reads.
        definitions: the registered views.
    """
    changed = {
        name: why
        for name in dry_run.views.keys() & dry_run.installed_columns.keys() & definitions.keys()
        if (why := why_not_replace(name, dry_run))
    }

    def named(name: ViewName, error: OrmViewsError) -> OrmViewsError:
        lines = list(_lines(closure(dependencies, [name]) & changed.keys(), changed, definitions))
        why = getattr(error, "why", NOTHING)
        return ViewSQLError(error.message.followed_by(listed(lines, "\n"), "\n"), why) if lines else error

    return replace(dry_run, errors={name: named(name, error) for name, error in dry_run.errors.items()})


def _lines(
    sources: Collection[ViewName],
    changed: Mapping[ViewName, Sentence],
    definitions: Mapping[ViewName, ViewDefinition],
) -> Iterator[Sentence]:
    for name in sorted(sources):
        yield says(
            "It reads %(view)s, which changes: %(why)s (%(where)s).",
            view=name,
            why=changed[name],
            where=definitions[name].where,
        )
