"""The views that are skipped in a database, because their classes are for other engines."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress

from orm_views_core.exceptions import InvalidViewError, OrmViewsError, ViewSQLError
from orm_views_core.names import ViewName
from orm_views_core.sentences import NOTHING, Sentence, listed, says
from orm_views_core.spelling import Spelling
from orm_views_core.sql.references import qualified_references, unqualified_relations
from orm_views_core.views.engines import why_skipped
from orm_views_core.views.identity import kind_of, label_of, name_of
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.registry import registry

from .definition import SkippedView, ViewDefinition

_WORD = re.compile(r"\w+")


def skipped_views(database: str) -> tuple[SkippedView, ...]:
    """Return the views that are skipped in a database."""
    return tuple(map(_skipped, registry.skipped(database)))


def _skipped(view: type) -> SkippedView:
    name = None
    with suppress(InvalidViewError):
        name = name_of(view)
    alias = ViewOptions(view).database
    return SkippedView(label_of(view), name, kind_of(view), why_skipped(view, alias))


def said_of_sources(sql: str, skipped: Collection[SkippedView], spelling: Spelling) -> Sentence:
    """Return what is said of an SQL that the database refuses, if it reads views that are skipped there."""
    named = {name: each for each in skipped if (name := each.name)}
    words = frozenset(_WORD.findall(sql.lower()))
    bare_names = {name: _bare(name, spelling) for name in named}
    if words.isdisjoint({*bare_names.values(), *(name.name.lower() for name in named)}):
        return NOTHING
    schemas = {name.schema for name in named}
    found = {reference.target for reference in qualified_references(sql, schemas, spelling.rules)}
    bare = unqualified_relations(sql, spelling.rules)
    found |= {name for name in named if bare_names[name] in bare}
    return listed(
        (
            says("It reads %(view)s, which is skipped. %(why)s", view=name, why=each.reason)
            for name, each in named.items()
            if name in found
        ),
        "\n",
    )


def _bare(name: ViewName, spelling: Spelling) -> str:
    """Return what SQL may call a view without its schema, in lower case."""
    return (name.name if spelling.abilities.schemas else spelling.place(name)[1:-1]).lower()


def naming_skipped(
    errors: Mapping[ViewName, OrmViewsError], definitions: Mapping[ViewName, ViewDefinition]
) -> dict[ViewName, OrmViewsError]:
    """Return errors of views that were tried, with the skipped views that these name."""

    def named(name: ViewName, error: OrmViewsError) -> OrmViewsError:
        said = definitions[name].skipped_sources if name in definitions else NOTHING
        if not said or not isinstance(error, ViewSQLError):
            return error
        return ViewSQLError(error.message.followed_by(said, "\n"), error.why)

    return {name: named(name, error) for name, error in errors.items()}
