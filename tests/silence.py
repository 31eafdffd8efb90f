"""A server that accepts connections and falls silent, in front of a PostgreSQL."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

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


@contextmanager
def watched() -> Iterator[None]:
    """Fail instead of waiting for ever. The limit of this test is far above that of the setting."""
    done = threading.Event()
    hanging = threading.Timer(60, lambda: done.is_set() or os._exit(3))
    hanging.daemon = True
    hanging.start()
    try:
        yield
    finally:
        done.set()
        hanging.cancel()
