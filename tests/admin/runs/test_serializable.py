"""Runs are written at READ COMMITTED, whatever DATABASES or the role sets, and again after a conflict."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction

from orm_views_admin.models import Run
from orm_views_admin.runs import start_refresh
from orm_views_admin.runs.writing import recorded
from orm_views_core.refresh import refresh_views
from orm_views_core.sync import sync_views
from tests.admin.browse import declare_materialised
from tests.admin.histories import make_run
from tests.admin.slow import SLOW, wait_for_state
from tests.attacks.attacker import query

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["repeatable read", "serializable"])
def level(request: Any) -> Iterator[str]:
    """Set the isolation level of the sessions to come."""
    name = connections["default"].settings_dict["NAME"]
    query(f"ALTER DATABASE {name} SET default_transaction_isolation = '{request.param}'")
    connections["default"].close()
    yield request.param
    query(f"ALTER DATABASE {name} RESET default_transaction_isolation")
    connections["default"].close()


def test_every_one_of_simultaneous_refreshes_is_recorded(level: str, caplog: Any) -> None:
    for n in range(16):
        declare_materialised(f"Stored{n}", "SELECT 1 AS one")
    sync_views()
    Run.objects.all().delete()
    together = threading.Barrier(16)

    def refresh(n: int) -> None:
        try:
            together.wait(20)
            refresh_views([f"stored{n}"])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=refresh, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(Run.objects.values_list("state", flat=True)) == ["succeeded"] * 16
    assert caplog.text == ""


def test_an_update_that_another_one_overtakes_is_made_all_the_same(level: str) -> None:
    run = make_run("ages", state=Run.State.RUNNING)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE orm_views_admin_run SET waiting_for = 'it'")
            timer = threading.Timer(0.3, cursor.execute, ["COMMIT"])
            other.inc_thread_sharing()
            timer.start()
            assert Run.objects.filter(pk=run.pk).update(summary="done") == 1
            timer.join()
    finally:
        other.close()
    run.refresh_from_db()
    assert (run.waiting_for, run.summary) == ("it", "done")


def test_a_conflict_is_tried_again_and_a_lasting_one_is_told_in_one_line(caplog: Any) -> None:
    tries = []

    def conflict() -> None:
        tries.append(transaction.get_connection().in_atomic_block)
        with connections["default"].cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE 'could not serialize' USING ERRCODE = '40001'; END $$")

    recorded(conflict)()
    assert tries == [True] * len(tries)
    assert len(tries) > 2
    (line,) = caplog.records
    assert line.exc_info is None
    assert "Runs cannot be recorded" in line.getMessage()
    assert "could not serialize" in line.getMessage()
    assert "\n" not in line.getMessage()
    assert "migrate" not in line.getMessage()


def test_in_a_transaction_of_the_caller_a_conflict_is_not_tried_again(caplog: Any) -> None:
    tries = []

    def conflict() -> None:
        tries.append(1)
        raise OperationalError("could not serialize")

    with transaction.atomic():
        recorded(conflict)()
        assert Run.objects.count() == 0
    assert len(tries) == 1


def test_a_page_starts_and_a_process_performs_runs_at_any_level(level: str, pause: Any, ann: Any) -> None:
    pause(0)
    (run,) = start_refresh(ann, [SLOW])
    wait_for_state(run, "succeeded")
