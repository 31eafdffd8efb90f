"""A process of the project: `python -m tests.benchmarks.scale.process`, a task in, an answer out.

It is measured from its beginning, so nothing is imported before it is needed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Task:
    """What to do with a project.

    Attributes:
        action: a function of `actions.py`; or "" to set Django up and do nothing.
        folder: the folder with the project's app; "" for a project without one.
        dsn: the database.
        has_views: whether orm_views_core is installed.
        has_admin: whether the admin is installed too.
        arguments: what the action is told.
    """

    action: str
    folder: str
    dsn: str
    has_views: bool = True
    has_admin: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What came of it. Times are in seconds, memory is in MB.

    Attributes:
        processor: the processor time of the process until Django was set up, or the action was done.
        elapsed: how long the process ran, as the benchmark saw it.
        memory: the most memory that the process had.
        figures: what the action measured itself, by name.
    """

    processor: float
    memory: float
    elapsed: float = 0
    figures: dict[str, float] = field(default_factory=dict)


def main() -> None:
    task = json.load(sys.stdin)
    output, sys.stdout = sys.stdout, sys.stderr
    configure(task)
    figures: dict[str, float] = {}
    if task["action"]:
        from tests.benchmarks.scale import actions

        figures = getattr(actions, task["action"])(task["arguments"]) or {}
    answer = {"processor": process_time(), "memory": _memory()}
    json.dump({**answer, "figures": figures}, output)


def configure(task: Mapping[str, Any]) -> None:
    """Set Django up with the project."""
    import django
    from psycopg2.extensions import parse_dsn

    parameters = parse_dsn(task["dsn"]) if task["dsn"] else {}
    database = {"ENGINE": "django.db.backends.postgresql", "NAME": parameters.pop("dbname", "none")}
    for key, parameter in {"USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}.items():
        database[key] = parameters.pop(parameter, "")
    apps = ["orm_views_core"] if task["has_views"] else []
    if task["has_admin"]:
        names = ("admin", "auth", "contenttypes", "sessions", "messages")
        apps = [*(f"django.contrib.{name}" for name in names), "django_tables2", *apps, "orm_views_admin"]
    if task["folder"]:
        from tests.benchmarks.scale.project import APP

        sys.path.insert(0, task["folder"])
        apps.append(APP)
    middleware = (
        "sessions.middleware.Session",
        "auth.middleware.Authentication",
        "messages.middleware.Message",
    )
    processors = ("auth.context_processors.auth", "messages.context_processors.messages")
    # A module of settings, as projects have one: what it does not set is looked up faster.
    settings = ModuleType("scaled_settings")
    vars(settings).update(
        SECRET_KEY="benchmark",
        USE_TZ=True,
        TIME_ZONE="UTC",
        ALLOWED_HOSTS=["*"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": {**database, "OPTIONS": parameters}},
        INSTALLED_APPS=apps,
        **({"ROOT_URLCONF": "tests.benchmarks.scale.urls"} if task["has_admin"] else {}),
        MIDDLEWARE=[f"django.contrib.{name}Middleware" for name in middleware],
        STATIC_URL="/static/",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        *(f"django.contrib.{name}" for name in processors),
                    ]
                },
            }
        ],
    )
    sys.modules[settings.__name__] = settings
    os.environ["DJANGO_SETTINGS_MODULE"] = settings.__name__
    django.setup()


def _memory() -> float:
    # Not ru_maxrss: a new process inherits that of the process that started it.
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) / 1024


if __name__ == "__main__":
    main()
