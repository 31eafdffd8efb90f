"""A GRANT that comes between the last check of a view and its DROP is not lost silently."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError, connections
from django.test import override_settings

from orm_views_core.engines.postgresql.errors.diagnostics import sqlstate
from orm_views_core.sync import executor, sync_views
from orm_views_core.sync.executor import Progress
from tests.core.gates import Background, wait_until
from tests.core.keeping import (
    ACL,
    BELOW_PLAIN,
    COLUMN_ACL,
    LATE,
    REBUILD_MATERIALISED,
    REBUILD_PLAIN,
    TO_MATERIALISED,
    TO_PLAIN,
    each,
    run,
)
from tests.sampling import sample

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

REBUILDS = [REBUILD_PLAIN, REBUILD_MATERIALISED, BELOW_PLAIN, LATE, TO_MATERIALISED, TO_PLAIN]

of_a_grant = pytest.mark.parametrize(
    ("sql", "acl"),
    [
        ("GRANT SELECT ON views.v TO bob", ACL),
        ("REVOKE INSERT ON views.v FROM CURRENT_USER", ACL),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA views TO bob", ACL),
        ("GRANT SELECT (city) ON views.v TO bob", COLUMN_ACL),
        ("GRANT REFERENCES (id, city) ON views.v TO bob WITH GRANT OPTION", COLUMN_ACL),
    ],
    ids=["table", "revoke", "all tables", "column", "columns"],
)


@pytest.fixture(autouse=True)
def clean(committed_views, make_role):
    make_role("bob")
    yield
    run("DROP SCHEMA IF EXISTS views CASCADE; DROP TABLE IF EXISTS public.things CASCADE")
    run("DROP FUNCTION IF EXISTS public.read_below()")


@pytest.fixture
def other():
    """Another session of the same database, each statement in a transaction of its own."""
    connection = connections.create_connection("default")
    connection.inc_thread_sharing()
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


@pytest.fixture
def after_the_check(monkeypatch):
    """A function that has something done between the check of the views and their DROP, each time."""
    check = executor.check_that_nothing_was_changed

    def do(work):
        def check_and_then(*arguments):
            check(*arguments)
            work()

        monkeypatch.setattr(executor, "check_that_nothing_was_changed", check_and_then)

    return do


@of_a_grant
@each(REBUILDS)
def test_a_grant_between_the_check_and_the_drop_waits(change, sql, acl, other, after_the_check):
    change.begin()
    before = run(acl)
    change.change()
    codes = []

    def grant():
        try:
            other.execute("SET lock_timeout = '200ms'")
            other.execute(sql)
        except DatabaseError as error:
            codes.append(sqlstate(error))

    after_the_check(grant)
    sync_views()
    assert codes == ["55P03"], "it waited, and whoever granted knows that nothing was granted"
    assert run(acl) == before


@of_a_grant
@each([REBUILD_PLAIN, REBUILD_MATERIALISED])
def test_a_grant_that_waited_for_the_swap_fails_or_is_on_the_new_version(
    change, sql, acl, other, after_the_check
):
    """From PostgreSQL 18 on it may wait for a lock on the view, and look the name up again afterwards."""
    change.begin()
    before = run(acl)
    change.change()
    waiting = []

    def grant():
        waiting.append(Background(lambda: other.execute(sql)))
        wait_until("SELECT 1 FROM pg_locks WHERE NOT granted")

    after_the_check(grant)
    sync_views()
    code = None
    try:
        waiting[0].join()
    except DatabaseError as error:
        code = sqlstate(error)
    assert code in {None, "XX000", "42P01"}
    assert (run(acl) == before) is (code is not None)


@of_a_grant
@each(sample(REBUILDS, 3))
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_a_grant_that_ends_while_the_swap_waits_for_it(change, sql, acl, other, end):
    """The swap has all its locks by then."""
    change.begin()
    bare = run(acl)
    change.change()
    begun = []

    def grant(plan):
        if not begun:
            begun.append(other.execute(f"BEGIN; {sql}"))
            threading.Timer(0.3, other.execute, [end]).start()

    with override_settings(ORM_VIEWS={"LOCK_TIMEOUT": 0.05, "LOCK_WAIT": 20}):
        sync_views(progress=Progress(on_swap=grant))
    assert (run(acl) == bare) is (end == "ROLLBACK")
    assert sync_views()[0].steps == ()


@each([REBUILD_PLAIN, REBUILD_MATERIALISED, TO_PLAIN])
def test_keeping_others_from_granting_changes_no_privilege(change):
    """Not even one that is like what the swap itself grants for a moment."""
    change.begin()
    run("GRANT REFERENCES (id), SELECT (city) ON views.v TO bob")
    run("GRANT REFERENCES ON views.v TO pg_signal_backend; REVOKE SELECT ON views.v FROM CURRENT_USER")
    before = run(ACL), run(COLUMN_ACL)
    change.change()
    (result,) = sync_views()
    assert result.steps
    run("GRANT SELECT ON views.v TO CURRENT_USER; REVOKE SELECT ON views.v FROM CURRENT_USER")
    assert (run(ACL), run(COLUMN_ACL)) == before


@pytest.mark.parametrize(
    "sql",
    ["COMMENT ON INDEX views.by_city IS 'by hand'", "ALTER INDEX views.by_city SET (fillfactor = 50)"],
    ids=["comment", "options"],
)
def test_a_change_of_an_index_between_the_check_and_the_drop_waits(sql, other, after_the_check):
    REBUILD_MATERIALISED.begin()
    run("CREATE INDEX by_city ON views.v (city)")
    REBUILD_MATERIALISED.change()
    codes = []

    def change_index():
        try:
            other.execute("SET lock_timeout = '200ms'")
            other.execute(sql)
        except DatabaseError as error:
            codes.append(sqlstate(error))

    after_the_check(change_index)
    sync_views()
    assert codes == ["55P03"]
