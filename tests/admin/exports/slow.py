"""A view whose rows take a millisecond each, have 2 kB, and are very many."""

from __future__ import annotations

from orm_views_admin.addresses import ViewAddress
from orm_views_core.names import ViewName
from tests.admin.browse import declare

SLOW = ViewAddress("default", ViewName("views", "drops"))


def declare_slow() -> None:
    declare(
        "Drops",
        "SELECT n, n + length(pg_sleep(0.001)::text) AS m, repeat('x', 2000) AS long "
        "FROM generate_series(1, 100000) AS n",
    )
