"""The ORM_VIEWS setting: its rules and its defaults. It is read when it is needed."""

from __future__ import annotations

import math

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from orm_views_core.conf import (
    Settings,
    default_schema,
    get_settings,
    import_time_settings,
    raw_setting_problems,
    view_files,
    view_modules,
)

GOOD = [
    ("SCHEMA", "views"),
    ("SCHEMA", "Two Words"),
    ("SCHEMA", "ü" * 31),
    ("MODULE", "postgres_views"),
    ("MODULE", "db.views"),
    ("MODULE", None),
    ("GRANT_SELECT_TO", []),
    ("GRANT_SELECT_TO", ["analyst", 'odd "role"']),
    ("GRANT_SELECT_TO", ("analyst",)),
    ("COUNT_TIMEOUT", 0.001),
    ("PREVIEW_TIMEOUT", 30),
    ("LOCK_TIMEOUT", 0.5),
    ("LOCK_WAIT", 2_147_483),
    ("SYNC_WAIT", 0),
    ("SYNC_WAIT", 0.5),
    ("TRUSTED_OWNERS", ["reporting_owner"]),
    ("SYNC_ROLE", None),
    ("SYNC_ROLE", "views_owner"),
    ("SYNC_ON_MIGRATE", True),
    ("SYNC_ON_MIGRATE", False),
]
BAD = [
    ("SCHEMA", ""),
    ("SCHEMA", None),
    ("SCHEMA", 7),
    ("SCHEMA", "pg_views"),
    ("SCHEMA", "s" * 64),
    ("SCHEMA", "ü" * 32),
    ("SCHEMA", "a\0b"),
    ("MODULE", ""),
    ("MODULE", "postgres-views"),
    ("MODULE", "db..views"),
    ("MODULE", "views.py "),
    ("MODULE", ["postgres_views"]),
    ("GRANT_SELECT_TO", "analyst"),
    ("GRANT_SELECT_TO", None),
    ("SYNC_WAIT", False),
    ("SYNC_WAIT", -1),
    ("SYNC_WAIT", None),
    ("TRUSTED_OWNERS", "reporting_owner"),
    ("TRUSTED_OWNERS", [7]),
    ("SYNC_ROLE", ""),
    ("SYNC_ROLE", "none"),
    ("SYNC_ROLE", "a\0b"),
    ("SYNC_ROLE", ["views_owner"]),
    ("GRANT_SELECT_TO", [""]),
    ("GRANT_SELECT_TO", [None]),
    ("GRANT_SELECT_TO", {"analyst": True}),
    *[("SYNC_ON_MIGRATE", value) for value in (1, 0, "yes", None)],
    *[
        (key, value)
        for key in ("COUNT_TIMEOUT", "PREVIEW_TIMEOUT", "LOCK_TIMEOUT", "LOCK_WAIT")
        for value in (0, -1, True, "5", None, math.nan, math.inf, 0.0004, 2_147_484)
    ],
]


def described(case):
    return f"{case[0]}={case[1]!r}"[:60]


def problems_of(raw):
    """The mistakes in a value of the setting."""
    with override_settings(ORM_VIEWS=raw):
        return raw_setting_problems()


@pytest.mark.parametrize(("key", "value"), GOOD, ids=map(described, GOOD))
def test_a_valid_value_is_in_force(key, value):
    with override_settings(ORM_VIEWS={key: value}):
        assert raw_setting_problems() == []
        in_force = getattr(get_settings(), key)
        assert in_force == (tuple(value) if isinstance(value, list) else value)
        assert get_settings() == import_time_settings()


@pytest.mark.parametrize(("key", "value"), BAD, ids=map(described, BAD))
def test_an_invalid_value_is_reported_with_its_key_and_a_hint(key, value):
    (problem,) = problems_of({key: value})
    assert problem.key == key
    assert problem.message == f"ORM_VIEWS[{key!r}] is {value!r}."
    assert problem.hint.startswith("Give ")
    with override_settings(ORM_VIEWS={key: value}):
        with pytest.raises(ImproperlyConfigured, match="Give "):
            get_settings()
        assert import_time_settings() == Settings()


@pytest.mark.parametrize("key", ["SCHEMAS", "schema", "", 1, None])
def test_an_unknown_key_is_reported_with_the_known_keys(key):
    (problem,) = problems_of({key: "views"})
    assert repr(key) in problem.message
    assert "SCHEMA, MODULE, GRANT_SELECT_TO" in problem.hint
    with override_settings(ORM_VIEWS={key: "views", "SCHEMA": "other"}):
        assert import_time_settings() == Settings(SCHEMA="other")
        with pytest.raises(ImproperlyConfigured, match="unknown key"):
            get_settings()


@pytest.mark.parametrize("raw", [None, [], "views", 7])
def test_a_setting_that_is_no_dict_is_reported(raw):
    (problem,) = problems_of(raw)
    assert problem.key is None
    assert repr(raw) in problem.message
    with override_settings(ORM_VIEWS=raw):
        assert import_time_settings() == Settings()
        with pytest.raises(ImproperlyConfigured, match="not a dict"):
            get_settings()


def test_all_mistakes_are_reported_at_once():
    problems = problems_of({"SCHEMA": 1, "MODULE": 2, "WRONG": 3})
    assert [problem.key for problem in problems] == ["SCHEMA", "MODULE", "WRONG"]


@pytest.mark.parametrize(
    ("raw", "modules", "files"),
    [
        ({}, ("postgres_views", "database_views"), "postgres_views.py or database_views.py"),
        ({"MODULE": 7}, ("postgres_views", "database_views"), "postgres_views.py or database_views.py"),
        ({"MODULE": "postgres_views"}, ("postgres_views",), "postgres_views.py"),
        ({"MODULE": "sql.views"}, ("sql.views",), "sql/views.py"),
    ],
    ids=repr,
)
def test_views_are_looked_for_in_two_modules_or_in_the_chosen_one(raw, modules, files):
    with override_settings(ORM_VIEWS=raw):
        assert (view_modules(), view_files()) == (modules, files)


def test_without_the_setting_the_defaults_hold(settings):
    del settings.ORM_VIEWS
    assert get_settings() == import_time_settings() == Settings()
    assert Settings().LOCK_TIMEOUT < 1, "PostgreSQL's deadlock_timeout, at which a reader would be the victim"


def test_the_setting_is_read_at_every_call(settings):
    settings.ORM_VIEWS = {"SCHEMA": "one"}
    first = get_settings()
    settings.ORM_VIEWS = {"SCHEMA": "two"}
    assert (first.SCHEMA, get_settings().SCHEMA) == ("one", "two")


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"MODULE": 7},
        {"SCHEMA": "other", "WRONG": 1},
        *({key: value} for key, value in [*GOOD, *BAD]),
        None,
        7,
    ],
    ids=repr,
)
def test_default_schema_is_that_of_import_time_settings(raw):
    with override_settings(ORM_VIEWS=raw):
        assert default_schema() == import_time_settings().SCHEMA


def test_the_default_schema_needs_no_setting(settings):
    del settings.ORM_VIEWS
    assert default_schema() == Settings.SCHEMA
