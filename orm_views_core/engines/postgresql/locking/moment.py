"""When to lock the views of a swap, and in which order, so that readers of several views are not in the way.

We lock one view after the other, and so do readers. A session that holds one view makes a try fail when it
wants another one that we have locked already.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Collection, Sequence
from heapq import heapify, heappop, heappush

from django.db.backends.utils import CursorWrapper

from orm_views_core.database.relations import InstalledView

from .holders import read_held

_PATIENCE = 0.04  # seconds after which one more session in the way is put up with
_LONGEST = 0.1  # seconds after which any number of them is
_SHORTEST_REST, _LONGEST_REST = 0.001, 0.003  # seconds between two looks, which make nobody wait


def wait_for_a_good_moment(cursor: CursorWrapper, views: Sequence[InstalledView]) -> list[InstalledView]:
    """Wait a little until few sessions are in the way; return views in the order in which to lock them.

    A session is in the way when it holds one of the views and not the one that is locked first.
    """
    began = time.monotonic()
    while True:
        held = read_held(cursor, [view.oid for view in views])
        order = order_of_locks(views, held)
        in_the_way = sum(order[0] not in each for each in held)
        waited = time.monotonic() - began
        if in_the_way <= waited / _PATIENCE or waited >= _LONGEST:
            by_oid = {view.oid: view for view in views}
            return [by_oid[oid] for oid in order]
        time.sleep(random.uniform(_SHORTEST_REST, _LONGEST_REST))  # noqa: S311 - guards nothing


def order_of_locks(views: Sequence[InstalledView], held: Collection[frozenset[int]]) -> list[int]:
    """Return the oids of some views in the order in which to lock them.

    Views that read others come first: a reader locks them in that order. Of the others, the view comes first
    that most sessions hold. They are not in the way when they go on to another view, and it takes longest
    until all of them have ended.

    Args:
        views: the views.
        held: for each other session, the oids of those that it holds.
    """
    holders = Counter(oid for each in held for oid in each)
    position = {view.name: i for i, view in enumerate(views)}
    reads = [[position[name] for name in view.reads if name in position] for view in views]
    readers = Counter(i for each in reads for i in each)
    ready = [(-holders[view.oid], i) for i, view in enumerate(views) if not readers[i]]
    heapify(ready)
    order = []
    while ready:
        _, chosen = heappop(ready)
        order.append(views[chosen].oid)
        for i in reads[chosen]:
            readers[i] -= 1
            if not readers[i]:
                heappush(ready, (-holders[views[i].oid], i))
    return order
