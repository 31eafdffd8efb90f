"""The engines that a view is for: ``engines`` of its class, and the keys of an ``sql`` with several SELECTs.

In the database of another engine the view is skipped, as if its class were not there: ``Registry.views()``
leaves it out. A class that says something wrong is for every engine, so that an error names it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import connections
from django.utils.connection import ConnectionDoesNotExist

from orm_views_core.exceptions import SkippedViewError
from orm_views_core.names import written_at
from orm_views_core.sentences import NOTHING, Sentence, enumerated, listed, says
from orm_views_core.spelling import ENGINES, Spelling, spelling_of

from .options import OfClass, ViewOptions

_MISSING = object()


class Problem(NamedTuple):
    """What is wrong with the engines of a class, and what to write instead."""

    what: Sentence
    hint: Sentence


def may_be_limited(view: type) -> bool:
    """Return whether a class may say which engines it is for.

    It is asked once, while the class is created, and inherited from the base classes that are views.
    """
    if getattr(view, "engines", None) is not None:
        return True
    for base in view.__mro__:
        sql = base.__dict__.get("sql")
        if sql is not None:
            return type(sql) is not str and isinstance(sql, Mapping)
    return False


def _sql(view: type) -> object:
    """Return the ``sql`` of a class as it is written. No ``classproperty`` is called: it may need models."""
    for base in view.__mro__:
        attributes = vars(base)
        value = attributes.get("_view_declared", {}).get("sql", attributes.get("sql", _MISSING))
        if isinstance(value, OfClass):
            value = value.own
        if value is not _MISSING and not hasattr(value, "contribute_to_class"):
            return value
    return None


def _named(view: type) -> tuple[object, Mapping[object, object] | None]:
    """Return ``engines`` of a class, and its ``sql`` if that has several SELECTs."""
    sql = _sql(view)
    return ViewOptions(view).engines, sql if isinstance(sql, Mapping) else None


def problem_of(view: Any) -> Problem | None:
    """Return what is wrong with the engines of a class; None when nothing is."""
    if not view._view_may_be_limited:
        return None
    engines, sql = _named(view)
    listing = says("Give a list of engines, such as ['postgresql'].")
    if engines is not None and (not isinstance(engines, (list, tuple, set, frozenset)) or not engines):
        return Problem(says("its engines is %(value)r.", value=engines), listing)
    if sql is not None and not sql:
        return Problem(says("its sql is an empty dict."), says("Give a SELECT, or one for each engine."))
    for word in (*(engines or ()), *(sql or ())):
        if not isinstance(word, str) or word not in ENGINES:
            where = "engines" if word in (engines or ()) else "sql"
            return Problem(
                says("its %(where)s has %(engine)r, which is no engine.", where=where, engine=word),
                _closest(word),
            )
    for word, select in (sql or {}).items():
        if not isinstance(select, str):
            return Problem(
                says("its sql for %(engine)r is %(sql)r, not a string.", engine=word, sql=select),
                says("Give a SELECT."),
            )
    if engines and sql and not {*engines} & {*sql}:
        return Problem(
            says("its engines and its sql have no engine in common."),
            says("Give a SELECT for each of its engines."),
        )
    return None


def _closest(word: object) -> Sentence:
    if close := difflib.get_close_matches(str(word).lower(), ENGINES, n=1):
        return says("Did you mean %(engine)r?", engine=close[0])
    return says("The engines are %(engines)s.", engines=listed(map(repr, ENGINES)))


def why_skipped(view: Any, alias: str) -> Sentence:
    """Return why a view is skipped in a database, a sentence; "" when it is not."""
    if not view._view_may_be_limited or problem_of(view) or alias not in connections.settings:
        return NOTHING  # E015 or E002 reports it
    spelling = spelling_at(alias)
    words = spelling.words if spelling else ()
    engines, sql = _named(view)
    named: list[Any] = [each for each in (engines, sql) if each is not None]
    if not named or all({*words} & {*each} for each in named):
        return NOTHING
    wanted = [title for word, title in ENGINES.items() if all(word in each for each in named)]
    return says(
        "It is for %(engines)s, and database %(database)r is %(engine)s.",
        engines=enumerated(wanted),
        database=alias,
        engine=spelling.title if spelling else connections[alias].display_name,
    )


def spelling_at(alias: str) -> Spelling | None:
    """Return how a database spells views; None for an unknown alias, and where views cannot be synced."""
    try:
        return spelling_of(connections[alias])
    except ConnectionDoesNotExist:  # E002 reports it
        return None


def sql_on(view: type, sql: Mapping[str, str], alias: str) -> str:
    """Return the SELECT of a class for the engine of a database.

    Raises:
        SkippedViewError: there is none.
    """
    spelling = spelling_at(alias)
    for word in spelling.words if spelling else ():
        if word in sql:
            return sql[word]
    raise _not_here(view, alias, says("Its sql has no SELECT for database %(database)r.", database=alias))


def refuse_skipped(view: type, alias: str) -> None:
    """Raise an error if a view is skipped in the database that it is read from.

    Raises:
        SkippedViewError: it is. The error says why, and what to do.
    """
    if why := why_skipped(view, alias):
        raise _not_here(view, alias, why)


def _not_here(view: Any, alias: str, why: Sentence) -> SkippedViewError:
    engines, _ = _named(view)
    spelling = spelling_at(alias)
    word = spelling.words[0] if spelling else ""
    advice = [says("There is no view to read.")]
    if spelling and isinstance(engines, (list, tuple, set, frozenset)) and word not in engines:
        advice.append(says("To have it there, add %(engine)r to its engines.", engine=word))
    elif spelling:
        advice.append(says("To have it there, add a SELECT for %(engine)r to its sql.", engine=word))
    label = view._meta.label if hasattr(view, "_meta") else f"{view.__module__}.{view.__qualname__}"
    where = written_at(label, ViewOptions(view).source)
    return SkippedViewError(
        says("%(where)s: %(why)s %(advice)s", where=where, why=why, advice=listed(advice, " "))
    )
