"""Views that are tried: nobody sees them, they go away, and no transaction of the caller is committed."""

from __future__ import annotations

import pytest
from django.db import connections, transaction

from orm_views_core.engines.plain.untried import OpenTransactionError

from .server import declare, plan, states, sync

pytestmark = pytest.mark.usefixtures("server", "registered")

LEFT_OVER = "orm_views_try_0123abcd_0000"


def test_views_that_a_killed_process_was_trying_are_never_shown_and_the_next_sync_drops_them(server):
    declare("One", "SELECT id FROM item")
    server.run(f"CREATE VIEW {LEFT_OVER} AS SELECT id FROM item")
    assert states() == {"views.one": "missing"}
    assert sync() == ["create views.one"]
    assert LEFT_OVER not in server.views()


def test_views_that_somebody_is_trying_stay(server):
    server.run(f"CREATE VIEW {LEFT_OVER} AS SELECT id FROM item")
    with server.connection() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, 0)", [LEFT_OVER.rpartition("_")[0]])
        assert sync() == []
        assert LEFT_OVER in server.views()
    server.run("SELECT SLEEP(0.1)")
    assert sync() == []
    assert LEFT_OVER not in server.views()


def test_planning_leaves_no_views(server):
    declare("One", "SELECT id FROM item")
    assert plan() == ["create views.one"]
    assert server.views() == {}


def test_nothing_is_committed_in_a_transaction_of_the_caller(server):
    declare("One", "SELECT id FROM item")
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("INSERT INTO item (id) VALUES (3)")
        for asked in (sync, plan):
            with pytest.raises(OpenTransactionError, match="TransactionTestCase"):
                asked()
        assert states() == {"views.one": "missing"}
        transaction.set_rollback(True)
    assert server.run("SELECT count(*) FROM item") == [(2,)]
    assert server.views() == {}


def test_a_sync_with_nothing_to_do_is_possible_in_a_transaction(server):
    declare("One", "SELECT id FROM item")
    sync()
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("INSERT INTO item (id) VALUES (3)")
        assert sync() == []
        transaction.set_rollback(True)
    assert server.run("SELECT count(*) FROM item") == [(2,)]
