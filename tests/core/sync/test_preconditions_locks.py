"""A lock table that is too small, other isolation levels, and settings that a sync must not leave behind."""

from __future__ import annotations

import re
import threading

import pytest
from django.db import connections
from django.db.backends.postgresql.psycopg_any import IsolationLevel

from orm_views_core.engines.postgresql.catalog.introspection import read_catalog
from orm_views_core.exceptions import OrmViewsError, PlanBlockedError
from orm_views_core.plan.preconditions import locks_needed
from orm_views_core.plan.steps import Action
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.sync.executor import Progress
from tests.core.keeping import (
    BELOW_MATERIALISED,
    BELOW_PLAIN,
    LATE,
    REBUILD_MATERIALISED,
    REBUILD_PLAIN,
    REPLACE,
    TO_MATERIALISED,
    declare,
    each,
    run,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

SESSION = """
SELECT 'setting', name, setting FROM pg_settings WHERE name NOT LIKE 'plpgsql.%'
UNION ALL SELECT 'role', session_user::text, current_user::text
UNION ALL SELECT 'lock', locktype, mode FROM pg_locks
WHERE pid = pg_backend_pid() AND locktype NOT IN ('virtualxid', 'relation')
UNION ALL SELECT 'prepared', name, statement FROM pg_prepared_statements
UNION ALL SELECT 'cursor', name, statement FROM pg_cursors WHERE statement NOT LIKE '%pg_cursors%'
UNION ALL SELECT 'channel', pg_listening_channels(), ''
UNION ALL SELECT 'temporary', nspname, relname FROM pg_class
JOIN pg_namespace n ON n.oid = relnamespace WHERE relnamespace = pg_my_temp_schema()
UNION ALL SELECT 'staging', nspname, '' FROM pg_namespace WHERE nspname LIKE 'orm_views_staging%'
ORDER BY 1, 2, 3
"""


#: How many entries of the lock table our transaction takes.
LOCKS = """
SELECT count(DISTINCT (locktype, relation, classid, objid, transactionid::text)) FROM pg_locks
WHERE pid = pg_backend_pid() AND NOT fastpath
"""


@pytest.fixture
def clean(committed_views):
    yield
    run("DROP SCHEMA IF EXISTS views CASCADE; DROP TABLE IF EXISTS public.things CASCADE")
    run("DROP FUNCTION IF EXISTS public.read_below()")


def slots():
    """How many locks the lock table has room for, and for how many transactions."""
    ((per_transaction, transactions),) = run(
        "SELECT current_setting('max_locks_per_transaction')::int, current_setting('max_connections')::int "
        "+ current_setting('max_prepared_transactions')::int"
    )
    return per_transaction, transactions


@pytest.mark.parametrize("exist", [False, True])
def test_a_lock_table_without_room_is_found_before_anything_is_tried(exist, take_picture):
    per_transaction, transactions = slots()
    count = per_transaction * transactions // 7 + 20
    if exist:
        declare("V0", "SELECT 1 AS id", materialised=True)
        sync_views()
    before = take_picture()
    for i in range(count):
        declare(f"V{i}", "SELECT 1 AS id, 2 AS further", materialised=True)
    (plan,) = plan_views()
    (problem,) = plan.problems
    with pytest.raises(PlanBlockedError, match="max_locks_per_transaction"):
        sync_views()
    assert take_picture() == before
    numbers = [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", problem)]
    needed, room, held, now, enough = numbers
    assert (room, now) == (per_transaction * transactions, per_transaction)
    assert needed >= 7 * count, "a materialised view has a table of long values with an index, and two types"
    assert enough * transactions >= needed + held > room
    assert enough > now


def test_what_is_counted_is_what_a_sync_takes():
    """A few locks do not depend on the number of views: the sync lock, catalogs, schemas."""
    taken = []

    def count(*_):
        taken.append(run(LOCKS)[0][0])

    for column in ("id", "other"):
        for i in range(20):
            declare(f"M{i}", f"SELECT {i} AS {column}, 'x'::text AS t", materialised=True, pk_field=column)
            declare(f"V{i}", f"SELECT {i} AS {column}")
        (plan,) = plan_views()
        needed = locks_needed(plan.steps, read_catalog(connections["default"], ["views"]))
        sync_views(progress=Progress(on_done=count, on_swapped=count))
        assert needed / 2 < taken[-1] < 1.1 * needed + 40  # not the same in all versions


@pytest.mark.parametrize(
    "options",
    [
        {"isolation_level": IsolationLevel.REPEATABLE_READ},
        {"isolation_level": IsolationLevel.SERIALIZABLE},
        {"options": r"-c default_transaction_isolation=repeatable\ read"},
    ],
    ids=["repeatable read", "serializable", "set by the role"],
)
@each([REBUILD_PLAIN])
def test_a_sync_that_waited_for_another_sees_what_that_committed(change, options, misdirect, clean):
    misdirect("default", {"OPTIONS": options})
    change.begin()
    change.change()
    waits, results = threading.Event(), []

    def second():
        try:
            results.extend(sync_views(progress=Progress(on_wait=lambda said: waits.set())))
        except Exception as error:  # noqa: BLE001 - the test's assertion shows it
            results.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=second)

    def start_second(plan):
        thread.start()
        assert waits.wait(20), "the second one waits for its turn"

    (first,) = sync_views(progress=Progress(on_swap=start_second))
    thread.join(20)
    assert [done.step.action for done in first.steps] == [Action.REBUILD]
    (result,) = results
    assert getattr(result, "steps", result) == ()


@each([REPLACE, REBUILD_PLAIN, REBUILD_MATERIALISED, BELOW_PLAIN, BELOW_MATERIALISED, LATE, TO_MATERIALISED])
def test_nothing_outlives_the_transaction(change, clean, make_role):
    """With PgBouncer in transaction mode, the next transaction of the session is another client's."""
    make_role("bob")
    before = run(SESSION)
    change.begin()
    run("GRANT SELECT ON views.v TO bob WITH GRANT OPTION")
    run("SET ROLE bob; GRANT SELECT ON views.v TO PUBLIC; RESET ROLE")
    assert run(SESSION) == before
    change.change()
    plan_views()
    assert run(SESSION) == before
    change.finish()
    assert run(SESSION) == before


def test_nothing_outlives_a_sync_that_fails(clean):
    before = run(SESSION)
    REBUILD_MATERIALISED.begin()
    declare("V", "SELECT 1 / (id - id) AS id FROM public.things", materialised=True)
    with pytest.raises(OrmViewsError, match="division by zero"):
        sync_views()
    assert run(SESSION) == before
