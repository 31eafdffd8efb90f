"""Readers in threads: each reads views in a loop while a block runs, and keeps what went wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from .facts import HERE
from .versions import read_statement, version_read

#: Between two rounds, so that the readers leave a processor to whoever syncs.
PAUSE = 0.002


@dataclass
class Reads:
    """What one reader, or all of them, met with."""

    count: int = 0
    longest: float = 0.0
    errors: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.count} reads, {len(self.errors)} errors, longest read {self.longest * 1000:.0f} ms"


def new_connection() -> BaseDatabaseWrapper:
    """Return another session of the test's database, which any thread may use."""
    connection = connections.create_connection(HERE)
    connection.inc_thread_sharing()
    connection.connect()
    return connection


class Reader(threading.Thread):
    """Reads some levels of the first chain again and again, in the given order.

    A reader that has seen the version it was told is new never sees the old one again, on any level.
    """

    def __init__(
        self,
        levels: Sequence[str],
        stop: threading.Event,
        *,
        new: str = "",
        repeatable: bool = False,
        linger: float = 0.0,
    ):
        super().__init__(daemon=True)
        self.levels, self.stop, self.new = levels, stop, new
        self.repeatable, self.linger = repeatable, linger
        self.reads = Reads()
        self._seen_new = ""

    def run(self) -> None:
        connection = new_connection()
        try:
            with connection.cursor() as cursor:
                while not self.stop.is_set() and len(self.reads.errors) < 5:
                    self._round(cursor)
                    time.sleep(PAUSE)
        finally:
            connection.close()

    def _round(self, cursor: CursorWrapper) -> None:
        try:
            if self.repeatable:
                # A snapshot that may be older than the swap whose views it reads.
                cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM base.t")
            for level in self.levels:
                self._read(cursor, level)
        except Exception as error:  # noqa: BLE001 - every error of a reader is a failure, whatever it is
            self.reads.errors.append(f"{type(error).__name__}: {str(error).strip()}")
        finally:
            if self.repeatable:
                cursor.execute("ROLLBACK")

    def _read(self, cursor: CursorWrapper, level: str) -> None:
        started = time.perf_counter()
        cursor.execute(f"SELECT found.*, pg_sleep({self.linger}) FROM ({read_statement(level)}) AS found")
        row = cursor.fetchone()[:2]
        self.reads.longest = max(self.reads.longest, time.perf_counter() - started)
        self.reads.count += 1
        version = version_read(level, row)
        if version == self.new:
            self._seen_new = level
        assert not self._seen_new or version == self.new, (
            f"{self._seen_new} was new already, and {level} is old"
        )


@contextmanager
def reading(
    number: int, levels: Sequence[Sequence[str]], *, new: str = "", repeatable: int = 0, linger: float = 0.0
) -> Iterator[Reads]:
    """Let some readers read while a block runs; what they met with is complete at its end.

    Args:
        number: how many.
        levels: in which orders they read the levels; the readers take turns with these.
        new: the version after whose first sight none may see another.
        repeatable: how many of them read in transactions whose snapshot is taken before the first read.
        linger: for how many seconds each read goes on holding what it reads.
    """
    stop, total = threading.Event(), Reads()
    readers = [
        Reader(levels[i % len(levels)], stop, new=new, repeatable=i < repeatable, linger=linger)
        for i in range(number)
    ]
    for reader in readers:
        reader.start()
    try:
        deadline = time.monotonic() + 20
        while not all(reader.reads.count for reader in readers) and time.monotonic() < deadline:
            time.sleep(0.01)
        yield total
    finally:
        stop.set()
        for reader in readers:
            reader.join(60)
    total.count = sum(reader.reads.count for reader in readers)
    total.longest = max(reader.reads.longest for reader in readers)
    total.errors = [error for reader in readers for error in reader.reads.errors]
