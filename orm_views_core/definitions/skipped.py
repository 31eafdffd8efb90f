"""The views that are skipped in a database, because their classes are for other engines."""

from __future__ import annotations

import re
from collections import defaultdict
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


class SkippedSources:
    """The skipped views of a database, made once to find those that SQL names.

    Args:
        skipped: the views.
        spelling: how the database spells views.
    """

    def __init__(self, skipped: Collection[SkippedView], spelling: Spelling) -> None:
        self._rules = spelling.rules
        self._named = {name: each for each in skipped if (name := each.name)}
        self._schemas = frozenset(name.schema for name in self._named)
        self._by_bare_name: defaultdict[str, list[ViewName]] = defaultdict(list)
        for name in self._named:
            self._by_bare_name[_bare(name, spelling)].append(name)
        names = [*self._by_bare_name, *(name.name.lower() for name in self._named)]
        self._words = frozenset(word for name in names for word in _WORD.findall(name))

    def said_of(self, sql: str) -> Sentence:
        """Return what is said of an SQL that the database refuses, if it reads some of them."""
        if self._words.isdisjoint(_WORD.findall(sql.lower())):  # most views read none
            return NOTHING
        found = {reference.target for reference in qualified_references(sql, self._schemas, self._rules)}
        for bare in unqualified_relations(sql, self._rules):
            found.update(self._by_bare_name.get(bare, ()))
        return listed(
            (
                says("It reads %(view)s, which is skipped. %(why)s", view=name, why=self._named[name].reason)
                for name in sorted(found & self._named.keys())
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
