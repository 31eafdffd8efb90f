"""Which views read a materialised view that has no rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from orm_views_core.database.relations import InstalledView
from orm_views_core.names import ViewKind, ViewName


def find_unreadable(relations: Mapping[ViewName, InstalledView]) -> dict[ViewName, ViewName]:
    """Return the views that read a materialised view without rows, each with that one.

    Plain views among them cannot be read. They pass that on to whatever reads them.
    """
    empty = {n: n for n, v in relations.items() if v.kind is ViewKind.MATERIALISED_VIEW and not v.populated}
    readers: dict[ViewName, list[ViewName]] = {}
    for name, view in relations.items() if empty else ():
        for read in view.reads:
            readers.setdefault(read, []).append(name)
    found: dict[ViewName, ViewName] = {}
    pending = sorted(empty.items())
    while pending:
        closed, source = pending.pop()
        for reader in readers.get(closed, ()):
            if reader not in found:
                found[reader] = source
                pending += [(reader, source)] if relations[reader].kind is ViewKind.VIEW else []
    return found
