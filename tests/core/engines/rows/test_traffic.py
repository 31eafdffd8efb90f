"""What leaves the server is measured on its way: a page of long values is small."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import contextmanager, suppress

import pytest
from django.db import connections

from orm_views_core.engines.postgresql.rows import read_rows

from .views import V

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

#: Values of 1 MB: of one, two and four bytes a character, and of other types.
MEGABYTES = """
SELECT repeat(n % 10 || 'abcdefghi', 100000) AS ascii, repeat('é', 500000) AS two,
       repeat('🦊', 250000) AS four,
       decode(repeat('0f', 1000000), 'hex') AS bytes, to_jsonb(repeat('x', 1000000)) AS json,
       ARRAY(SELECT g FROM generate_series(100000, 250000) AS g) AS numbers
FROM generate_series(1, 10) AS n
"""


class Counter:
    """How many bytes have come from the server."""

    received = 0


def _connect(settings):
    host, port = settings["HOST"] or "localhost", settings["PORT"] or "5432"
    if host.startswith("/"):
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server
    return socket.create_connection((host, int(port)))


def _carry(client, server, counter):
    """Carry what both sides say until one of them ends."""
    with client, server, suppress(OSError):
        while True:
            for source in select.select([client, server], [], [])[0]:
                data = source.recv(65536)
                if not data:
                    return
                counter.received += len(data) if source is server else 0
                (client if source is server else server).sendall(data)


@contextmanager
def counted(alias="default"):
    """Let a connection go through a socket of ours, which counts."""
    connection, counter = connections[alias], Counter()
    settings = dict(connection.settings_dict)

    def accept():
        with suppress(OSError):
            while True:
                ends = (listener.accept()[0], _connect(settings), counter)
                threading.Thread(target=_carry, args=ends, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        connection.close()
        connection.settings_dict |= {"HOST": "127.0.0.1", "PORT": str(listener.getsockname()[1])}
        try:
            connection.ensure_connection()
            yield counter
        finally:
            connection.close()
            connection.settings_dict |= {"HOST": settings["HOST"], "PORT": settings["PORT"]}
            listener.shutdown(socket.SHUT_RDWR)


def test_sixty_cells_of_a_megabyte_are_at_most_two_megabytes_on_their_way(create, record_property):
    create(MEGABYTES)
    with counted() as counter:
        page = read_rows("default", V, limit=50)
        for_page = counter.received
        with connections["default"].cursor() as cursor:
            cursor.execute(f"SELECT octet_length(concat(ascii)), ascii FROM {V.quoted} LIMIT 1")
            cursor.fetchall()
        for_one_value = counter.received - for_page
    cells = [cell for row in page.rows for cell in row]
    assert len(cells) == 60
    assert all(cell.is_cut for cell in cells)
    assert min(cell.length * len(cell.text.encode()) // len(cell.text) for cell in cells) >= 1_000_000
    assert for_one_value > 1_000_000  # the counter counts
    assert for_page < 200_000
    record_property("bytes", for_page)
