"""A process that forks one for each command: ``python -m tests.soak.migrated.forker``.

Everything is imported before the first command arrives. A command is a line of JSON, its words; the answers
are two lines: the pid of the process, and the exit status when it has ended, with what it printed.
"""

from __future__ import annotations

import io
import json
import os
import sys


def main() -> None:
    import django
    from django.core.management import call_command, get_commands

    django.setup()
    get_commands()

    for line in sys.stdin:
        words = json.loads(line)
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            out, status = io.StringIO(), 0
            try:
                call_command(*words, stdout=out, stderr=out)
            except BaseException as error:  # noqa: BLE001 - the test is told
                out.write(f"{type(error).__name__}: {error}")
                status = 1
            os.write(writing, out.getvalue().encode()[-60_000:])
            os._exit(status)
        os.close(writing)
        print(json.dumps({"pid": pid}), flush=True)
        with os.fdopen(reading) as printed:
            text = printed.read()
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"status": status, "printed": text}), flush=True)


if __name__ == "__main__":
    main()
