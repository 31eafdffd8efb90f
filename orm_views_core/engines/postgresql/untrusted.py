"""Decides which views are read: those that a class declares and that depend only on what is trusted.

SELECT runs the functions that a view depends on, and EXPLAIN runs the immutable ones, both with our rights.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from orm_views_core.database.asked import absent, no_view, undeclared
from orm_views_core.definitions.registered import registered_views
from orm_views_core.exceptions import RowsUnavailableError
from orm_views_core.names import ViewName
from orm_views_core.sentences import NOTHING, Sentence, says

from .catalog.fetch import fetch
from .catalog.reach import Untrusted, read_untrusted
from .catalog.search_path import catalog_path
from .catalog.trust import read_trusted_roles

# PREPARE locks a view and what its SELECT reads until the end of the transaction, and neither plans nor runs
# it. LOCK TABLE refuses materialised views, and needs SELECT on whole tables.
# https://www.postgresql.org/docs/current/sql-prepare.html
_LOCK = "PREPARE orm_views_lock AS SELECT FROM "
_FORGET = "DEALLOCATE orm_views_lock"

# Does something with any number of views in one round trip. A view for which it fails is left out of the
# result.
_BLOCK = """
DO $orm_views$
DECLARE
    name pg_catalog.text;
    plan pg_catalog.json;
    result pg_catalog.jsonb := '{}';
BEGIN
    FOR name IN SELECT pg_catalog.jsonb_array_elements_text(
        pg_catalog.current_setting('orm_views.names')::pg_catalog.jsonb)
    LOOP
        BEGIN
            BODY
            result := result OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object(name, VALUE);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    PERFORM pg_catalog.set_config('orm_views.names', result::pg_catalog.text, true);
END
$orm_views$
"""

# A view that another session has locked for longer than lock_timeout is left out.
_LOCK_ONE = f"EXECUTE pg_catalog.concat('{_LOCK}', name); EXECUTE '{_FORGET}';"

_RELATIONS = """
SELECT asked.name, c.oid, c.relkind, c.relpersistence, c.reltuples
FROM pg_catalog.unnest(%(names)s::pg_catalog.text[]) AS asked (name)
JOIN pg_catalog.pg_class c
  ON c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(asked.name)::pg_catalog.oid
