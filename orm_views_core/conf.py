"""The ``ORM_VIEWS`` setting as a typed object, and the reader for a setting that is a dict.

Settings are read when they are needed, so that ``override_settings`` works.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.sentences import Sentence, listed, says

SettingsT = TypeVar("SettingsT")


@dataclasses.dataclass(frozen=True)
class SettingProblem:
    """A mistake in a setting.

    Attributes:
        key: the key with the mistake; None when the setting itself is not a dict.
        message: what is wrong, with the value.
        hint: what to write instead.
    """

    key: str | None
    message: str
    hint: str


@dataclasses.dataclass(frozen=True)
class Rule:
    """The values that a key may have.

    Attributes:
        is_valid: returns whether a value is valid.
        hint: what to write instead of an invalid value.
    """

    is_valid: Callable[[object], bool]
    hint: str


@dataclasses.dataclass(frozen=True)
class SettingReader(Generic[SettingsT]):
    """Reads a setting that is a dict, and finds the mistakes in it.

    Attributes:
        name: the name of the setting.
        settings_class: the dataclass of its values, with their defaults.
        rules: the rule of each key.
    """

    name: str
    settings_class: type[SettingsT]
    rules: Mapping[str, Rule]

    def raw(self) -> Any:
        """Return the setting as the project wrote it."""
        return getattr(django_settings, self.name, {})

    def problems(self, raw: object) -> Iterator[SettingProblem]:
        """Yield every mistake in a value of the setting."""
        if not isinstance(raw, Mapping):
            message = f"{self.name} is {raw!r}, not a dict."
            yield SettingProblem(None, message, f"Write {self.name} = {{...}}.")
            return
        for key, value in raw.items():
            if key not in self.rules:
                message = f"{self.name} has an unknown key {key!r}."
                yield SettingProblem(str(key), message, f"The keys are {', '.join(self.rules)}.")
            elif not self.rules[key].is_valid(value):
                yield SettingProblem(key, f"{self.name}[{key!r}] is {value!r}.", self.rules[key].hint)

    def raw_problems(self) -> list[SettingProblem]:
        """Return every mistake in this project's setting."""
        return list(self.problems(self.raw()))

    def read(self) -> SettingsT:
        """Return the settings in force.

        Raises:
            ImproperlyConfigured: when the setting has a mistake; ``manage.py check`` lists them all.
        """
        raw = self.raw()
        for problem in self.problems(raw):
            raise ImproperlyConfigured(f"{problem.message} {problem.hint}")
        return self.build(raw)

    def build(self, values: Mapping[str, Any]) -> SettingsT:
        """Return the settings with some valid values. Lists become tuples."""
        return self.settings_class(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


@dataclasses.dataclass(frozen=True)
class Settings:
    """The keys of ``settings.ORM_VIEWS`` with their defaults. Times are in seconds.

    Attributes:
        SCHEMA: the schema of views whose class names no other; or a function that is called with the
            connection of the views, and returns the schema.
        MODULE: the module of each app that declares views; None for ``postgres_views`` and
            ``database_views``.
        GRANT_SELECT_TO: roles that get SELECT on every view that is not hidden.
        COUNT_TIMEOUT: how long an exact row count may take before the planner's estimate is shown.
        PREVIEW_TIMEOUT: how long reading a page of rows may take.
        COMPARE_TIMEOUT: how long comparing the rows of all views of a plan may take.
        CONNECT_TIMEOUT: how long a database may take to accept a connection and give its first answer, before
            pages and ``show_views`` say that it does not answer. PostgreSQL's client library counts whole
            seconds, and at least two.
        LOCK_TIMEOUT: how long a sync waits for locks while other sessions queue behind it. A sync never
            waits longer than half of PostgreSQL's ``deadlock_timeout`` (1 s). In a deadlock the sync
            therefore gives up, and no reader is cancelled.
        LOCK_WAIT: how long a sync tries to get its locks before it fails.
        ROUTE_READS: whether a readable view of a database other than the default one is read from there
            without ``using()``. When False, DATABASE_ROUTERS decide.
        SYNC_ON_MIGRATE: whether ``migrate`` syncs the views of its database when it has finished.
        REFRESH_EVERY: the greatest age of the rows of a materialised view whose class does not set
            ``refresh_every``; None for no limit.
        SYNC_WAIT: how long a sync waits for another sync of the database to end; 0 for ever.
        TRUSTED_OWNERS: further roles that are trusted: what they wrote may run with our rights.
        SYNC_ROLE: the role that plans, syncs and refreshes run as, after SET ROLE; None for the role that
            Django connects as.
        BUILD_TIMEOUT: how long one build or refresh of a materialised view may take, as its
            ``statement_timeout``; None for the ``statement_timeout`` of the session.
        WORK_MEM: the ``work_mem`` of builds and refreshes; None for that of the session.
        PERSONAL: the personal fields of other apps' models, as ``app_label.Model.field``.
        PERSONAL_SAFE_FUNCTIONS: the functions, with their schemas, whose results tell nothing of their
            arguments.
    """

    SCHEMA: str | Callable[[BaseDatabaseWrapper], str] = "views"
    MODULE: str | None = None
    GRANT_SELECT_TO: tuple[str, ...] = ()
    COUNT_TIMEOUT: float = 2.0
    PREVIEW_TIMEOUT: float = 10.0
    COMPARE_TIMEOUT: float = 30.0
    CONNECT_TIMEOUT: float = 5.0
    LOCK_TIMEOUT: float = 0.5
    LOCK_WAIT: float = 60.0
    ROUTE_READS: bool = True
    SYNC_ON_MIGRATE: bool = False
    REFRESH_EVERY: dt.timedelta | None = None
    SYNC_WAIT: float = 1800.0
    TRUSTED_OWNERS: tuple[str, ...] = ()
    SYNC_ROLE: str | None = None
    BUILD_TIMEOUT: float | None = None
    WORK_MEM: str | None = None
    PERSONAL: tuple[str, ...] = ()
    PERSONAL_SAFE_FUNCTIONS: tuple[str, ...] = ("pg_catalog.count",)


def _is_schema_name(value: object) -> bool:
    if not isinstance(value, str) or "\0" in value:
        return False
    return 0 < len(value.encode()) <= 63 and not value.startswith("pg_")


def is_dotted_path(value: object) -> bool:
    """Return whether a value is the dotted path of a module, or of an object in one."""
    return isinstance(value, str) and bool(value) and all(part.isidentifier() for part in value.split("."))


def is_role_list(value: object) -> bool:
    """Return whether a value is a list or a tuple of role names."""
    return isinstance(value, (list, tuple)) and all(isinstance(role, str) and role for role in value)


def _are_names(parts: int) -> Callable[[object], bool]:
    """Return whether a value is a list of names of so many parts with dots between them."""

    def is_valid(value: object) -> bool:
        return isinstance(value, (list, tuple)) and all(
            isinstance(name, str) and all(name.split(".")) and name.count(".") == parts - 1 for name in value
        )

    return is_valid


#: PostgreSQL stores a time-out as a 32-bit number of milliseconds. 0 would disable the time-out.
_SHORTEST, _LONGEST = 0.001, 2_147_483


def _is_duration(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and _SHORTEST <= value <= _LONGEST


def _is_wait(value: object) -> bool:
    return _is_duration(value) or (value == 0 and not isinstance(value, bool))


def _is_role(value: object) -> bool:
    return value is None or (isinstance(value, str) and value not in {"", "none"} and "\0" not in value)


#: PostgreSQL's units of memory, in kB, and the least and the greatest ``work_mem``.
_UNITS, _LEAST, _MOST = {"kB": 1, "MB": 1024, "GB": 1024**2, "TB": 1024**3}, 64, 2_147_483_647


def is_memory(value: object) -> bool:
    """Return whether a value is a size of memory as PostgreSQL spells it, with its unit."""
    found = re.fullmatch(r"(\d+)\s*([kMGT]B)", value) if isinstance(value, str) else None
    return found is not None and _LEAST <= int(found[1]) * _UNITS[found[2]] <= _MOST


#: The rule of a size of memory.
MEMORY = Rule(is_memory, says("Give a size from 64kB on with its unit (kB, MB, GB, TB), such as '256MB'."))


def is_length_of_time(value: object) -> bool:
    """Return whether a value is a positive ``timedelta``."""
    return isinstance(value, dt.timedelta) and value > dt.timedelta(0)


def is_refresh_every(value: object) -> bool:
    """Return whether ``refresh_every`` may have a value: a positive ``timedelta``, or None for no limit."""
    return value is None or is_length_of_time(value)


_SCHEMA_HINT = "Give the name of a schema: 1 to 63 bytes, not beginning with 'pg_'."
REFRESH_EVERY_HINT = says(
    "Give a datetime.timedelta that is more than zero, such as timedelta(hours=1), or None."
)

DURATION = Rule(_is_duration, f"Give a number of seconds from {_SHORTEST:g} to {_LONGEST}.")
BOOL = Rule(lambda value: isinstance(value, bool), "Give True or False.")
_READER = SettingReader(
    "ORM_VIEWS",
    Settings,
    {
        "SCHEMA": Rule(lambda value: _is_schema_name(value) or callable(value), _SCHEMA_HINT),
        "MODULE": Rule(
            lambda value: value is None or is_dotted_path(value),
            "Give the name of a module, such as 'postgres_views', or None.",
        ),
        "GRANT_SELECT_TO": Rule(is_role_list, "Give a list of role names, such as ['analyst']."),
        **dict.fromkeys(("COUNT_TIMEOUT", "PREVIEW_TIMEOUT", "CONNECT_TIMEOUT"), DURATION),
        **dict.fromkeys(("LOCK_TIMEOUT", "LOCK_WAIT", "COMPARE_TIMEOUT"), DURATION),
        **dict.fromkeys(("ROUTE_READS", "SYNC_ON_MIGRATE"), BOOL),
        "REFRESH_EVERY": Rule(is_refresh_every, REFRESH_EVERY_HINT),
        "SYNC_WAIT": Rule(_is_wait, f"Give a number of seconds up to {_LONGEST}, or 0 to wait for ever."),
        "TRUSTED_OWNERS": Rule(is_role_list, "Give a list of role names, such as ['reporting_owner']."),
        "SYNC_ROLE": Rule(_is_role, "Give the name of a role, such as 'views_owner', or None."),
        "BUILD_TIMEOUT": Rule(lambda v: v is None or _is_duration(v), f"{DURATION.hint[:-1]}, or None."),
        "WORK_MEM": Rule(lambda v: v is None or is_memory(v), f"{MEMORY.hint[:-1]}, or None."),
        "PERSONAL": Rule(_are_names(3), "Give a list of fields, such as ['auth.User.email']."),
        "PERSONAL_SAFE_FUNCTIONS": Rule(
            _are_names(2), "Give a list of functions with their schemas, such as ['pg_catalog.count']."
        ),
    },
)


#: What modules and checks call: for ``ORM_VIEWS``, the methods of the reader.
raw_setting_problems = _READER.raw_problems
get_settings = _READER.read


def import_time_settings() -> Settings:
    """Return the settings while modules are being imported. An invalid value is replaced by its default.

    System checks run after all imports. An exception here would replace their messages with a traceback.
    Code that works on a database calls :func:`get_settings` instead, which raises.
    """
    raw = _READER.raw()
    if not isinstance(raw, Mapping):
        return Settings()
    bad = {problem.key for problem in _READER.problems(raw)}
    return _READER.build({key: value for key, value in raw.items() if str(key) not in bad})


#: Where views are looked for in each app. Never in ``views``: those of Django are there.
_VIEW_MODULES = ("postgres_views", "database_views")


def view_modules() -> tuple[str, ...]:
    """Return the modules in which the views of an app are looked for."""
    module = import_time_settings().MODULE
    return _VIEW_MODULES if module is None else (module,)


def view_files() -> Sentence:
    """Return the files of these modules, for messages: ``postgres_views.py or database_views.py``."""
    return listed([f"{module.replace('.', '/')}.py" for module in view_modules()], " or ")


def default_schema() -> str | Callable[[BaseDatabaseWrapper], str]:
    """Return ``import_time_settings().SCHEMA`` without reading the other keys: every view needs it."""
    raw = _READER.raw()
    schema = raw.get("SCHEMA") if isinstance(raw, Mapping) else None
    return schema if callable(schema) or _is_schema_name(schema) else Settings.SCHEMA  # type: ignore[return-value]


def schema_on(connection: BaseDatabaseWrapper, schema: str | Callable[[BaseDatabaseWrapper], str]) -> str:
    """Return the name of a schema, or what a function says that it is on a connection.

    Raises:
        ImproperlyConfigured: when the function returns anything but the name of a schema.
    """
    if not callable(schema):
        return schema
    found = schema(connection)
    if not _is_schema_name(found):
        name = getattr(schema, "__qualname__", repr(schema))
        raise ImproperlyConfigured(f"{name}() returns {found!r} as the schema of views. {_SCHEMA_HINT}")
    return found


def routes_reads() -> bool:
    """Return ``ROUTE_READS`` without reading the other keys: every queryset needs it."""
    raw = _READER.raw()
    return bool(raw.get("ROUTE_READS", Settings.ROUTE_READS)) if isinstance(raw, Mapping) else True
