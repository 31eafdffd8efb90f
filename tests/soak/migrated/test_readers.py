"""Readers and writers while migrations run: nobody meets an error, and who is not concerned does not wait."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.soak.conftest import SOAKING

from .project import ROOT, Project

pytestmark = pytest.mark.django_db(transaction=True)

#: What the processes do, and whether the migrations concern it.
PROCESSES = {
    "SELECT count(*), sum(total) FROM views.totals WHERE id < 1000": True,
    "SELECT town, n FROM views.bytown": True,
    "SELECT count(*), min(total), max(total) FROM views.stored": True,
    "SELECT count(*) FROM views.stored WHERE total = 5": True,
    "SELECT n, pg_typeof(total)::text FROM views.summed": True,
    "SELECT sum(n) FROM reports.theirs": True,
    "UPDATE depot_order SET note = 'changed' WHERE id = 17": True,
    "SELECT count(*) FROM views.calm": False,
    "SELECT size FROM views.calm WHERE id = 5": False,
    "SELECT count(*) FROM depot_calm": False,
    "UPDATE depot_calm SET size = size + 1 WHERE id = 3": False,
}


@pytest.fixture
def project(tmp_path: Path, how_many: Any) -> Iterator[Project]:
    made = Project(tmp_path, rows=how_many(20_000, 200_000))
    with made.database():
        yield made


@contextmanager
def watching(project: Project) -> Iterator[list[dict[str, Any]]]:
    """Let the processes work during a block; what they met with is there at its end."""
    met: list[dict[str, Any]] = []
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.soak.migrated.watcher", statement, "0.01"],
            cwd=ROOT,
            env=project.environment(1),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for statement in PROCESSES
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    try:
        yield met
    finally:
        for process in processes:
            out, _ = process.communicate("\n", timeout=60)
            met.append(json.loads(out))


def longest(met: list[dict[str, Any]], *, concerned: bool) -> float:
    return max(each["longest"] for each in met if PROCESSES[each["statement"]] is concerned)


def test_nobody_meets_an_error(project: Project, how_many: Any) -> None:
    rounds = how_many(1, 5)
    for _ in range(rounds):
        began = time.monotonic()
        with watching(project) as met:
            out = project.call("migrate_views", release=2)
        took = time.monotonic() - began
        locked = float(re.search(r"waited for ([\d.]+)s at most", out)[1])
        reads = sum(each["count"] for each in met)
        errors = [error for each in met for error in each["errors"]]
        print(f"\n{reads} statements of {len(met)} processes, {len(errors)} errors: {errors[:3]}")
        assert errors == []
        if SOAKING:  # beside other tests, everybody waits for a processor
            with watching(project) as alone:
                time.sleep(took)
            calm, usual = longest(met, concerned=False), longest(alone, concerned=False)
            waited, before = longest(met, concerned=True), longest(alone, concerned=True)
            print(f"locks held for {locked:.3f} s; longest statement on what is migrated {waited:.3f} s, on")
            print(f"everything else {calm:.3f} s; without a migration {before:.3f} s and {usual:.3f} s")
            assert calm <= usual + 0.1
            assert waited <= locked + before + 0.5
        (whole,) = [each for each in met if "max(total) FROM views.stored" in each["statement"]]
        assert len(whole["answers"]) == 1, whole  # all rows, at every look
        (stored,) = [each for each in met if "pg_typeof(total)" in each["statement"]]
        kinds = {answer.split("'")[1] for answer in stored["answers"]}
        assert kinds == {"bigint", "numeric"}, stored  # the rows it had, then the new ones; never none
        assert project.query(
            "SELECT sum(total) = (SELECT sum(total) FROM depot_order) FROM views.stored"
        ) == [(True,)]
        project.call("migrate_views", "depot", "0001", release=1)
