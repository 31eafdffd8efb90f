"""Ten processes refresh the same views at once: computed once or twice, and a true answer for everybody."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import pytest
from django.db import connections

from orm_views_core.sync import sync_views

from .facts import HERE, query
from .processes import ROOT
from .refresher import declare_shared
from .world import ADVISORY_LOCKS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views", "base")]

PROCESSES = 10

#: ``run`` is the same for all rows that one refresh computed, because it is asked once for each.
BASE = """
DROP SCHEMA IF EXISTS base CASCADE; CREATE SCHEMA base;
CREATE TABLE base.numbers (id int PRIMARY KEY); INSERT INTO base.numbers VALUES (1);
CREATE SEQUENCE base.runs;
CREATE FUNCTION base.computed() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT nextval('base.runs') $$;
"""


@pytest.fixture
def base(transactional_db: None) -> Iterator[None]:
    query(HERE, BASE)
    declare_shared()
    sync_views()
    yield
    query(HERE, "DROP SCHEMA base CASCADE")


def at_once(tasks: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Let processes begin together; return what each answered."""
    command = [sys.executable, "-m", "tests.soak.refresher", connections[HERE].settings_dict["NAME"]]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
                )
            )
            for _ in tasks
        ]
        for process in processes:
            assert process.stdout
            assert process.stdout.readline(), "it did not get ready"
        for process, task in zip(processes, tasks, strict=True):
            assert process.stdin
            process.stdin.write(json.dumps(task) + "\n")
        answers = []
        for process in processes:
            assert process.stdin
            assert process.stdout
            answers.append(json.loads(process.stdout.readline() or "[]"))
            process.stdin.close()
        return answers


def computed() -> int:
    """How often the rows of the one row's view were computed since the sync, which did it once."""
    ((last,),) = query(HERE, "SELECT last_value FROM base.runs")
    return int(last) - 1


def test_ten_processes_compute_a_view_once_or_twice(how_many):
    for _ in range(how_many(1, 20)):
        before = computed()
        answers = at_once([{"views": ["shared"]}] * PROCESSES)
        results = [result for (result,) in answers]
        outcomes = Counter(result["outcome"] for result in results)
        times = computed() - before
        print(f"\n{PROCESSES} processes at once: {dict(outcomes)}, computed {times} times")
        assert set(outcomes) <= {"refreshed", "joined"}, results
        assert outcomes["refreshed"] == times
        assert times in {1, 2}
        done = {to_the_millisecond(r["started"]): r["pid"] for r in results if r["outcome"] == "refreshed"}
        for result in results:
            assert done[to_the_millisecond(result["started"])] == result["pid"], "joined what nobody did"
        assert query(HERE, ADVISORY_LOCKS) == [(0,)]


def test_ten_processes_refresh_a_chain_with_two_jobs_each(how_many):
    for _ in range(how_many(1, 20)):
        before = computed()
        answers = at_once([{"jobs": 2}] * PROCESSES)
        assert {result["outcome"] for results in answers for result in results} <= {"refreshed", "joined"}
        assert computed() - before in {1, 2}
        assert query(HERE, "SELECT run FROM views.reader") == query(HERE, "SELECT run FROM views.shared")
        for results in answers:
            ends = {result["name"]: result for result in results}
            assert moment(ends["shared"]["started"]) <= moment(ends["reader"]["started"])
        assert query(HERE, ADVISORY_LOCKS) == [(0,)]


def test_who_wants_the_rows_of_now_gets_them_whoever_computes_them(how_many):
    for number in range(2, 2 + how_many(1, 10)):
        before = computed()
        query(HERE, "INSERT INTO base.numbers VALUES (%s)", [number])
        rows = number  # each row asks the sequence once
        answers = at_once([{"views": ["shared"], "fresh": n % 2 == 0} for n in range(PROCESSES)])
        results = [result for (result,) in answers]
        assert {result["outcome"] for result in results} <= {"refreshed", "joined"}
        assert computed() - before in {rows, 2 * rows}
        for n, result in enumerate(results):
            assert n % 2 or result["missed"] == "0:00:00"
        assert query(HERE, "SELECT count(*) FROM views.shared") == [(rows,)]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def to_the_millisecond(text: str) -> str:
    """As precise as the sync state, from which those who join have it."""
    return moment(text).isoformat(timespec="milliseconds")
