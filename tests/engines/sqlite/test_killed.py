"""Processes that are killed while they sync or migrate: the file has all views, and all of one version."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections

from orm_views_core.views.registry import registry
from tests.soak.conftest import how_many, seed

from .files import ALIAS, File, declare, plan, sync
from .migrating import Package, migrate

__all__ = ["how_many", "seed"]

VIEWS = 12
VERSIONS = ("a", "b")
#: The moments are spread over this much of a sync's usual length: some come when it is over already.
SPREAD = 1.3


def _fork(work: Callable[[], Any]) -> int:
    """Do something in a process of its own, which inherits no connection; return its id."""
    for connection in connections.all(initialized_only=True):
        connection.close()
    if process := os.fork():
        return process
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def _end_of(process: int) -> int:
    """Wait for a process; return its exit code, or the negative number of the signal that has ended it."""
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status)


def _declare(version: str) -> None:
    for number in range(VIEWS):
        source = f"views.view{number - 1}" if number % 3 else "item"
        declare(f"View{number}", f"SELECT '{version}' AS version, id FROM {source}")


def _sync(version: str) -> list[str]:
    with registry.isolated():
        _declare(version)
        steps = sync()
        assert plan() == []
    return steps


def _sync_often(versions: str) -> None:
    with registry.isolated():
        for version in versions:
            _declare(version)
            sync()


def _version_of(file: File) -> str:
    """Return the version of the views.

    Raises:
        AssertionError: when they are of several, or one is missing.
    """
    with file.elsewhere(timeout=10) as other:
        selects = [f"SELECT version FROM views_view{number}" for number in range(VIEWS)]
        found = [version for (version,) in other.execute(" UNION ALL ".join(selects))]
    assert len(found) == VIEWS
    assert len(set(found)) == 1, found
    return found[0]


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_killed_syncs_leave_all_views_of_one_version(file, how_many, seed, journal):
    connections.settings[ALIAS] = {**connections.settings[ALIAS], "OPTIONS": {}}
    file.run(f"PRAGMA journal_mode = {journal}")
    file.run("CREATE TABLE item (id integer PRIMARY KEY)")
    file.run("INSERT INTO item VALUES (1)")
    taken = []
    for version in (*VERSIONS, VERSIONS[0]):
        started = time.perf_counter()
        assert _end_of(_fork(lambda version=version: _sync(version))) == 0
        taken.append(time.perf_counter() - started)
    count, chosen, outcomes = how_many(6, 40), random.Random(seed), Counter[str]()
    usual, there = min(taken), VERSIONS[0]
    for i in range(count):
        wanted = VERSIONS[1 - VERSIONS.index(there)]
        process = _fork(lambda wanted=wanted: _sync(wanted))
        time.sleep(usual * SPREAD * (i + chosen.random()) / count)
        os.kill(process, signal.SIGKILL)
        assert _end_of(process) in (0, -signal.SIGKILL)
        version = _version_of(file)
        assert file.is_whole()
        outcomes["before" if version == there else "after"] += 1
        assert len(_sync(wanted)) == (0 if version == wanted else VIEWS)
        assert _version_of(file) == wanted
        there = wanted
    print(f"\n{count} syncs of {usual * 1000:.0f} ms killed, SOAK_SEED={seed}, {journal}: {dict(outcomes)}")
    assert outcomes["before"], "no sync was killed before its end"


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_processes_that_sync_at_once_take_turns(file, journal):
    file.run(f"PRAGMA journal_mode = {journal}")
    file.run("CREATE TABLE item (id integer PRIMARY KEY)")
    file.run("INSERT INTO item VALUES (1)")
    processes = [
        _fork(lambda versions=versions: _sync_often(versions)) for versions in ("abab", "baba", "aaaa")
    ]
    assert [_end_of(process) for process in processes] == [0, 0, 0]
    assert _version_of(file) in VERSIONS
    assert file.is_whole()


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_reader_sees_all_views_of_one_version(file, journal):
    file.run(f"PRAGMA journal_mode = {journal}")
    file.run("CREATE TABLE item (id integer PRIMARY KEY)")
    file.run("INSERT INTO item VALUES (1)")
    _sync("b")
    process, seen = _fork(lambda: _sync_often("ab" * 3)), Counter[str]()
    while (ended := os.waitpid(process, os.WNOHANG)) == (0, 0):
        seen[_version_of(file)] += 1
    assert ended == (process, 0)
    print(f"\nread {journal}: {dict(seen)}")
    assert sum(seen.values()) > 5
    assert _version_of(file) == "b"


@pytest.fixture
def package(file: File, tmp_path: Any, monkeypatch: Any, settings: Any) -> Iterator[Package]:
    """The migrations of the app `shop`, the first of which is applied, with views of ours and of others."""
    monkeypatch.syspath_prepend(tmp_path)
    package = Package(tmp_path)
    settings.MIGRATION_MODULES = {**settings.MIGRATION_MODULES, "shop": package.name}
    migrate("0001")
    declare("Codes", "SELECT id, code FROM shop_item")
    sync()
    file.run("CREATE VIEW theirs AS SELECT code FROM shop_item -- as it was")
    file.run("CREATE TRIGGER t INSTEAD OF DELETE ON theirs BEGIN DELETE FROM shop_item; END")
    return package


class _Killing:
    """Kills its process before a statement. It counts them."""

    def __init__(self, moment: int | None = None) -> None:
        self.count = 0
        self._moment = moment

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        if self.count == self._moment:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1
        return execute(*arguments)


def _migrate(moment: int | None = None) -> int:
    killing = _Killing(moment)
    with connections[ALIAS].execute_wrapper(killing):
        migrate()
    return killing.count


@pytest.mark.parametrize("atomic", [True, False], ids=["atomic", "not atomic"])
def test_migrations_killed_at_any_statement_leave_all_views(file, package, how_many, atomic):
    package.add(
        'migrations.AlterField("item", "title", models.TextField(null=True)),'
        'migrations.AddField("item", "size", models.IntegerField(default=3)),'
        'migrations.RemoveField("item", "price"),',
        atomic=atomic,
    )
    connections[ALIAS].close()
    before, whole = file.texts("view", "trigger"), file.path.read_bytes()
    statements = _migrate()
    assert statements > 20
    for moment in range(0, statements, how_many(9, 1)):
        connections[ALIAS].close()
        file.path.write_bytes(whole)
        file.path.with_name(f"{file.path.name}-journal").unlink(missing_ok=True)
        assert _end_of(_fork(lambda moment=moment: _migrate(moment))) == -signal.SIGKILL
        assert file.texts("view", "trigger") == before
        assert file.is_whole()
        if atomic:
            assert migrate() == ""
            assert file.texts("view", "trigger") == before
    print(f"\nmigrations of {statements} statements killed")
