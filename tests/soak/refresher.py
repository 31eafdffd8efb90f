"""A process that refreshes: `python -m tests.soak.refresher DATABASE`, tasks and answers in JSON.

Everything is imported, declared and connected before it says that it is ready, so that several of them begin
at once.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any


def main(database: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    settings.ORM_VIEWS = {}
    django.setup()

    from django.db import connection

    from orm_views_core.views.registry import registry

    connection.ensure_connection()
    with registry.isolated():
        declare_shared()
        print("{}", flush=True)
        for line in sys.stdin:
            print(json.dumps(refresh(json.loads(line)), default=str), flush=True)


def declare_shared() -> None:
    """Declare a view that takes a while and says as of when its rows are, and one that reads it."""
    from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

    bases = (PostgresMaterialisedViewMixin, PostgresViewFromSQL)
    slow = "CROSS JOIN (SELECT pg_sleep(1) OFFSET 0) AS s"  # so that all have begun before the first is done
    for name, sql in (
        ("Shared", f"SELECT n.id, base.computed() AS run FROM base.numbers n {slow}"),
        ("Reader", "SELECT id, run FROM views.shared"),
    ):
        type(name, bases, {"sql": sql, "__module__": __name__, "pk_field": "id"})


def refresh(task: dict[str, Any]) -> list[dict[str, Any]]:
    """Refresh, and say what came of it."""
    from orm_views_core.exceptions import OrmViewsError, RefreshError
    from orm_views_core.refresh import refresh_views

    try:
        results = refresh_views(**task)
    except RefreshError as error:
        results = list(error.results)
        if not results:
            return [{"outcome": "failed", "error": str(error)}]
    except OrmViewsError as error:
        return [{"outcome": "failed", "error": str(error)}]
    return [
        {**asdict(result), "name": result.name.name, "outcome": result.outcome.value, "missed": result.missed}
        for result in results
    ]


if __name__ == "__main__":
    main(sys.argv[1])
