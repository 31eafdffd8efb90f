"""One measurement, in a process of its own: `python -m tests.benchmarks.worker`, a task in, an answer out.

Starting Python, importing, `django.setup()` and opening the connection come before the clock starts. The task
arrives on standard input, not as an argument, because a connection string may hold a password.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from contextlib import closing, redirect_stdout
from dataclasses import asdict, dataclass, field
from importlib import import_module, metadata
from time import perf_counter

import django
import psycopg2
from django.conf import settings
from django.db import connections

PROJECT = "tests.benchmarks.project"


@dataclass(frozen=True)
class Task:
    """The name of an action, the database, how many views there are, and who defines them, if anyone does."""

    action: str
    dsn: str
    views: int
    package: str | None = None


@dataclass(frozen=True)
class Answer:
    """How long the action took, and the versions it ran on."""

    seconds: float
    versions: dict[str, str] = field(default_factory=dict)


def main() -> None:
    task = Task(**json.load(sys.stdin))
    with redirect_stdout(sys.stderr):
        configure(task)
        warm_up()
        answer = Answer(ACTIONS[task.action](task), versions())
    json.dump(asdict(answer), sys.stdout)


def configure(task: Task) -> None:
    """Set Django up with the benchmark's project and, if there is one, the package."""
    parameters = psycopg2.extensions.parse_dsn(task.dsn)
    database = {"ENGINE": "django.db.backends.postgresql", "NAME": parameters.pop("dbname")}
    for key, parameter in {"USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}.items():
        database[key] = parameters.pop(parameter, "")
    settings.configure(
        SECRET_KEY="benchmark",
        USE_TZ=True,
        TIME_ZONE="UTC",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": {**database, "OPTIONS": parameters}},
        INSTALLED_APPS=[task.package, PROJECT] if task.package else [PROJECT],
        BENCHMARK_PACKAGE=task.package,
        BENCHMARK_VIEWS=task.views,
    )
    django.setup()


def warm_up() -> None:
    """Open the connection, and compile one query that is not among the views."""
    models = import_module(f"{PROJECT}.models")
    models.Product.objects.filter(name="Flexible").values("id").query.sql_with_params()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")


def versions() -> dict[str, str]:
    return {
        "Python": platform.python_version(),
        "Django": django.get_version(),
        "psycopg2": metadata.version("psycopg2-binary"),
    }


def create_tables(task: Task) -> float:
    models = import_module(f"{PROJECT}.models")
    start = perf_counter()
    models.create_tables()
    return perf_counter() - start


def sync(task: Task) -> float:
    """The package's `sync_views()`, nothing else."""
    sync_views = import_module(f"{task.package}.sync").sync_views
    start = perf_counter()
    sync_views()
    return perf_counter() - start


def compile_querysets(task: Task) -> float:
    """Build every queryset among the views and compile it to SQL and parameters."""
    definitions = import_module(f"{PROJECT}.definitions")
    each = definitions.definitions(task.views)
    querysets = [one.get_queryset for one in each if isinstance(one, definitions.FromQueryset)]
    start = perf_counter()
    for get_queryset in querysets:
        get_queryset().query.sql_with_params()
    return perf_counter() - start


def send_statements(task: Task) -> float:
    """The DDL of all views in one transaction of a bare connection, a statement at a time."""
    return _send(task, ddl_statements(task.views))


def send_script(task: Task) -> float:
    """The same, in one string and so in one round trip."""
    return _send(task, [";\n".join(ddl_statements(task.views))])


def read_catalog(task: Task) -> float:
    """Read every view's stored definition and comment back, in one query."""
    query = """
        SELECT class.oid, class.relname, class.relkind, class.relacl, class.reloptions,
               pg_get_viewdef(class.oid), obj_description(class.oid, 'pg_class')
        FROM pg_class AS class
        JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE namespace.nspname = 'views' AND class.relkind IN ('v', 'm')
    """
    with closing(psycopg2.connect(task.dsn)) as bare, bare.cursor() as cursor:
        start = perf_counter()
        cursor.execute(query)
        found = len(cursor.fetchall())
        seconds = perf_counter() - start
    if found != task.views:
        raise RuntimeError(f"The schema has {found} views, not {task.views}")
    return seconds


def ddl_statements(views: int) -> list[str]:
    """What creates the schema and its views, parameters interpolated: no package has a part in it."""
    module = import_module(f"{PROJECT}.definitions")
    statements = [f"CREATE SCHEMA {module.SCHEMA}"]
    with connections["default"].cursor() as cursor:
        for definition in module.definitions(views):
            if isinstance(definition, module.FromSQL):
                query = definition.sql
            else:
                query = cursor.mogrify(*definition.get_queryset().query.sql_with_params()).decode()
            statements.append(f"CREATE VIEW {module.view_name(definition)} AS {query}")
    return statements


def _send(task: Task, statements: list[str]) -> float:
    with closing(psycopg2.connect(task.dsn)) as bare, bare.cursor() as cursor:
        cursor.execute("SELECT 1")
        bare.rollback()
        start = perf_counter()
        for statement in statements:
            cursor.execute(statement)
        bare.commit()
        return perf_counter() - start


ACTIONS: dict[str, Callable[[Task], float]] = {
    action.__name__: action
    for action in (create_tables, sync, compile_querysets, send_statements, send_script, read_catalog)
}


if __name__ == "__main__":
    main()
