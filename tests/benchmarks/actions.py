"""What a worker can be asked to do. Every action returns the seconds that are to count."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from contextlib import closing
from functools import partial
from importlib import import_module
from tempfile import NamedTemporaryFile
from time import perf_counter, sleep

import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from tests.benchmarks.project.definitions import SCHEMA
from tests.benchmarks.project.models import create_large_table
from tests.benchmarks.project.models import create_tables as create_small_tables
from tests.benchmarks.project.sets import definitions
from tests.benchmarks.server import find_psql
from tests.benchmarks.worker import DJANGO_PGVIEWS, PROJECT, Task

WAIT = 3.0


def create_tables(task: Task) -> float:
    return _time(lambda: _create_tables(task.views.rows))


def sync(task: Task) -> float:
    """What the package's command calls, nothing else."""
    return _time(_pgviews_sync() if task.package == DJANGO_PGVIEWS else _orm_views_sync(task))


def compile_querysets(task: Task) -> float:
    """Build every queryset among the views and compile it to SQL and parameters."""
    builders = [each.get_queryset for each in definitions(task.views) if each.get_queryset]
    return _time(lambda: [build().query.sql_with_params() for build in builders])


def send_by_psql(task: Task) -> float:
    """The DDL of all views in one transaction of psql, which is started and connects within that time."""
    parameters = parse_dsn(task.dsn)
    environment = {**os.environ, "PGPASSWORD": parameters.pop("password", "")}
    with NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(";\n".join(_ddl(task)) + ";\n")
        script.flush()
        options = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        command = [find_psql(), *options, "--file", script.name, "--dbname", make_dsn(**parameters)]
        return _time(lambda: _run(command, environment))


def send_in_one(task: Task) -> float:
    """The same in one string of a bare connection, and so in one round trip."""
    return _on_bare_connection(task, ";\n".join(_ddl(task)))


def replace_one(task: Task) -> float:
    """Replace the one plain view that differs from the variant before, on a bare connection."""
    definition = definitions(task.views)[task.views.count // 2]
    return _on_bare_connection(
        task, f"CREATE OR REPLACE VIEW {definition.view_name} AS {definition.select()}"
    )


def read_catalog(task: Task) -> float:
    """Read every view's stored definition and comment back, in one query."""
    return _on_bare_connection(
        task,
        f"""
        SELECT class.oid, class.relname, class.relkind, class.relacl, class.reloptions,
               pg_get_viewdef(class.oid), obj_description(class.oid, 'pg_class')
        FROM pg_class AS class
        JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE namespace.nspname = '{SCHEMA}' AND class.relkind IN ('v', 'm')
        """,
    )


def wait(task: Task) -> float:
    """Nothing, for a while."""
    return _time(lambda: sleep(WAIT))


def _time(action: Callable[[], object]) -> float:
    start = perf_counter()
    action()
    return perf_counter() - start


def _run(command: list[str], environment: dict[str, str]) -> None:
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(process.stderr.strip() or f"{command[0]} ended with {process.returncode}")


def _create_tables(rows: int) -> None:
    create_small_tables()
    if rows:
        create_large_table(rows)


def _orm_views_sync(task: Task) -> Callable[[], object]:
    sync_views: Callable[[], object] = import_module(f"{task.package}.sync").sync_views
    return sync_views


def _pgviews_sync() -> Callable[[], object]:
    """As `sync_pgviews --force` and every `migrate` do; without force it leaves alone what is in the way."""
    import_module(f"{PROJECT}.pgviews.models").prepare()
    syncer = import_module(f"{DJANGO_PGVIEWS}.models").ViewSyncer()
    return partial(
        syncer.run, force=True, update=True, using="default", materialized_views_check_sql_changed=True
    )


def _ddl(task: Task) -> list[str]:
    """What creates the schema and its views: no package has a part in it."""
    statements = [statement for definition in definitions(task.views) for statement in definition.ddl()]
    return [f"CREATE SCHEMA {SCHEMA}", *statements]


def _on_bare_connection(task: Task, sql: str) -> float:
    """Send it and fetch what it returns, in one transaction."""
    with closing(psycopg2.connect(task.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        connection.rollback()
        start = perf_counter()
        cursor.execute(sql)
        if cursor.description:
            cursor.fetchall()
        connection.commit()
        return perf_counter() - start
