"""The ``ORM_VIEWS_ADMIN`` setting as a typed object, and the executor that follows from the settings.

Settings are read when they are needed, so that ``override_settings`` works.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from importlib import import_module
from importlib.util import find_spec

from django.utils.module_loading import import_string

from orm_views_core.conf import BOOL, DURATION, Rule, SettingReader, is_dotted_path, is_length_of_time

#: The executors of this package. Any other value of ``EXECUTOR`` is the dotted path of a callable.
EXECUTORS = ("auto", "inline", "thread", "task")

#: How long a request may be queued before it counts as lost. A thread starts at once, unless its process
#: dies. Workers may be busy, or stopped for the night.
_PATIENCE_WITH_THREADS, _PATIENCE_WITH_WORKERS = dt.timedelta(minutes=10), dt.timedelta(days=1)


@dataclasses.dataclass(frozen=True)
class Settings:
    """The keys of ``settings.ORM_VIEWS_ADMIN`` with their defaults.

    Attributes:
        EXECUTOR: what performs the requests of staff: ``"auto"``, ``"thread"``, ``"inline"``, ``"task"``, or
            the dotted path of a callable that takes the id of a request as a string.
        KEEP_RUNS: how long runs stay in the history, and how long it is kept who has read rows.
        KEEP_CHANGES: how long the changes of views are kept; None for ever.
        EXPORT_ROWS: how many rows an export has at most.
        EXPORT_TIMEOUT: how many seconds an export may take.
        KEEP_EXPORTS: how long the file of an export can be downloaded.
        RECORD_PREVIEWS: whether it is recorded who has read which rows.
        PERMISSION: the dotted path of a function that takes a user, the name of an action and a view. If it
            returns False, the user may not do that; it can allow nothing that permissions forbid.
    """

    EXECUTOR: str = "auto"
    KEEP_RUNS: dt.timedelta = dt.timedelta(days=90)
    KEEP_CHANGES: dt.timedelta | None = None
    EXPORT_ROWS: int = 1_000_000
    EXPORT_TIMEOUT: float = 600.0
    KEEP_EXPORTS: dt.timedelta = dt.timedelta(days=1)
    RECORD_PREVIEWS: bool = True
    PERMISSION: str | None = None


def _is_executor(value: object) -> bool:
    return value in EXECUTORS or (is_dotted_path(value) and "." in str(value))


_RULES = {
    "EXECUTOR": Rule(
        _is_executor,
        f"Give {', '.join(map(repr, EXECUTORS))}, or the path of a callable, such as 'shop.tasks.submit'.",
    ),
    "KEEP_RUNS": Rule(
        is_length_of_time, "Give a datetime.timedelta that is more than zero, such as timedelta(days=90)."
    ),
    "KEEP_CHANGES": Rule(
        lambda value: value is None or is_length_of_time(value),
        "Give a datetime.timedelta that is more than zero, such as timedelta(days=730), or None for ever.",
    ),
    "EXPORT_ROWS": Rule(
        lambda value: isinstance(value, int) and not isinstance(value, bool) and value > 0,
        "Give a number of rows that is more than zero, such as 1000000.",
    ),
    "EXPORT_TIMEOUT": DURATION,
    "KEEP_EXPORTS": Rule(
        is_length_of_time, "Give a datetime.timedelta that is more than zero, such as timedelta(days=1)."
    ),
    "RECORD_PREVIEWS": BOOL,
    "PERMISSION": Rule(
        lambda value: value is None or (is_dotted_path(value) and "." in str(value)),
        "Give the path of a function, such as 'shop.rights.may', or None.",
    ),
}
_READER = SettingReader("ORM_VIEWS_ADMIN", Settings, _RULES)

#: What modules and checks call: for ``ORM_VIEWS_ADMIN``, the methods of the reader.
raw_setting_problems = _READER.raw_problems
get_settings = _READER.read


def executor_name() -> str:
    """Return ``EXECUTOR``, with ``"auto"`` replaced by ``"task"`` or ``"thread"``.

    Raises:
        ImproperlyConfigured: when the setting has a mistake.
    """
    name = get_settings().EXECUTOR
    if name == "auto":
        return "task" if has_task_worker() else "thread"
    return name


def queue_patience() -> dt.timedelta:
    """Return how long a request may be queued before it counts as lost.

    Raises:
        ImproperlyConfigured: when the setting has a mistake.
    """
    return _PATIENCE_WITH_THREADS if executor_name() in {"inline", "thread"} else _PATIENCE_WITH_WORKERS


def has_task_worker() -> bool:
    """Return whether the default backend of ``django.tasks`` hands tasks to a worker.

    The immediate backend, Django's default, runs tasks at once. The dummy backend never runs them.
    Before Django 6.0 the backends are those of the ``django-tasks`` package.
    """
    package = next(filter(find_spec, ("django.tasks", "django_tasks")), None)
    if package is None:
        return False
    backends = import_module(package).task_backends
    if "default" not in backends.settings:
        return False
    immediate = import_string(f"{package}.backends.immediate.ImmediateBackend")
    dummy = import_string(f"{package}.backends.dummy.DummyBackend")
    return not isinstance(backends["default"], (immediate, dummy))
