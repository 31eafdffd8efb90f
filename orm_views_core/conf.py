"""The ``ORM_VIEWS`` setting: one typed object, read lazily so that ``override_settings`` works."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured


@dataclasses.dataclass(frozen=True)
class Settings:
    """What ``settings.ORM_VIEWS`` may say, with its defaults. Times are in seconds.

    Attributes:
        SCHEMA: the schema that views are created in, unless a class names another.
        MODULE: the module of each app that declares views.
        GRANT_SELECT_TO: roles that get SELECT on every view that is not hidden.
        COUNT_TIMEOUT: how long an exact row count may take before the planner's estimate is shown.
        PREVIEW_TIMEOUT: how long reading a page of rows may take.
        LOCK_TIMEOUT: how long a sync waits for locks while others queue behind it. It is never more than
            half of PostgreSQL's ``deadlock_timeout`` (1 s), so that the sync yields and not a reader.
        LOCK_WAIT: how long a sync keeps trying before it gives up.
        ROUTE_READS: whether a readable view of another database than the default one is read from there
            without ``using()``. False leaves that to DATABASE_ROUTERS.
        SYNC_ON_MIGRATE: whether ``migrate`` syncs the views of its database when it has finished.
        REFRESH_EVERY: how old the rows of a materialised view may get whose class does not say; any age
            when None.
    """

    SCHEMA: str = "views"
    MODULE: str = "postgres_views"
    GRANT_SELECT_TO: tuple[str, ...] = ()
    COUNT_TIMEOUT: float = 2.0
    PREVIEW_TIMEOUT: float = 10.0
    LOCK_TIMEOUT: float = 0.5
    LOCK_WAIT: float = 60.0
    ROUTE_READS: bool = True
    SYNC_ON_MIGRATE: bool = False
    REFRESH_EVERY: dt.timedelta | None = None


@dataclasses.dataclass(frozen=True)
class SettingProblem:
    """Something that ``ORM_VIEWS`` gets wrong.

    Attributes:
        key: the key at fault, or None when it is the dict itself.
        message: what is wrong, with the value.
        hint: what to write instead.
    """

    key: str | None
    message: str
    hint: str


def _is_schema_name(value: object) -> bool:
    if not isinstance(value, str) or "\0" in value:
        return False
    return 0 < len(value.encode()) <= 63 and not value.startswith("pg_")


def _is_module_name(value: object) -> bool:
    return isinstance(value, str) and bool(value) and all(part.isidentifier() for part in value.split("."))


def _is_role_list(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(role, str) and role for role in value)


#: PostgreSQL keeps its time-outs as a 32-bit number of milliseconds; 0 would switch them off.
_SHORTEST, _LONGEST = 0.001, 2_147_483


def _is_duration(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and _SHORTEST <= value <= _LONGEST


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def is_refresh_every(value: object) -> bool:
    """Say whether a class or the setting may promise this: a length of time, or None for no promise."""
    return value is None or (isinstance(value, dt.timedelta) and value > dt.timedelta(0))


REFRESH_EVERY_HINT = "Give a datetime.timedelta that is more than zero, such as timedelta(hours=1), or None."

_DURATION = f"Give a number of seconds from {_SHORTEST:g} to {_LONGEST}."
_RULES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "SCHEMA": (_is_schema_name, "Give the name of a schema: 1 to 63 bytes, not beginning with 'pg_'."),
    "MODULE": (_is_module_name, "Give the name of a module, such as 'postgres_views'."),
    "GRANT_SELECT_TO": (_is_role_list, "Give a list of role names, such as ['analyst']."),
    "COUNT_TIMEOUT": (_is_duration, _DURATION),
    "PREVIEW_TIMEOUT": (_is_duration, _DURATION),
    "LOCK_TIMEOUT": (_is_duration, _DURATION),
    "LOCK_WAIT": (_is_duration, _DURATION),
    "ROUTE_READS": (_is_bool, "Give True or False."),
    "SYNC_ON_MIGRATE": (_is_bool, "Give True or False."),
    "REFRESH_EVERY": (is_refresh_every, REFRESH_EVERY_HINT),
}


def setting_problems(raw: object) -> Iterator[SettingProblem]:
    """Say everything that is wrong with a value of ``settings.ORM_VIEWS``."""
    if not isinstance(raw, Mapping):
        yield SettingProblem(None, f"ORM_VIEWS is {raw!r}, not a dict.", "Write ORM_VIEWS = {...}.")
        return
    for key, value in raw.items():
        if key not in _RULES:
            known = ", ".join(_RULES)
            yield SettingProblem(str(key), f"ORM_VIEWS has an unknown key {key!r}.", f"The keys are {known}.")
            continue
        is_valid, hint = _RULES[key]
        if not is_valid(value):
            yield SettingProblem(key, f"ORM_VIEWS[{key!r}] is {value!r}.", hint)


def _settings(raw: Mapping[str, Any]) -> Settings:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
    return Settings(**values)


def _raw() -> Any:
    return getattr(django_settings, "ORM_VIEWS", {})


def get_settings() -> Settings:
    """Return the settings in force.

    Raises:
        ImproperlyConfigured: when ``settings.ORM_VIEWS`` has a mistake; ``manage.py check`` lists them all.
    """
    raw = _raw()
    if problem := next(setting_problems(raw), None):
        raise ImproperlyConfigured(f"{problem.message} {problem.hint}")
    return _settings(raw)


def import_time_settings() -> Settings:
    """Return the settings while modules are still being imported, a bad value replaced by its default.

    System checks run after all imports; raising here would hide their message behind a traceback.
    Whatever acts on a database calls :func:`get_settings`, which does raise.
    """
    raw = _raw()
    if not isinstance(raw, Mapping):
        return Settings()
    bad = {problem.key for problem in setting_problems(raw)}
    return _settings({key: value for key, value in raw.items() if str(key) not in bad})


def default_schema() -> str:
    """Return ``import_time_settings().SCHEMA``, without looking at the other keys: every view asks for it."""
    raw = _raw()
    schema = raw.get("SCHEMA") if isinstance(raw, Mapping) else None
    return str(schema) if _is_schema_name(schema) else Settings.SCHEMA


def routes_reads() -> bool:
    """Return ``ROUTE_READS``, without looking at the other keys: every queryset asks for it."""
    raw = _raw()
    return bool(raw.get("ROUTE_READS", Settings.ROUTE_READS)) if isinstance(raw, Mapping) else True


def raw_setting_problems() -> list[SettingProblem]:
    """Say everything that is wrong with this project's ``ORM_VIEWS``."""
    return list(setting_problems(_raw()))
