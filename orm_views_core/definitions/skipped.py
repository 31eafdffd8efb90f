"""The views that are skipped in a database, because their classes are for other engines."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from orm_views_core.exceptions import InvalidViewError, OrmViewsError, ViewSQLError
from orm_views_core.names import ViewName
from orm_views_core.sentences import NOTHING, Sentence, listed, says
from orm_views_core.spelling import Spelling
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
    """Return what is said of an SQL that the database refuses, if it names views that are skipped there."""
    words = frozenset(_WORD.findall(sql.lower()))
    return listed(
        (
            says("It names %(view)s, which is skipped. %(why)s", view=each.name, why=each.reason)
            for each in skipped
            if each.name and not words.isdisjoint(_spellings(each.name, spelling))
        ),
        "\n",
    )


def _spellings(name: ViewName, spelling: Spelling) -> Iterator[str]:
    yield name.name.lower()
    yield spelling.place(name)[1:-1].lower()


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
