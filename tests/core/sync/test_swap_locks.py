"""The locks of the swap: their order, and readers of several views in any order."""

from __future__ import annotations

import random
import threading
import time

import pytest
from django.db import DatabaseError, connections
from django.test import override_settings

from orm_views_core.database.relations import InstalledView
from orm_views_core.engines.postgresql.locking.moment import order_of_locks
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sync import sync_views
from tests.core.keeping import declare, run

READERS = [(6, 2), (4, 3)]
LOCK_TIMEOUT = 0.5
PAUSE = 0.01


def view(oid, *reads):
    return InstalledView(
        oid,
        ViewName("views", str(oid)),
        ViewKind.VIEW,
        "view",
        "me",
        reads=frozenset(ViewName("views", str(read)) for read in reads),
    )


@pytest.mark.parametrize(
    ("views", "held", "order"),
    [
        ([view(1), view(2), view(3)], [], [1, 2, 3]),
        ([view(1), view(2), view(3)], [{2, 3}, {3}], [3, 2, 1]),
        ([view(2, 1), view(1)], [{1}], [2, 1]),
        ([view(2, 1), view(1), view(3)], [{1}, {1, 3}], [3, 2, 1]),
        ([view(4, 1, 2), view(3, 1), view(2, 1), view(1)], [{1}, {1, 2}, {3}], [3, 4, 2, 1]),
        ([view(1, 7)], [{7}], [1]),
        ([], [], []),
    ],
)
def test_readers_of_others_are_locked_first_and_then_what_most_sessions_hold(views, held, order):
    assert order_of_locks(views, held) == order


@pytest.mark.parametrize("count", [10, 3_000])
def test_the_order_of_many_views_that_read_one_another_is_found_soon(count):
    chain = [view(i, i - 1) for i in range(count, 0, -1)]
    began = time.monotonic()
    assert order_of_locks(chain, [{1}]) == list(range(count, 0, -1))
    assert time.monotonic() - began < 1


class Reader(threading.Thread):
    """Reads some views in a transaction, in any order and with pauses, again and again."""

    def __init__(self, views, count, stop, seed):
        super().__init__(daemon=True)
        self.views, self.count, self.stop = views, count, stop
        self.random = random.Random(seed)
        self.longest, self.reads, self.errors = 0.0, 0, []

    def run(self):
        connection = connections.create_connection("default")
        try:
            with connection.cursor() as cursor:
                while not self.stop.wait(PAUSE):
                    self.read(cursor)
        except DatabaseError as error:
            self.errors.append(error)
        finally:
            connection.close()

    def read(self, cursor):
        cursor.execute("BEGIN")
        for i, view in enumerate(self.random.sample(self.views, self.count)):
            if i:
                time.sleep(PAUSE)
            began = time.monotonic()
            cursor.execute(f"SELECT * FROM {view}")
            self.longest = max(self.longest, time.monotonic() - began)
            self.reads += 1
        cursor.execute("COMMIT")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
@pytest.mark.parametrize("materialised", [False, True], ids=["plain", "materialised"])
@pytest.mark.parametrize(("readers", "count"), READERS, ids=["6 of 2 views", "4 of 3 views"])
def test_readers_of_several_views_in_any_order_neither_fail_nor_wait_long(readers, count, materialised):
    """Benchmark (n) measures how soon the swap succeeds. Before, it was given up at times."""
    views = [f"views.v{i}" for i in range(count)]

    def sync(columns):
        for i in range(count):
            declare(f"V{i}", f"SELECT {columns}", materialised=materialised)
        return sync_views()

    sync("1 AS a, 'x' AS b")
    stop = threading.Event()
    threads = [Reader(views, count, stop, seed) for seed in range(readers)]
    for thread in threads:
        thread.start()
    try:
        with override_settings(ORM_VIEWS={"LOCK_TIMEOUT": LOCK_TIMEOUT}):
            for i in range(3):
                (result,) = sync("'x' AS b, 1 AS a" if i % 2 == 0 else "1 AS a, 'x' AS b")
                assert result.swap_seconds is not None
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
        run("DROP SCHEMA views CASCADE; CREATE SCHEMA views")
    assert [thread.errors for thread in threads] == [[]] * readers
    assert all(thread.reads for thread in threads)
    assert max(thread.longest for thread in threads) < 2 * LOCK_TIMEOUT
