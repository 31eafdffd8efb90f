"""Several readers at once, for as long as a block lasts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import sleep

from tests.benchmarks.packages import ROOT
from tests.benchmarks.reader import Seen

LEAD = 0.5
"""How many seconds they read before and after the block."""


@contextmanager
def reading(dsn: str, readers: int) -> Iterator[Seen]:
    """Readers at work; what they saw is there after the block."""
    seen = Seen()
    with ExitStack() as stack:
        processes = [stack.enter_context(_start(dsn)) for _ in range(readers)]
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


def _start(dsn: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.benchmarks.reader"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdin
    process.stdin.write(f"{dsn}\n")
    return process


def _parse(output: str) -> Seen:
    values = json.loads(output)
    return Seen(values["longest"], Counter(values["variants"]), Counter(values["errors"]))
