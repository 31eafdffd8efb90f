"""A MariaDB of one's own, of Debian's package ``mariadb-server-core``, in a directory that goes away.

It is reached through its socket only. Started by root, it runs as ``nobody``.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

#: Debian has the server where only the PATH of root leads.
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
_HOW = "There is no mariadbd here. Install it: apt-get install mariadb-server-core"
#: Tells the processes that one starts where its server is. Users, roles and variables belong to a whole
#: server, so processes that run the tests side by side have one each.
_SOCKET = "_".join(filter(None, ["MARIADB_SOCKET", os.environ.get("PYTEST_XDIST_WORKER")]))
_SECONDS = 60
_MEMORY, _ROOM = Path("/dev/shm"), 500_000_000
#: Runs a server until its input ends. That does with the process at the other end, even if it is killed.
_RUN = 'home="$1"; shift; "$@" & read -r _; kill $!; wait; rm -rf "$home"'
#: A test database needs no disk that survives a power cut.
_OPTIONS = (
    "--skip-networking",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=16M",
    "--skip-sync-frm",
    "--character-set-server=utf8mb4",
)


class Server:
    """A running server.

    Attributes:
        home: its directory.
        socket: the path of its socket.
    """

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="orm-views-maria-", dir=_memory()))
        self.socket = self.home / "s"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            RuntimeError: it does not start.
        """
        server, install = _which("mariadbd"), _which("mariadb-install-db")
        if not (server and install):
            raise RuntimeError(_HOW)
        # A server that starts deletes the temporary tables of others in a directory that they share.
        data, log, temporary = self.home / "data", self.home / "log", self.home / "tmp"
        temporary.mkdir()
        user = ["--user=nobody"] if os.geteuid() == 0 else []
        for owned in (self.home, temporary) if user else ():
            shutil.chown(owned, "nobody")
        made = [install, "--no-defaults", *user, f"--datadir={data}", "--skip-test-db"]
        made.append("--auth-root-authentication-method=normal")
        with log.open("ab") as output:
            subprocess.run(made, check=True, stdout=output, stderr=output, env=os.environ | {"PATH": _PATH})
            where = [f"--datadir={data}", f"--tmpdir={temporary}", f"--socket={self.socket}"]
            where.append(f"--pid-file={self.home / 'pid'}")
            command = [
                "sh",
                "-c",
                _RUN,
                "sh",
                str(self.home),
                server,
                "--no-defaults",
                *user,
                *where,
                *_OPTIONS,
            ]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
            )
        atexit.register(self.stop)
        deadline = time.monotonic() + _SECONDS
        while not self.socket.exists():
            if time.monotonic() > deadline:
                raise RuntimeError(f"MariaDB does not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it, and remove its directory."""
        if self._process is not None:
            self._process.communicate(timeout=_SECONDS)
            self._process = None


def database_settings() -> dict[str, Any]:
    """Return the settings of a database of a server for this process and those that it starts."""
    if _SOCKET not in os.environ:
        server = Server()
        server.start()
        os.environ[_SOCKET] = str(server.socket)
    return {
        "ENGINE": "django.db.backends.mysql",
        "NAME": "engines",
        "USER": "root",
        "HOST": os.environ[_SOCKET],
        "OPTIONS": {"charset": "utf8mb4"},
        "TEST": {"NAME": "test_engines"},
    }


def _memory() -> str | None:
    """Return a directory in memory, where a server is faster; None when there is none with enough room."""
    is_usable = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK)
    return str(_MEMORY) if is_usable and shutil.disk_usage(_MEMORY).free > _ROOM else None


def _which(program: str) -> str | None:
    return shutil.which(program, path=_PATH)
