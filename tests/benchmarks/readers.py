"""Several readers at once, for as long as a block lasts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import sleep
from typing import NamedTuple

from tests.benchmarks.packages import ROOT
from tests.benchmarks.reader import Seen

LEAD = 0.5
"""How many seconds they read before and after the block."""


class Readers(NamedTuple):
    """Some readers, each of which reads so many views in a transaction; 0 for one view without one."""

    count: int
    views: int = 0
    out_of: int = 0


@contextmanager
def reading(dsn: str, *groups: Readers) -> Iterator[Seen]:
    """Readers at work; what they saw is there after the block."""
    seen = Seen()
    with ExitStack() as stack:
        processes = [stack.enter_context(_start(dsn, group)) for group in groups for _ in range(group.count)]
        for process in processes:
            assert process.stdout
            process.stdout.readline()  # ready
        sleep(LEAD)
        try:
            yield seen
        finally:
            sleep(LEAD)
            for process in processes:
                assert process.stdin
                process.stdin.close()
            for process in processes:
                assert process.stdout
                seen.add(_parse(process.stdout.read()))


def _start(dsn: str, group: Readers) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.benchmarks.reader"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdin
    process.stdin.write(f"{dsn}\n{group.views} {group.out_of}\n")
    return process


def _parse(output: str) -> Seen:
    values = json.loads(output)
    return Seen(values["longest"], Counter(values["variants"]), Counter(values["errors"]))
