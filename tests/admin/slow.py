"""Views whose refresh takes as many seconds as a table has, also in other processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connections

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import Run
from orm_views_core.names import ViewName
from tests.admin.browse import declare_materialised

ROOT = Path(__file__).absolute().parents[2]
SLOW = ViewAddress("default", ViewName("views", "slow"))
ABOVE = ViewAddress("default", ViewName("views", "above"))


def declare_slow() -> None:
    """Declare two views. The second reads the first. The table `pause` has the seconds of each refresh."""
    declare_materialised("Slow", "SELECT n, pg_sleep(seconds)::text AS slept FROM pause")
    declare_materialised("Above", "SELECT n FROM views.slow")


def wait_for(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait until a condition is true; return its value."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
    return found


def wait_for_state(run: Run, *states: str, seconds: float = 20.0) -> Run:
    """Wait until a run has one of some states, or has ended when no state is given."""

    def has_come() -> bool:
        run.refresh_from_db()
        return run.state in states if states else not run.is_active

    wait_for(has_come, seconds)
    return run


class Process:
    """A process of `tests.admin.worker` on the test's database. It prints what it does, line by line."""

    def __init__(self, *what: str, **settings: Any) -> None:
        name = connections["default"].settings_dict["NAME"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.admin.worker", name, json.dumps(settings), *what],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """Wait for the next line that it prints."""
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def wait(self) -> int:
        """Wait until the process has ended by itself."""
        return self._process.wait(60)

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        self._process.kill()
        self._process.wait(60)
        assert self._process.stdout
        self._process.stdout.close()
