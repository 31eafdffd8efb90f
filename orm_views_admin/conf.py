"""The ``ORM_VIEWS_ADMIN`` setting: one typed object, read lazily so that ``override_settings`` works."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured

from orm_views_core.conf import SettingProblem

#: The executors that have a name of their own.
EXECUTORS = ("auto", "inline", "thread", "task")


@dataclasses.dataclass(frozen=True)
class Settings:
    """What ``settings.ORM_VIEWS_ADMIN`` may say, with its defaults.

    Attributes:
        EXECUTOR: who carries out what staff start: ``"auto"``, ``"thread"``, ``"inline"``, ``"task"``, or the
            dotted path of a callable that is given the request's id, a string.
        KEEP_RUNS: how long the history goes back.
    """

    EXECUTOR: str = "auto"
    KEEP_RUNS: dt.timedelta = dt.timedelta(days=90)


def _is_executor(value: object) -> bool:
    if not isinstance(value, str):
        return False
    parts = value.split(".")
    return value in EXECUTORS or (len(parts) > 1 and all(part.isidentifier() for part in parts))


def _is_length_of_time(value: object) -> bool:
    return isinstance(value, dt.timedelta) and value > dt.timedelta(0)


_RULES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "EXECUTOR": (
        _is_executor,
        f"Give {', '.join(map(repr, EXECUTORS))}, or the path of a callable, such as 'shop.tasks.submit'.",
    ),
    "KEEP_RUNS": (
        _is_length_of_time,
        "Give a datetime.timedelta that is more than zero, such as timedelta(days=90).",
    ),
}


def setting_problems(raw: object) -> Iterator[SettingProblem]:
    """Say everything that is wrong with a value of ``settings.ORM_VIEWS_ADMIN``."""
    if not isinstance(raw, Mapping):
        yield SettingProblem(
            None, f"ORM_VIEWS_ADMIN is {raw!r}, not a dict.", "Write ORM_VIEWS_ADMIN = {...}."
        )
        return
    for key, value in raw.items():
        if key not in _RULES:
            message = f"ORM_VIEWS_ADMIN has an unknown key {key!r}."
            yield SettingProblem(str(key), message, f"The keys are {', '.join(_RULES)}.")
            continue
        is_valid, hint = _RULES[key]
        if not is_valid(value):
            yield SettingProblem(key, f"ORM_VIEWS_ADMIN[{key!r}] is {value!r}.", hint)


def raw_settings() -> Any:
    """Return the setting as the project wrote it."""
    return getattr(django_settings, "ORM_VIEWS_ADMIN", {})


def get_settings() -> Settings:
    """Return the settings in force.

    Raises:
        ImproperlyConfigured: when there is a mistake in them; ``manage.py check`` lists them all.
    """
    raw = raw_settings()
    if problem := next(setting_problems(raw), None):
        raise ImproperlyConfigured(f"{problem.message} {problem.hint}")
    return Settings(**raw)
