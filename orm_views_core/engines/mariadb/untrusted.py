"""Decides which views are read: those that depend only on what a trusted user defined.

A view runs with the rights of its definer or of its reader. What somebody else put beneath it could show with
our rights what that user may not read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.db.backends.utils import CursorWrapper

from orm_views_core.database.definers import LET_TRUST
from orm_views_core.graph import reverse
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, says

from .catalog import Facts, StoredView, read_facts, read_views

_FUNCTIONS = """
SELECT ROUTINE_SCHEMA, ROUTINE_NAME, DEFINER FROM information_schema.ROUTINES
WHERE ROUTINE_TYPE = 'FUNCTION'"""


def read_untrusted(cursor: CursorWrapper, names: Collection[ViewName]) -> dict[ViewName, Sentence]:
    """Return why the rows of some views are not read; those whose rows are read are left out."""
    facts = read_facts(cursor)
    views = {view.flat: view for view in read_views(cursor, facts)}
    foreign = {flat for flat, view in views.items() if not facts.trusts(view.definer)}
    definers = _read_foreign_functions(cursor, facts) if any(view.calls for view in views.values()) else {}
    if not (foreign or definers):
        return {}
    # What a view reads whose text is not to be seen may be somebody else's.
    unseen = {flat for flat, view in views.items() if view.statement is None} - foreign
    calling = {flat for flat, view in views.items() if view.calls & definers.keys()} - foreign
    readers = reverse({flat: view.reads for flat, view in views.items()})
    because: dict[str, StoredView] = {}
    for flat in (*sorted(foreign), *sorted(calling), *sorted(unseen)):
        _label(flat, views[flat], readers, because)
    found = {}
    for name in names:
        if (other := because.get(facts.place(name))) is None:
            continue
        if other.flat in foreign:
            found[name] = _why_foreign(name, other)
        elif other.flat in calling:
            function = min(other.calls & definers.keys())
            found[name] = _why_calling(name, other, ".".join(function), definers[function])
        else:
            found[name] = _why_unseen(name, other)
    return found


def _read_foreign_functions(cursor: CursorWrapper, facts: Facts) -> dict[tuple[str, str], str]:
    """Return the definers who are not trusted, by the database and the name of each function."""
    cursor.execute(_FUNCTIONS)
    return {
        (schema.lower(), name.lower()): definer
        for schema, name, definer in cursor.fetchall()
        if not facts.trusts(definer)
    }


def _label(
    flat: str, view: StoredView, readers: Mapping[str, Collection[str]], because: dict[str, StoredView]
) -> None:
    """Say that a view is why neither it nor what reads it is read. What has another reason keeps that."""
    pending = [flat]
    while pending:
        reader = pending.pop()
        if reader not in because:
            because[reader] = view
            pending += readers.get(reader, ())


def _why_foreign(name: ViewName, other: StoredView) -> Sentence:
    return says(
        "The rows of %(view)s are not read: the definer of %(other)s is %(owner)r, a user who is not "
        "trusted. %(advice)s",
        view=name,
        other=other.flat,
        owner=other.definer,
        advice=LET_TRUST,
    )


def _why_calling(name: ViewName, other: StoredView, function: str, definer: str) -> Sentence:
    return says(
        "The rows of %(view)s are not read: %(other)s calls the function %(function)s, and its definer is "
        "%(owner)r, a user who is not trusted. Drop the function and create it again. Or name its definer in "
        "ORM_VIEWS['TRUSTED_OWNERS'], if what that user defines may stand for our views.",
        view=name,
        other=other.flat,
        function=function,
        owner=definer,
    )


def _why_unseen(name: ViewName, other: StoredView) -> Sentence:
    return says(
        "The rows of %(view)s are not read: the role of this connection may not see what %(other)s reads, "
        "and a user who is not trusted has defined views here. Grant SHOW VIEW to that role.",
        view=name,
        other=other.flat,
    )
