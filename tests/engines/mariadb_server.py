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
#: Tells the processes that one starts where its server is.
_SOCKET = "MARIADB_SOCKET"
_SECONDS = 60
_MEMORY, _ROOM = Path("/dev/shm"), 500_000_000
#: A test database needs no disk that survives a power cut.
_OPTIONS = (
    "--skip-networking",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=16M",
    "--skip-sync-frm",
    "--character-set-server=utf8mb4",
)


def is_installed() -> bool:
    """Return whether there is a server to start. With ``CI=true`` there has to be one.

    Raises:
        RuntimeError: there is none, and this is CI.
    """
    found = bool(_which("mariadbd") and _which("mariadb-install-db"))
    if not found and os.environ.get("CI") == "true":
        raise RuntimeError(_HOW)
    return found


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
            self._process = subprocess.Popen(
                [server, "--no-defaults", *user, *where, *_OPTIONS], stdout=output, stderr=output
            )
        atexit.register(self.stop)
        deadline = time.monotonic() + _SECONDS
        while not self.socket.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"MariaDB does not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it, and remove its directory."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_SECONDS)
            self._process = None
        shutil.rmtree(self.home, ignore_errors=True)


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
