"""Which views cannot be read: they, or what they read, have no rows yet, or their owner lacks a right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.ownership import Closed
from orm_views_core.database.relations import InstalledView
from orm_views_core.engines.postgresql.catalog.dependencies import ViewReads
from orm_views_core.engines.postgresql.catalog.rights import read_closed_views
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.names import ViewKind, ViewName, quote_identifier
from orm_views_core.sentences import Sentence, listed, says


class Obstacle(NamedTuple):
    """What keeps a view from being read.

    Attributes:
        view: the view that cannot be read by itself. It is the view in question, or something that it reads.
        closed: what the owner of that view would have to read and may not; empty when it has no rows yet.
    """

    view: ViewName
    closed: tuple[Closed, ...] = ()

    @property
    def reason(self) -> Sentence:
        """Why the view in question cannot be read, a sentence."""
        if not self.closed:
            return says("It cannot be read: %(view)s has no rows.", view=self.view)
        role, names = self.closed[0].role, listed(each.relation for each in self.closed)
        return says(
            "It cannot be read: %(view)s belongs to %(role)s, who may not read %(names)s.",
            view=self.view,
            role=role,
            names=names,
        )

    @property
    def advice(self) -> Sentence:
        """What to do, a sentence."""
        if not self.closed:
            return says("Refresh %(view)s.", view=self.view)
        names = ", ".join(each.relation.quoted for each in self.closed)
        return Sentence(f"GRANT SELECT ON {names} TO {quote_identifier(self.closed[0].role)};")


def reads_of(relations: Mapping[ViewName, InstalledView]) -> ViewReads:
    """Return what some views read, if the catalog that was read has all of them."""
    return ViewReads(
        {name: set(view.reads) for name, view in relations.items()},
        {name for name, view in relations.items() if view.kind is ViewKind.VIEW},
        {name for name, view in relations.items() if view.kind and not view.populated},
    )


def find_unreadable(connection: BaseDatabaseWrapper, views: ViewReads) -> dict[ViewName, Obstacle]:
    """Return the views that cannot be read because of another view or of a right, each with why.

    A materialised view whose own rows are missing is not among them, unless it reads another such view.

    Args:
        connection: the database.
        views: what the views read, with whatever that reads.
    """
    with catalog_cursor(connection) as cursor:
        closed = read_closed_views(cursor, views.plain)
    own = {name: Obstacle(name, found) for name, found in closed.items()}
    empty = {name: Obstacle(name) for name in sorted(views.empty)}
    return {**_passed_on(views, {**empty, **own}), **own}


def _passed_on(views: ViewReads, own: Mapping[ViewName, Obstacle]) -> dict[ViewName, Obstacle]:
    """Return the readers of views that cannot be read. Plain views among them pass that on."""
    readers: defaultdict[ViewName, list[ViewName]] = defaultdict(list)
    for name, reads in views.reads.items():
        for read in reads:
            readers[read].append(name)
    found: dict[ViewName, Obstacle] = {}
    pending = list(own.items())
    while pending:
        name, obstacle = pending.pop()
        for reader in sorted(readers[name]):
            if reader not in found:
                found[reader] = obstacle
                pending += [(reader, obstacle)] if reader in views.plain else []
    return found
