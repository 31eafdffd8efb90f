"""One measurement, in a process of its own: `python -m tests.benchmarks.worker`, a task in, an answer out.

Starting Python, importing, `django.setup()` and opening the connection come before the clock starts. The task
arrives on standard input, not as an argument, because a connection string may hold a password.
"""

from __future__ import annotations

import json
import platform
import sys
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, field
from importlib import import_module, metadata
from typing import Any

import django
import psycopg2
from django.conf import settings
from django.db import connections

from tests.benchmarks.views import Views

PROJECT = "tests.benchmarks.project"

DJANGO_PGVIEWS = "django_pgviews"


@dataclass(frozen=True)
class Task:
    """The name of an action, the database, the views, and the package that defines them, if any does."""

    action: str
    dsn: str
    views: Views
    package: str | None = None

    @classmethod
    def from_json(cls, text: str) -> Task:
        values: dict[str, Any] = json.loads(text)
        return cls(**{**values, "views": Views(**values["views"])})


@dataclass(frozen=True)
class Answer:
    """How long the action took, and the versions it ran on."""

    seconds: float
    versions: dict[str, str] = field(default_factory=dict)


def main() -> None:
    task = Task.from_json(sys.stdin.read())
    with redirect_stdout(sys.stderr):
        configure(task)
        warm_up()
        actions = import_module(
            "tests.benchmarks.actions"
        )  # which imports models, for which Django is set up now
        answer = Answer(getattr(actions, task.action)(task), versions())
    json.dump(asdict(answer), sys.stdout)


def configure(task: Task) -> None:
    """Set Django up with the benchmark's project and, if there is one, the package."""
    parameters = psycopg2.extensions.parse_dsn(task.dsn)
    database = {"ENGINE": "django.db.backends.postgresql", "NAME": parameters.pop("dbname")}
    for key, parameter in {"USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}.items():
        database[key] = parameters.pop(parameter, "")
    apps = [PROJECT] if task.package is None else [task.package, PROJECT]
    if task.package == DJANGO_PGVIEWS:
        apps.append(f"{PROJECT}.pgviews")
    settings.configure(
        SECRET_KEY="benchmark",
        USE_TZ=True,
        TIME_ZONE="UTC",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": {**database, "OPTIONS": parameters}},
        INSTALLED_APPS=apps,
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


if __name__ == "__main__":
    main()
