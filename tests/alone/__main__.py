"""Sync, refresh, show and read views without the modules that are named as arguments.

The database is described by the environment variable ``DATABASE``, as JSON.
"""

from __future__ import annotations

import json
import os
import sys

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction

from tests.alone.blocking import block


def main() -> None:
    """Print what each command prints, the rows that the ORM reads, those that COPY writes, and the driver."""
    settings.configure(
        INSTALLED_APPS=["orm_views_core", "tests.alone.shop"],
        DATABASES={"default": json.loads(os.environ["DATABASE"])},
        ORM_VIEWS={"SCHEMA": "alone"},
        USE_TZ=True,
    )
    block(*sys.argv[1:])
    django.setup()
    call_command("sync_views")
    call_command("refresh_views")
    call_command("show_views")
    from orm_views_core.engines.postgresql.rows.copying import can_copy, copy_rows
    from tests.alone.shop.postgres_views import Cheap

    print([(row.id, row.price) for row in Cheap.objects.order_by("id")])
    written: list[bytes] = []
    with transaction.atomic(using="default"), connections["default"].cursor() as cursor:
        assert can_copy(cursor)
        copy_rows(cursor, "SELECT total FROM alone.totals WHERE total > %s", [1], written.append)
    print("copied", b"".join(written).decode().strip())
    print(connections["default"].Database.__name__)


if __name__ == "__main__":
    main()
