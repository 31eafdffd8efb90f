"""A sync in a process of its own, to be killed or raced: `python -m tests.soak.worker DATABASE`.

Everything is imported before the first task arrives. A task is a line of JSON on standard input; the answers
are two lines: the pid of the backend before the sync, and what became of it after.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import Any


def main(database: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    settings.ORM_VIEWS = {}
    django.setup()
    for line in sys.stdin:
        carry_out(json.loads(line))


def carry_out(task: dict[str, Any]) -> None:
    """Sync a version of the views, and say how it went."""
    from django.db import connection, connections

    from .versions import Chain, sync

    connection.close()  # the last task may have ended with its backend
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        say(backend=cursor.fetchone()[0])
    try:
        result = sync(task["version"], tuple(Chain(n, task["seconds"]) for n in range(task["chains"])))
        say(steps=len(result.steps), seconds=result.seconds)
    except Exception as error:  # noqa: BLE001 - whatever it is, the test is told
        say(error=type(error).__name__, message=str(error))
        with suppress(Exception):
            connections.close_all()


def say(**answer: Any) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
