"""What is personal in a view where columns cannot be followed: all of it, if it reads anything personal."""

from __future__ import annotations

from collections.abc import Collection

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.engines.base import PlainEngine
from orm_views_core.graph import closure
from orm_views_core.names import ViewName

from .marks import are_used, read_marks


def find_plain_personal_columns(
    connection: BaseDatabaseWrapper, engine: PlainEngine, name: ViewName
) -> Collection[str]:
    """Return the columns of a view that may be personal: all but those that its class declares not to be.

    There are none if no table has personal columns that the view reads, however many views are between. The
    role must see the texts of these views.

    Args:
        connection: the database.
        engine: its engine.
        name: the view.

    Raises:
        PersonalFieldError: what is marked as personal is no field with a column.
    """
    if not are_used():
        return ()
    marked = {mark.table.name.lower() for mark in read_marks()}
    definitions = compile_definitions(connection, anew=False)
    with engine.planning(connection):
        relations = engine.read_catalog(connection, definitions).catalog.relations
        columns = engine.read_columns(connection, [name]).get(name, ())
    reads = {each.name: each.reads for each in relations.values()}
    sources = closure(reads, [name])
    # What a view reads whose text the role may not see is not known.
    is_unseen = any(each in relations and _is_unseen(relations[each]) for each in sources)
    if not is_unseen and not any(each.name.lower() in marked for each in sources):
        return ()
    definition = definitions.views.get(name)
    spared = definition.not_personal if definition else ()
    return [column.name for column in columns if column.name not in spared]


def _is_unseen(view: InstalledView) -> bool:
    return view.kind is not None and view.definition is None
