"""A reader in a process of its own: reads views in a loop until its standard input closes.

`python -m tests.benchmarks.reader` takes a connection string on the first line. On the second it is told how
many views it reads in a transaction, and out of how many: `views.mixed0`, `views.mixed1` … With 0 it reads
the one view of scenario (e), without a transaction. It says `ready` after a first read, and answers in the
end with what it saw.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from select import select
from time import perf_counter, sleep

import psycopg2

PAUSE = 0.01
"""Seconds between two reads. Without it eight readers keep two processors so busy that they wait for one
another; what is to be measured is how long the database makes them wait."""

QUERY = "SELECT variant, balance FROM views.accountreport WHERE account = 42"
QUERY_MIXED = "SELECT variant FROM views.mixed{} WHERE id = 42"


@dataclass
class Seen:
    """What one reader, or all of them, saw: how often each variant of the view, and each error."""

    longest: float = 0.0
    variants: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, other: Seen) -> None:
        self.longest = max(self.longest, other.longest)
        self.variants += other.variants
        self.errors += other.errors


class Reader:
    def __init__(self, dsn: str, views: int = 0, out_of: int = 0) -> None:
        self.dsn = dsn
        self.views, self.out_of = views, out_of
        self.seen = Seen()
        self._connect()

    def read_all(self) -> None:
        """Read once, or some views in any order in one transaction, with a pause before each."""
        if not self.views:
            self.read(QUERY)
            return
        self.cursor.execute("BEGIN")
        for number, view in enumerate(random.sample(range(self.out_of), self.views)):
            if number:
                sleep(PAUSE)
            self.read(QUERY_MIXED.format(view))
        self.cursor.execute("COMMIT")

    def read(self, query: str) -> None:
        """Read once; an error counts, and takes its time like everything else that a dashboard waits for."""
        start = perf_counter()
        try:
            self.cursor.execute(query)
            rows = self.cursor.fetchall()
            self.seen.variants[str(rows[0][0]) if rows else "no row"] += 1
        except psycopg2.Error as error:
            self.seen.errors[kind_of(error)] += 1
        self.seen.longest = max(self.seen.longest, perf_counter() - start)
        if self.connection.closed:
            with suppress(psycopg2.Error):
                self._connect()

    def _connect(self) -> None:
        self.connection = psycopg2.connect(self.dsn)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()


def kind_of(error: psycopg2.Error) -> str:
    """Its class and first line, without the numbers, which differ from one to the next."""
    message, *_ = str(error).splitlines() or ["no message"]
    return f"{type(error).__name__}: {re.sub('[0-9]+', '…', message)}"


def main() -> None:
    reader = Reader(sys.stdin.readline().strip(), *map(int, sys.stdin.readline().split()))
    reader.read_all()
    reader.seen = Seen()
    print("ready", flush=True)
    while not select([sys.stdin], [], [], PAUSE)[0]:
        reader.read_all()
    print(json.dumps(vars(reader.seen)))


if __name__ == "__main__":
    main()
