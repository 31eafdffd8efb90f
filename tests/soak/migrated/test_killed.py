"""``migrate_views`` killed at any moment: the schema, the record of migrations and the views agree."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from .project import MIGRATIONS, ROOT, Project

pytestmark = pytest.mark.django_db(transaction=True)

LEFT = """
SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname LIKE 'orm\\_views\\_%'
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE proname LIKE 'orm\\_views\\_%'
"""
#: The type of total and the name of town say which migrations the table has seen.
TABLE = """
SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attname)
FROM pg_attribute WHERE attrelid = 'depot_order'::regclass AND attnum > 0 AND NOT attisdropped
"""
READ = (
    "SELECT sum(total) FROM views.totals",
    "SELECT sum(total) FROM views.bytown",
    "SELECT sum(total) FROM views.stored",
    "SELECT sum(total) FROM views.summed",
    "SELECT sum(total * n) FROM reports.theirs",
)
KEPT = """
SELECT (SELECT relacl::text FROM pg_class WHERE oid = 'views.stored'::regclass),
       (SELECT count(*) FROM pg_indexes
        WHERE schemaname = 'views' AND indexname IN ('by_hand', 'stored_id_key')),
       (SELECT col_description(attrelid, attnum) FROM pg_attribute
        WHERE attrelid = 'views.stored'::regclass AND attname = 'total')
"""


class Forker:
    """The processes of one release."""

    def __init__(self, project: Project, release: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.migrated.forker"],
            cwd=ROOT,
            env=project.environment(release),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, *words: str) -> int:
        """Start a command; return the pid of its process."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return int(self._answer()["pid"])

    def end(self) -> dict[str, Any]:
        """Wait until the command has ended."""
        return self._answer()

    def call(self, *words: str) -> str:
        """Run a command that has to succeed."""
        self.start(*words)
        answer = self.end()
        assert answer["status"] == 0, answer["printed"]
        return str(answer["printed"])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def close(self) -> None:
        self._process.communicate("", timeout=60)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path, rows=20_000)
    with made.database():
        yield made


def applied(project: Project) -> list[str]:
    rows = project.query("SELECT name FROM django_migrations WHERE app = 'depot' ORDER BY id")
    return [name for (name,) in rows]


def picture(project: Project) -> tuple[Any, ...]:
    """What the table is, and what is in the views; each has to be there and to have its rows."""
    return project.query(TABLE)[0][0], *(int(project.query(sql)[0][0]) for sql in READ), project.query(KEPT)


def wait_until_alone(project: Project) -> None:
    """Wait until the server has noticed that the process is dead."""
    deadline = time.monotonic() + 30
    busy = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    while project.query(busy):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_whatever_moment_it_is_killed_at(project: Project, how_many: Any, seed: int) -> None:
    count, chosen = how_many(4, 60), random.Random(seed)
    old, new = Forker(project, 1), Forker(project, 2)
    before = picture(project)
    new.call("migrate_views")
    after = picture(project)
    old.call("migrate_views", "depot", "0001")
    began = time.monotonic()
    new.call("migrate_views")
    usual = time.monotonic() - began
    assert before != after
    outcomes: Counter[str] = Counter()
    for number in range(count):
        old.call("migrate_views", "depot", "0001")
        assert picture(project) == before
        moment = usual * (number + chosen.random()) / count
        pid = new.start("migrate_views")
        time.sleep(moment)
        with suppress(ProcessLookupError):  # it has ended already
            os.kill(pid, signal.SIGKILL)
        status = new.end()["status"]
        wait_until_alone(project)
        done, found = applied(project), picture(project)
        if done == ["0001_initial"]:
            outcomes["before"] += 1
            assert found == before, f"killed after {moment:.3f} s of {usual:.3f}"
            assert project.query(LEFT) == []
        else:
            assert done == ["0001_initial", *MIGRATIONS]
            assert (found[0], *found[1:]) == after, f"killed after {moment:.3f} s of {usual:.3f}"
            outcomes["after" if status else "after, not killed"] += 1
            is_built = not project.query(LEFT)
            outcomes["rows built" if is_built else "rows kept"] += 1
        new.call("sync_views" if done != ["0001_initial"] and number % 2 else "migrate_views")
        assert picture(project) == after
        assert applied(project) == ["0001_initial", *MIGRATIONS]
        assert project.query(LEFT) == []
        assert new.call("sync_views", "--check") is not None
    print(f"\n{count} runs of {usual:.3f} s killed, SOAK_SEED={seed}: {dict(outcomes)}")
    old.close()
    new.close()
