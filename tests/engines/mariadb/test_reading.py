"""Reading within limits: nothing is written, and what takes too long is ended."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connections, transaction

from orm_views_core.engines.connections import is_lost
from orm_views_core.engines.mariadb.engine import ENGINE
from orm_views_core.engines.time_limits import TooSlowError

pytestmark = pytest.mark.usefixtures("server")

LIMIT = "SELECT @@SESSION.max_statement_time"


@pytest.fixture
def connection(server):
    """The connection of the project."""
    return connections["default"]


def limit_of(connection):
    with connection.cursor() as cursor:
        cursor.execute(LIMIT)
        return cursor.fetchone()[0]


def test_nothing_can_be_written(server, connection):
    with pytest.raises(DatabaseError), ENGINE.reading(connection, 5) as cursor:
        cursor.execute("INSERT INTO item (id) VALUES (3)")
    assert server.run("SELECT count(*) FROM item") == [(2,)]
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO item (id) VALUES (3)")
    assert server.run("SELECT count(*) FROM item") == [(3,)]


def test_a_block_that_may_write_commits(server, connection):
    with ENGINE.reading(connection, 5, writes=True) as cursor:
        cursor.execute("INSERT INTO item (id) VALUES (3)")
    assert server.run("SELECT count(*) FROM item") == [(3,)]


def test_what_takes_too_long_is_ended(connection):
    with pytest.raises(TooSlowError), ENGINE.reading(connection, 0.05) as cursor:
        cursor.execute("SELECT SLEEP(5), id FROM item")
    assert limit_of(connection) == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT SLEEP(0.1)")


def test_the_shorter_limit_holds_and_both_are_put_back(connection):
    with ENGINE.reading(connection, 5):
        assert limit_of(connection) == 5
        with ENGINE.reading(connection, 2) as cursor:
            assert limit_of(connection) == 2
            with pytest.raises(DatabaseError):
                cursor.execute("DELETE FROM item")
        assert limit_of(connection) == 5
        with ENGINE.reading(connection, 60):
            assert limit_of(connection) == 5
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("DELETE FROM item")
    assert limit_of(connection) == 0


def test_a_transaction_of_the_caller_goes_on(server, connection):
    with transaction.atomic(), connection.cursor() as other:
        other.execute("INSERT INTO item (id) VALUES (3)")
        with ENGINE.reading(connection, 5) as cursor:
            cursor.execute("SELECT count(*) FROM item")
            assert cursor.fetchone() == (3,)
        transaction.set_rollback(True)
    assert server.run("SELECT count(*) FROM item") == [(2,)]


def test_a_connection_that_is_lost_raises_its_own_error(server, connection):
    def read():
        with ENGINE.reading(connection, 5) as cursor:
            cursor.execute("SELECT CONNECTION_ID()")
            server.run(f"KILL {cursor.fetchone()[0]}")
            cursor.execute("SELECT 1")

    with pytest.raises(DatabaseError) as lost:
        read()
    assert lost.value.args[0] in {2006, 2013}
    assert limit_of(connection) == 0


def test_a_connection_that_works_is_not_taken_for_lost(connection):
    connection.ensure_connection()
    assert not is_lost(connection, connection.connection)
    connection.close()
    assert is_lost(connection, None)
