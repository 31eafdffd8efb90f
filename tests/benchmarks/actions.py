"""What a worker can be asked to do. Every action returns the seconds that are to count."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from contextlib import closing
from functools import partial
from importlib import import_module
from tempfile import NamedTemporaryFile
from time import perf_counter, sleep
from typing import Any

import psycopg2
from django.db import connections
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


def read_lineage(task: Task) -> float:
    """What every column of every view is made of. Importing what reads it is part of that."""

    def read() -> None:
        lineage = import_module(f"{task.package}.lineage").read_lineage(connections["default"])
        if sum(view.is_exact for view in lineage.views.values()) != task.views.count:
            raise RuntimeError(f"not every one of {task.views.count} views could be read")

    return _time(read)


def refresh_one_by_one(task: Task) -> float:
    _leave_processors_to_others()
    return _refresh(task, jobs=1)


def refresh_side_by_side(task: Task) -> float:
    """Two at once; the order is seen from the times that are recorded."""
    _leave_processors_to_others()
    return _refresh(task, jobs=2)


def refresh_one(task: Task) -> float:
    return _refresh(task, views=[_first(task)], jobs=1)


def refresh_one_by_psql(task: Task) -> float:
    """The same statement, as long as psql itself says that it took: neither its start nor connecting."""
    statement = f"REFRESH MATERIALIZED VIEW CONCURRENTLY {_first(task)}"
    output = _run_psql(task, f"\\timing on\n{statement};\n")
    ((milliseconds,),) = (found.groups() for found in re.finditer(r"Time: ([0-9.]+) ms", output))
    return float(milliseconds) / 1000


def compile_querysets(task: Task) -> float:
    """Build every queryset among the views and compile it to SQL and parameters."""
    builders = [each.get_queryset for each in definitions(task.views) if each.get_queryset]
    return _time(lambda: [build().query.sql_with_params() for build in builders])


def send_by_psql(task: Task) -> float:
    """The DDL of all views in one transaction of psql, which is started and connects within that time."""
    script = ";\n".join(_ddl(task)) + ";\n"
    return _time(lambda: _run_psql(task, script, "--single-transaction"))


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


def _run_psql(task: Task, text: str, *more: str) -> str:
    """Have psql carry out a script; return what it printed."""
    parameters = parse_dsn(task.dsn)
    environment = {**os.environ, "PGPASSWORD": parameters.pop("password", "")}
    with NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(text)
        script.flush()
        options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", *more]
        command = [find_psql(), *options, "--file", script.name, "--dbname", make_dsn(**parameters)]
        process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(process.stderr.strip() or f"{command[0]} ended with {process.returncode}")
    return process.stdout


def _leave_processors_to_others() -> None:
    """Have this process's connections compute each query in one process, as PostgreSQL does many.

    Where it computes one in several, a single refresh has all processors, and no second one makes it faster.
    """
    os.environ["PGOPTIONS"] = "-c max_parallel_workers_per_gather=0"
    connections["default"].close()
    connections["default"].ensure_connection()


def _first(task: Task) -> str:
    """The first of the views that is materialised."""
    return next(each.view_name for each in definitions(task.views) if each.key)


def _refresh(task: Task, **how: Any) -> float:
    """What the command calls; see that all went concurrently, each after what it reads."""
    refresh_views = import_module(f"{task.package}.refresh").refresh_views
    results: dict[str, Any] = {}

    def refresh() -> None:
        results.update({str(result.name): result for result in refresh_views(**how)})

    seconds = _time(refresh)
    reading = [each for each in definitions(task.views) if each.reads and each.view_name in results]
    reads = {each.view_name: f"{SCHEMA}.{str(each.reads).lower()}" for each in reading}
    for name, result in results.items():
        if not result.concurrently:
            raise RuntimeError(f"{name} did not go concurrently: {result.why_not}")
        if name in reads and results[reads[name]].finished > result.started:
            raise RuntimeError(f"{name} was begun before {reads[name]} was done")
    return seconds


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
