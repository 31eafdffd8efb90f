"""Decides which views are read: those that depend only on what a trusted user defined.

A view runs with the rights of its definer or of its reader. What somebody else put beneath it could show with
our rights what that user may not read.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.backends.utils import CursorWrapper

from orm_views_core.database.definers import LET_TRUST
from orm_views_core.graph import closure
from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, says

from .catalog import read_facts, read_views


def read_untrusted(cursor: CursorWrapper, names: Collection[ViewName]) -> dict[ViewName, Sentence]:
    """Return why the rows of some views are not read; those whose rows are read are left out."""
    facts = read_facts(cursor)
    views = {view.flat: view for view in read_views(cursor, facts)}
    foreign = {flat for flat, view in views.items() if not facts.trusts(view.definer)}
    reads = {flat: view.reads for flat, view in views.items()}
    found = {}
    for name in names if foreign else ():
        for flat in sorted(closure(reads, [facts.place(name)]) & foreign)[:1]:
            found[name] = says(
                "The rows of %(view)s are not read: the definer of %(other)s is %(owner)r, a user who is not "
                "trusted. %(advice)s",
                view=name,
                other=flat,
                owner=views[flat].definer,
                advice=LET_TRUST,
            )
    return found
