"""Sessions that are in the way of migrations: everything is locked first, or nothing is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connections

from orm_views_core.sync import sync_views

TOTALS = "SELECT id, total FROM depot_order"
WIDER = 'AlterField("Order", "total", models.BigIntegerField())'


@pytest.fixture
def before(depot: Any, release: Any) -> Any:
    release(
        {"Stored": "SELECT id, total FROM views.totals"}, Totals=TOTALS, Upper="SELECT id FROM views.totals"
    )
    sync_views()
    depot.write("0002_wider", WIDER)
    return depot


class Idle:
    """Another session, which stays in its transaction."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def __call__(self, sql: str) -> int:
        """Run SQL there; return the pid."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            cursor.execute("SELECT pg_backend_pid()")
            return int(cursor.fetchone()[0])

    def end(self) -> None:
        """End the transaction."""
        self.connection.rollback()


@pytest.fixture
def idle() -> Iterator[Idle]:
    other = connections.create_connection("default")
    other.inc_thread_sharing()
    other.set_autocommit(False)

    yield Idle(other)
    other.close()


@pytest.mark.parametrize("relation", ["depot_order", "views.totals", "views.upper", "views.stored"])
def test_a_session_that_stays_is_named_and_nothing_is_changed(before, idle, settings, take_picture, relation):
    settings.ORM_VIEWS = {"LOCK_TIMEOUT": 0.1, "LOCK_WAIT": 0.5}
    pid = idle(f"SELECT count(*) FROM {relation}")
    picture = take_picture()
    with pytest.raises(CommandError, match=rf"could not be had within 0\.5 s.*\n  pid {pid} "):
        before.migrate()
    assert take_picture() == picture
    assert before.applied() == ["0001_initial"]


def test_it_goes_on_when_the_session_has_ended(before, idle, settings):
    settings.ORM_VIEWS = {"LOCK_TIMEOUT": 0.1, "LOCK_WAIT": 20}
    idle("SELECT count(*) FROM views.upper")
    out = before.migrate(on_write=lambda text: idle.end() if "waiting: pid" in text else None)
    assert "waiting: pid " in out
    assert out.count("Applying depot.0002_wider... OK") == 1
    assert before.applied() == ["0001_initial", "0002_wider"]


def test_a_lock_that_nobody_foresaw_rolls_all_back_and_is_taken_first_then(before, idle, settings):
    settings.ORM_VIEWS = {"LOCK_TIMEOUT": 0.1, "LOCK_WAIT": 20}
    before.write("0003_code", 'run("ALTER TABLE depot_other ADD COLUMN more int")')
    idle("SELECT count(*) FROM depot_other")
    out = before.migrate(on_write=lambda text: idle.end() if "tried again" in text else None)
    assert "all of it is tried again" in out
    assert out.count("Applying depot.0003_code... OK") == 1
    assert before.applied() == ["0001_initial", "0002_wider", "0003_code"]


def test_what_a_try_that_was_rolled_back_put_aside_is_not_told_twice(before, idle, settings):
    settings.ORM_VIEWS = {"LOCK_TIMEOUT": 0.1, "LOCK_WAIT": 20}
    alter, add = "ALTER TABLE depot_order ALTER total TYPE bigint", "ALTER TABLE depot_other ADD more int"
    before.last = "0001_initial"
    before.write("0002_wider", f"run({alter!r}, {add!r})")
    idle("SELECT count(*) FROM depot_other")
    out = before.migrate(on_write=lambda text: idle.end() if "tried again" in text else None)
    assert "all of it is tried again" in out
    assert out.count("put aside: views.totals") == 1


def test_readers_of_what_is_not_concerned_do_not_wait_while_it_waits(before, idle, settings):
    settings.ORM_VIEWS = {"LOCK_TIMEOUT": 0.1, "LOCK_WAIT": 1}
    idle("SELECT count(*) FROM depot_order")
    waits: list[float] = []
    stop = threading.Event()

    def read() -> None:
        other = connections.create_connection("default")
        with other.cursor() as cursor:
            while not stop.is_set():
                for relation in ("depot_other", "views.totals", "depot_order"):
                    began = time.monotonic()
                    cursor.execute(f"SELECT count(*) FROM {relation}")
                    waits.append(time.monotonic() - began)
                time.sleep(0.002)
        other.close()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with pytest.raises(CommandError, match="could not be had"):
            before.migrate()
    finally:
        stop.set()
        reader.join()
    assert len(waits) > 50
    assert max(waits) < 1  # no reader has queued behind the run