"""

# to_regclass() sees what is committed by now, even if this transaction has an older snapshot.
_OIDS = """
SELECT asked.name, pg_catalog.to_regclass(asked.name)::pg_catalog.oid
FROM pg_catalog.unnest(%(names)s::pg_catalog.text[]) AS asked (name)
"""


class Judgement(NamedTuple):
    """Whether the rows of a view may be read.

    Attributes:
        why_not: why they may not, in sentences; "" if they may.
        oid: the oid of the view; 0 if no class declares it.
        rows: how many rows a materialised view has by PostgreSQL's statistics; None if that is unknown.
    """

    why_not: Sentence
    oid: int = 0
    rows: int | None = None


def judge(
    cursor: CursorWrapper, database: str, names: Iterable[ViewName], *, in_page: bool
) -> dict[ViewName, Judgement]:
    """Decide whose rows may be read. Views that are not in the database are left out.

    The number of queries does not depend on the number of views.

    Args:
        cursor: in a transaction.
        database: the alias that the views are declared for.
        names: the views.
        in_page: whether a page reads them. If so, the owners of the schemas that classes place their views in
            are trusted too.
    """
    registered = registered_views(database)
    declared = registered.names
    asked = {name.quoted: name for name in names if name in declared}
    judged = {name: Judgement(undeclared(name)) for name in names if name not in declared}
    with catalog_path(cursor) as catalog:
        found = fetch(catalog, _RELATIONS, {"names": list(asked)})
        schemas = registered.schemas if in_page else ()
        trusted = read_trusted_roles(catalog, owners_of=schemas)
        untrusted = read_untrusted(catalog, [oid for _, oid, *_ in found], trusted)
    for text, oid, relkind, persistence, tuples in found:
        name, why_not = asked[text], NOTHING
        if relkind not in {"v", "m"} or persistence == "t":
            why_not = no_view(name)
        elif what := untrusted.get(oid):
            why_not = distrusted(name, what, is_itself=what.oid == oid)
        rows = int(tuples) if relkind == "m" and tuples >= 0 else None
        judged[name] = Judgement(why_not, oid, rows)
    return judged


def distrusted(name: ViewName, what: Untrusted, *, is_itself: bool) -> Sentence:
    """Return why rows are not read that depend on somebody whom we do not trust.

    Args:
        name: the view.
        what: what belongs to them.
        is_itself: whether that is the view.
    """
    whose = says("it belongs to the role %(owner)r", owner=what.owner)
    if not is_itself:
        whose = says(
            "it depends on %(what)s, which belongs to the role %(owner)r", what=what.what, owner=what.owner
        )
    return says(
        "The rows of %(view)s are not read, because %(whose)s. That role is not trusted: what it "
        "writes would run with the rights of this connection. If you trust it, add it to "
        "ORM_VIEWS['TRUSTED_OWNERS']. Otherwise change the owner, or what the view reads.",
        view=name,
        whose=whose,
    )


def require_readable(cursor: CursorWrapper, database: str, name: ViewName, *others: ViewName) -> None:
    """Make sure that a page may read a view, and lock it until the end of the transaction.

    Args:
        cursor: in a transaction.
        database: the alias that the views are declared for.
        name: the view.
        others: further views that are read with it, unless they are not in the database.

    Raises:
        RowsUnavailableError: when the view is not in the database, or when one of them may not be read.
        DatabaseError: when one of them is locked.
    """
    judged = judge(cursor, database, [name, *others], in_page=True)
    if name not in judged:
        raise RowsUnavailableError(absent(name))
    for judgement in judged.values():
        if judgement.why_not:
            raise RowsUnavailableError(judgement.why_not, judgement.rows)
    lock_view(cursor, judged)


def lock_view(cursor: CursorWrapper, judged: Mapping[ViewName, Judgement]) -> None:
    """Lock views that may be read until the end of the transaction.

    What is trusted can only be changed by who is trusted. But others may be able to drop it, with the schema
    that it is in, and to create something of the same name.

    Raises:
        RowsUnavailableError: when one of them has been replaced since.
        DatabaseError: when one of them is locked.
    """
    _hold(cursor, judged)
    for name in judged.keys() - _unchanged(cursor, judged):
        raise RowsUnavailableError(says("%(view)s was replaced a moment ago. Try again.", view=name))


def hold_views(connection: BaseDatabaseWrapper, names: Collection[ViewName]) -> None:
    """Lock views, so that nobody replaces or alters them before the transaction ends. Nothing is run."""
    if names:
        with connection.cursor() as cursor:
            _hold(cursor, names)


def _hold(cursor: CursorWrapper, names: Iterable[ViewName]) -> None:
    cursor.execute(_LOCK + ", ".join(name.quoted for name in names))
    cursor.execute(_FORGET)


def lock_views(cursor: CursorWrapper, judged: Mapping[ViewName, Judgement]) -> set[ViewName]:
    """Lock views that may be read, and return those that could be locked and are still the same."""
    names = {name.quoted: name for name in judged}
    locked = {names[text] for text in for_each(cursor, names, _LOCK_ONE, "true")}
    return locked & _unchanged(cursor, judged)


def _unchanged(cursor: CursorWrapper, judged: Mapping[ViewName, Judgement]) -> set[ViewName]:
    with catalog_path(cursor) as catalog:
        rows: dict[str, int | None] = dict(fetch(catalog, _OIDS, {"names": [n.quoted for n in judged]}))
    return {name for name, judgement in judged.items() if rows[name.quoted] == judgement.oid}


def for_each(cursor: CursorWrapper, names: Iterable[str], body: str, value: str) -> dict[str, Any]:
    """Run statements for each of some names, and return a value for each for which they succeed.

    A DO block has neither parameters nor a result, so both go through a setting of the transaction, as JSON.

    Args:
        cursor: in a transaction.
        names: the quoted names.
        body: statements of PL/pgSQL, for which ``name`` is the name and ``plan`` is free for some JSON.
        value: the expression of the value.
    """
    cursor.execute("SELECT pg_catalog.set_config('orm_views.names', %s, true)", [json.dumps(list(names))])
    cursor.execute(_BLOCK.replace("BODY", body).replace("VALUE", value))
    cursor.execute("SELECT pg_catalog.current_setting('orm_views.names')")
    found: dict[str, Any] = json.loads(cursor.fetchone()[0])
    return found
