"""Deploys of two versions at the same time, under readers: no error anywhere, and one version whole."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.sampling import sample

from .facts import HERE, explain, query, read_facts
from .processes import Worker
from .readers import reading
from .versions import LEVELS, VERSIONS, Chain, reset, sync
from .world import ADVISORY_LOCKS, LEFT_OVER

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

CHAINS = (Chain(0), Chain(1))

#: Down and up in statements of their own, and all of it in one statement.
ORDERS = [LEVELS[::-1], LEVELS, ("top middle bottom",)]


def deploy(worker: Worker, number: int, times: int, seed: int) -> list[dict[str, Any]]:
    """Sync the two versions in turn, with pauses between; return what became of each."""
    chosen, answers = random.Random(seed + number), []
    for i in range(times):
        worker.start(VERSIONS[(i + number) % len(VERSIONS)], chains=len(CHAINS))
        answers.append(worker.answer())
        time.sleep(chosen.random() / 10)
    return answers


@pytest.mark.parametrize("processes", sample([3, 2, 4], 3, "SOAK"))
def test_syncs_of_two_versions_at_once_end_with_one_of_them_whole(how_many, seed, processes):
    reset()
    facts_of = {}
    for version in VERSIONS:
        sync(version, CHAINS)
        facts_of[version] = read_facts(HERE)
    times = how_many(4, 40)
    workers = [Worker() for _ in range(processes)]
    with ThreadPoolExecutor(processes) as pool, reading(6, ORDERS, repeatable=1) as met:
        running = [pool.submit(deploy, worker, n, times, seed) for n, worker in enumerate(workers)]
        answers = [answer for future in running for answer in future.result()]
    for worker in workers:
        worker.close()
    changed = sum(bool(answer.get("steps")) for answer in answers)
    print(
        f"\n{processes} processes, {len(answers)} syncs, {changed} changed something, SOAK_SEED={seed}; {met}"
    )
    assert [answer for answer in answers if "error" in answer or not answer] == []
    assert met.errors == []
    assert changed > 1
    found = read_facts(HERE)
    said = [explain(f"not version {version}", facts, found) for version, facts in facts_of.items()]
    assert "" in said, "\n".join(said)
    assert query(HERE, LEFT_OVER) == []
    assert query(HERE, ADVISORY_LOCKS) == [(0,)]
