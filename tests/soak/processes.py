"""Processes that sync, seen from the test."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.db import connections

from .facts import HERE, query

ROOT = Path(__file__).absolute().parents[2]


class Worker:
    """A process that has imported everything and waits for tasks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.worker", connections[HERE].settings_dict["NAME"]],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, version: str, *, chains: int, seconds: float = 0.0) -> int:
        """Let it start to sync; return the pid of its backend."""
        assert self._process.stdin
        self._process.stdin.write(
            json.dumps({"version": version, "chains": chains, "seconds": seconds}) + "\n"
        )
        self._process.stdin.flush()
        return int(self.answer()["backend"])

    def answer(self) -> dict[str, Any]:
        """Wait for its next answer; an empty one when it is dead."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        found: dict[str, Any] = json.loads(line) if line else {}
        return found

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """Let it end, if it has not, and wait until it has."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(60)


def wait_until_gone(backend: int, seconds: float = 30) -> None:
    """Wait until a backend has noticed that nobody is there any more."""
    deadline = time.monotonic() + seconds
    while query(HERE, "SELECT 1 FROM pg_stat_activity WHERE pid = %s", [backend]):
        assert time.monotonic() < deadline, f"backend {backend} is still there after {seconds} s"
        time.sleep(0.01)
