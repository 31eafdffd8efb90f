"""Databases that take too long to answer: the making of a connection, and what is sent after it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from orm_views_core.engines.answers import expecting_answers
from orm_views_core.engines.connections import get_connection
from orm_views_core.exceptions import DatabaseUnavailableError

#: What PostgreSQL sends when it waits for a statement, outside of a transaction.
_READY = b"Z\x00\x00\x00\x05I"


class Proxy:
    """A server that accepts connections, and passes on what is sent until it falls silent.

    Attributes:
        silent_after: how many statements of a connection are answered; -1 if nothing is answered at all.
        accepted: how many connections it has accepted.
    """

    def __init__(self, target: dict[str, Any]) -> None:
        self._target, self.silent_after, self.accepted = target, 0, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.accepted += 1
                self._sockets.append(client)
                if self.silent_after >= 0:
                    server = self._connect()
                    self._sockets.append(server)
                    threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
                    threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _connect(self) -> socket.socket:
        host, port = self._target["HOST"] or "/var/run/postgresql", self._target["PORT"] or 5432
        if not host.startswith("/"):
            return socket.create_connection((host, int(port)))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)

    def _answer(self, source: socket.socket, target: socket.socket) -> None:
        answered = -1
        with suppress(OSError):
            while data := source.recv(65536):
                answered += data.count(_READY)
                if answered <= self.silent_after:
                    target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(settings: Any, monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Iterator[Proxy]:
    """A proxy in front of the second database, and a limit of two seconds."""
    settings.ORM_VIEWS = {"CONNECT_TIMEOUT": 2.0}
    before = connections["warehouse"]
    proxy = Proxy(before.settings_dict)
    options = {**before.settings_dict["OPTIONS"], "sslmode": "disable", "gssencmode": "disable"}
    there = {**before.settings_dict, "HOST": "127.0.0.1", "PORT": str(proxy.port), "OPTIONS": options}
    monkeypatch.setitem(connections.settings, "warehouse", there)
    connections["warehouse"] = connections.create_connection("warehouse")
    yield proxy
    proxy.close()
    connections["warehouse"].close()
    connections["warehouse"] = before


@contextmanager
def watched() -> Iterator[Callable[[], bool]]:
    """Fail instead of waiting for ever. The limit of this test is far above that of the setting."""
    done = threading.Event()
    hanging = threading.Timer(60, lambda: done.is_set() or os._exit(3))
    hanging.daemon = True
    hanging.start()
    try:
        yield done.is_set
    finally:
        done.set()
        hanging.cancel()


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
            DatabaseUnavailableError, match=r"no answer within 2 s \(ORM_VIEWS\['CONNECT_TIMEOUT'\]\)"
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
        pytest.raises(DatabaseUnavailableError, match="no answer within 2 s"),
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
            cursor.execute("SELECT pg_sleep(2.5), 1")
            assert cursor.fetchone()[1] == 1


def test_show_views_says_which_database_does_not_answer(proxy, capsys):
    proxy.silent_after = 0
    with (
        watched(),
        pytest.raises(CommandError, match=r"'warehouse'.* does not answer: .*no answer within 2 s"),
    ):
        call_command("show_views", "--database", "warehouse")
