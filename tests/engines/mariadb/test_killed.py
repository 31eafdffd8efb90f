"""Syncs that are killed at any statement: what they printed is true, and the next one finishes."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connections

from orm_views_core.views.registry import registry
from tests.soak.conftest import how_many, seed

from .server import declare, plan, states, sync

__all__ = ["how_many", "seed"]

VIEWS = 6
VERSIONS = ("a", "b")
DONE = re.compile(r"([a-z]+) +views\.(\w+)\.\.\. OK")
#: What a sync that changes nothing that others see must not print.
NEVER = ("rolled back", "Nothing was changed", "as before")


class _Killing:
    """Kills its process before or after a statement. It counts these moments."""

    def __init__(self, moment: int | None = None) -> None:
        self.count = 0
        self._moment = moment

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self._pass()
        result = execute(*arguments)
        self._pass()
        return result

    def _pass(self) -> None:
        if self.count == self._moment:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1


def _declare(version: str) -> None:
    """Declare chains of views. One more is in each version only, and one has a grant in the second."""
    for number in range(VIEWS):
        source = f"views.v{number - 1}" if number % 3 else "item"
        roles = ["analyst"] if number == 2 and version == VERSIONS[1] else []
        declare(f"V{number}", f"SELECT '{version}' AS version, id FROM {source}", grant_select_to=roles)
    declare(f"Only_{version}", f"SELECT '{version}' AS version, id FROM item", grant_select_to=["analyst"])


def _killed(version: str, output: Path, moment: int) -> bool:
    """Sync with the command in a process of its own, which is killed; return whether it was."""
    connections["default"].close()
    if process := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    code = 1
    try:
        # With a buffer, what was printed last would be lost.
        with output.open("w", buffering=1) as printed, registry.isolated():
            _declare(version)
            with connections["default"].execute_wrapper(_Killing(moment)):
                call_command("sync_views", database="default", stdout=printed, no_color=True)
            code = 0
    finally:
        os._exit(code)


def _sync(version: str) -> list[str]:
    with registry.isolated():
        _declare(version)
        steps = sync()
        assert plan() == []
        assert set(states().values()) == {"synced"}
    return steps


def _moments(version: str) -> int:
    """Return how many moments a whole sync has."""
    killing = _Killing()
    with connections["default"].execute_wrapper(killing), registry.isolated():
        _declare(version)
        sync()
    return killing.count


def _check_printed(server: Any, text: str, version: str) -> int:
    """Make sure that each line about a step is true; return how many there are."""
    for words in NEVER:
        assert words not in text
    views = server.views()
    steps = DONE.findall(text)
    for verb, name in steps:
        if verb == "drop":
            assert f"views_{name}" not in views
        else:
            assert f"'{version}' AS `version`" in views[f"views_{name}"], (verb, name, text)
    return len(steps)


def test_killed_syncs_print_what_is_true_and_the_next_one_ends(server, make_account, how_many, tmp_path):
    make_account("analyst")
    _sync(VERSIONS[0])
    moments = max(_moments(version) for version in (VERSIONS[1], VERSIONS[0]))
    count, outcomes = how_many(4, 40), Counter[str]()
    for i in range(count):
        there, wanted = VERSIONS[i % 2], VERSIONS[1 - i % 2]
        output = tmp_path / str(i)
        was_killed = _killed(wanted, output, round((i + 0.5) * moments / count))
        text = output.read_text()
        printed = _check_printed(server, text, wanted)
        assert was_killed or "Successfully" in text
        left = [name for name in server.views() if name.startswith("orm_views_try_")]
        outcomes["views left over" if left else f"{printed} of {VIEWS + 2} steps printed"] += 1
        steps = _sync(wanted)
        assert len(steps) >= (VIEWS + 2 - printed - 1 if was_killed else 0), (steps, text)
        assert set(server.views()) == {*(f"views_v{n}" for n in range(VIEWS)), f"views_only_{wanted}"}
        assert all(f"'{wanted}' AS" in text for text in server.views().values())
        assert server.readers("views_v2") == ({"analyst"} if wanted == VERSIONS[1] else set())
        assert server.readers(f"views_only_{wanted}") == {"analyst"}
        assert server.readers(f"views_only_{there}") == set()
    print(f"\n{count} syncs of {moments} moments killed: {dict(outcomes)}")
