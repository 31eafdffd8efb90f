"""Syncs killed at any moment: the database is as before or as after, and the next sync goes through."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from orm_views_core.sync import plan_views
from orm_views_core.views.registry import registry

from .facts import HERE, Facts, explain, query, read_facts, read_identities
from .processes import Worker, wait_until_gone
from .versions import VERSIONS, Chain, reset, sync
from .world import ADVISORY_LOCKS, LEFT_OVER

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

CHAINS = tuple(Chain(n) for n in range(2))

#: The moments are spread over this much of a sync's usual length: some come when it is over already.
SPREAD = 1.5

_BY_HAND = """
GRANT SELECT ON views.bottom0, views.middle0, views.top0 TO PUBLIC;
CREATE INDEX by_hand ON views.top0 (top, id);
COMMENT ON COLUMN views.middle0.middle IS 'by hand';
"""


class Workers:
    """One worker at work and one that is ready: starting Python takes longer than a sync."""

    def __init__(self) -> None:
        self.at_work, self._ready = Worker(), Worker()

    def kill(self) -> None:
        """Kill the one at work; the one that was ready takes its place."""
        self.at_work.kill()
        self.at_work, self._ready = self._ready, Worker()

    def close(self) -> None:
        self.at_work.close()
        self._ready.close()


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers()
    yield made
    made.close()


@pytest.fixture
def facts_of() -> dict[str, Facts]:
    """What the catalogs know of each version, with what was made by hand. The first one is what there is."""
    reset()
    sync(VERSIONS[0], CHAINS)
    query(HERE, _BY_HAND)
    found = {}
    for version in (*VERSIONS[1:], VERSIONS[0]):
        sync(version, CHAINS)
        found[version] = read_facts(HERE)
    return found


def usual_seconds(workers: Workers, how: str) -> float:
    """Measure a sync that nobody kills, there and back; the first of its process if processes are killed.

    The shorter one counts: what else runs on the machine may hold up the other.
    All moments would then be late.
    """
    taken = []
    for version in (*VERSIONS[1:], VERSIONS[0]):
        if how == "process":
            workers.kill()
        worker = workers.at_work
        worker.start(version, chains=len(CHAINS))
        started = time.perf_counter()
        answer = worker.answer()
        taken.append(time.perf_counter() - started)
        assert "error" not in answer, answer
    return min(taken)


def kill_and_look(
    workers: Workers, facts_of: dict[str, Facts], count: int, seed: int, how: str
) -> Counter[str]:
    """Kill one sync after the other, from each version to the other in turn, and look at what is left."""
    chosen, usual, outcomes = random.Random(seed), usual_seconds(workers, how), Counter[str]()
    there = VERSIONS[0]
    for i in range(count):
        moment = usual * SPREAD * (i + chosen.random()) / count
        when = f"{how} killed after {moment * 1000:.1f} ms of {usual * 1000:.0f}"
        wanted = VERSIONS[1 - VERSIONS.index(there)]
        before = read_facts(HERE), read_identities(HERE)
        backend = workers.at_work.start(wanted, chains=len(CHAINS))
        time.sleep(moment)
        if how == "process":
            workers.kill()
        else:
            query(HERE, "SELECT pg_terminate_backend(%s)", [backend])
            told = workers.at_work.answer().get("error", "that it was done")
            outcomes[f"told {told}"] += 1
        wait_until_gone(backend)
        outcomes[_look(before, facts_of[wanted], when)] += 1
        sync(wanted, CHAINS)
        assert not (said := explain("the next sync", facts_of[wanted], read_facts(HERE))), said
        _check_that_nothing_is_left()
        with registry.isolated():
            for chain in CHAINS:
                chain.declare(wanted)
            (plan,) = plan_views(databases=[HERE])
        assert plan.is_empty
        there = wanted
    print(f"\n{count} syncs of {usual * 1000:.0f} ms, SOAK_SEED={seed}, {how} killed: {dict(outcomes)}")
    return outcomes


def _look(before: tuple[Facts, dict[str, tuple[int, int]]], after: Facts, when: str) -> str:
    """Say whether the database is as before, views and their files too, or as after."""
    facts, identities = read_facts(HERE), read_identities(HERE)
    _check_that_nothing_is_left()
    if facts == after:
        assert not {oid for oid, _ in before[1].values()} >= {oid for oid, _ in identities.values()}
        return "after"
    said = explain(f"{when}: neither as after nor as before", before[0], facts)
    assert not said, said
    assert identities == before[1], f"{when}: views were built anew, and nothing else shows it"
    return "before"


def _check_that_nothing_is_left() -> None:
    assert query(HERE, LEFT_OVER) == []
    assert query(HERE, ADVISORY_LOCKS) == [(0,)]


@pytest.mark.parametrize("how", ["process", "backend"])
def test_a_killed_sync_leaves_the_database_as_before_or_as_after(workers, facts_of, how_many, seed, how):
    count = how_many(6, 120)
    outcomes = kill_and_look(workers, facts_of, count, seed, how)
    assert outcomes["before"] + outcomes["after"] == count
    assert outcomes["before"], "no sync was killed before its end"
    if count > 100:
        assert outcomes["after"], "no sync came to its end before it was killed"
    told = {what for what in outcomes if what.startswith("told")}
    assert told <= {"told that it was done", "told SyncFailedError", "told DatabaseUnavailableError"}, told
