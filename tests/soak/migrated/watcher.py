"""A process that reads or writes in a loop: ``python -m tests.soak.migrated.watcher STATEMENT PAUSE``.

It works until its standard input is closed. Then it prints what it met with, as JSON.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time


def main() -> None:
    import django

    django.setup()
    from django.db import connection

    statement, pause = sys.argv[1], float(sys.argv[2])
    count, waits, errors, answers = 0, [], [], set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        print("ready", flush=True)
        while not select.select([sys.stdin], [], [], pause)[0]:
            began = time.perf_counter()
            try:
                cursor.execute(statement)
                answers.add(str(cursor.fetchall() if cursor.description else ""))
            except Exception as error:  # noqa: BLE001 - every error is one too many
                errors.append(f"{type(error).__name__}: {str(error).strip()}")
            waits.append(time.perf_counter() - began)
            count += 1
    waits.sort()
    print(
        json.dumps(
            {
                "statement": statement,
                "count": count,
                "longest": waits[-1],
                "usual": waits[len(waits) // 2],
                "errors": errors,
                "answers": sorted(answers)[:20],
            }
        ),
        flush=True,
    )
    os._exit(0)


if __name__ == "__main__":
    main()
