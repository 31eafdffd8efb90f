"""Databases that take too long to answer: the making of a connection, and what is sent after it."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from orm_views_core.engines.answers import expecting_answers
from orm_views_core.engines.connections import get_connection
from orm_views_core.exceptions import DatabaseUnavailableError
from tests.silence import watched

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "warehouse"])


def test_a_server_that_accepts_a_connection_and_says_nothing_does_not_answer(proxy):
    proxy.silent_after = -1
    with watched(), expecting_answers(), pytest.raises(DatabaseUnavailableError, match="timeout expired"):
        get_connection("warehouse")


def test_a_pooler_that_makes_a_connection_and_then_says_nothing_does_not_answer(proxy):
    proxy.silent_after = 0
    with (
        watched(),
        expecting_answers(),
        pytest.raises(
            DatabaseUnavailableError, match=r"no answer within 0\.5 s \(ORM_VIEWS\['CONNECT_TIMEOUT'\]\)"
        ),
    ):
        get_connection("warehouse")
    assert connections["warehouse"].connection is None


def test_a_connection_that_is_open_already_is_asked_too(proxy):
    proxy.silent_after = 1_000_000
    get_connection("warehouse")
    proxy.silent_after = 0
    with (
        watched(),
        expecting_answers(),
        pytest.raises(DatabaseUnavailableError, match=r"no answer within 0\.5 s"),
    ):
        get_connection("warehouse")
    proxy.silent_after = 1_000_000
    assert get_connection("warehouse").is_usable()


def test_a_connection_that_was_lost_is_opened_anew(proxy):
    proxy.silent_after = 1_000_000
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(%s)", [get_connection("warehouse").connection.info.backend_pid]
        )
    with watched(), expecting_answers():
        assert get_connection("warehouse").is_usable()


def test_a_connection_of_which_the_driver_knows_that_it_is_closed_is_opened_anew(proxy):
    proxy.silent_after = 1_000_000
    get_connection("warehouse").connection.close()
    with watched(), expecting_answers():
        assert get_connection("warehouse").is_usable()


@pytest.mark.parametrize("own", ["0", "5.0", 1, None])
def test_whatever_limit_the_project_sets_there_is_one(proxy, own):
    connections["warehouse"].settings_dict["OPTIONS"]["connect_timeout"] = own
    proxy.silent_after = -1
    with watched(), expecting_answers(), pytest.raises(DatabaseUnavailableError, match="timeout expired"):
        get_connection("warehouse")


def test_a_database_that_did_not_answer_is_asked_once(proxy):
    proxy.silent_after = 0
    with watched(), expecting_answers():
        for _ in range(3):
            with pytest.raises(DatabaseUnavailableError):
                get_connection("warehouse")
    assert proxy.accepted == 1


def test_a_database_that_answers_is_not_disturbed_later(proxy):
    proxy.silent_after = 1_000_000
    with watched(), expecting_answers():
        connection = get_connection("warehouse")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.8), 1")
            assert cursor.fetchone()[1] == 1


def test_show_views_says_which_database_does_not_answer(proxy, capsys):
    proxy.silent_after = 0
    with (
        watched(),
        pytest.raises(CommandError, match=r"'warehouse'.* does not answer: .*no answer within 0.5 s"),
    ):
        call_command("show_views", "--database", "warehouse")
