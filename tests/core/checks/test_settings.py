"""The system checks, each test named after the id that it is about."""

from __future__ import annotations

import pytest
from django.core.checks import ERROR, WARNING, run_checks
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils.functional import classproperty

from orm_views_core.checks.settings import check_databases, check_names, check_settings
from orm_views_core.definitions.registered import registered_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from orm_views_core.views.registry import registry


def test_a_sound_project_has_nothing_to_say():
    class Sound(PostgresViewFromSQL):
        sql = "SELECT 1 AS id"

    assert [*check_settings(None), *check_databases(None), *check_names(None)] == []


def test_e001_a_setting_that_cannot_be():
    with override_settings(ORM_VIEWS={"SCHEMA": "", "UNKNOWN": 1}):
        schema, unknown = check_settings(None)
    assert (schema.id, schema.level) == ("orm_views_core.E001", ERROR)
    assert schema.msg == "ORM_VIEWS['SCHEMA'] is ''."
    assert "1 to 63 bytes" in schema.hint
    assert "UNKNOWN" in unknown.msg
    assert "The keys are SCHEMA" in unknown.hint


def test_e001_a_bad_setting_hides_no_message_behind_a_traceback():
    class Some(PostgresViewFromSQL):
        sql = "SELECT 1 AS id"

    for bad in (None, {"SCHEMA": 7}, {"MODULE": 7}, {1: 2}):
        with override_settings(ORM_VIEWS=bad):
            messages = run_checks(tags=["orm_views"], databases=[])
        assert {message.id for message in messages} == {"orm_views_core.E001"}, bad


# Django 6.1 asks the databases what they can do, for generated fields of models.
@pytest.mark.django_db(databases="__all__")
def test_e001_stops_the_check_command():
    with (
        override_settings(ORM_VIEWS={"LOCK_WAIT": -1}),
        pytest.raises(CommandError, match=r"\(orm_views_core\.E001\) ORM_VIEWS\['LOCK_WAIT'\] is -1\."),
    ):
        call_command("check")


def test_e002_an_alias_that_is_not_in_databases():
    class Lost(PostgresViewFromSQL):
        database = "nowhere"
        engines = ("sqlite",)
        sql = "SELECT 1 AS id"

    (message,) = check_databases(None)
    assert (message.id, message.level) == ("orm_views_core.E002", ERROR)
    assert "Lost (" in message.msg
    assert "test_settings.py, line " in message.msg
    assert "'nowhere', which is not in DATABASES" in message.msg
    assert "Set 'database'" in message.hint


def test_e002_an_alias_of_an_engine_that_views_are_not_for(add_database):
    add_database("lite", {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"})
    add_database("oracle", {"ENGINE": "tests.core.checks.oracle"})

    class Misplaced(PostgresViewFromSQL):
        database = "oracle"
        sql = "SELECT 1 AS id"

    class Elsewhere(PostgresViewFromSQL):
        database = "lite"
        sql = "SELECT 1 AS id"

    (message,) = check_databases(None)
    assert message.id == "orm_views_core.E002"
    assert "Misplaced (" in message.msg
    assert "in database 'oracle', which is Oracle, where views cannot be synced." in message.msg
    assert "a PostgreSQL, SQLite, MariaDB or MySQL database" in message.hint


def test_a_view_that_is_not_for_such_an_engine_is_skipped_there(add_database):
    add_database("oracle", {"ENGINE": "tests.core.checks.oracle"})

    class Elsewhere(PostgresViewFromSQL):
        database = "oracle"
        engines = ("postgresql",)
        sql = "SELECT 1 AS id"

    assert check_databases(None) == []
    assert registry.databases() == []
    (skipped,) = registered_views("oracle").skipped
    assert skipped.reason == "It is for PostgreSQL, and database 'oracle' is Oracle."


def test_no_check_fails_because_of_an_engine_that_views_are_not_for(add_database):
    add_database("oracle", {"ENGINE": "tests.core.checks.oracle"})

    class Misplaced(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
        database = "oracle"
        sql = "SELECT 1 AS id"

    messages = run_checks(tags=["orm_views"], databases=["oracle"])
    assert [m.id for m in messages if m.id.startswith("orm_views_core")] == ["orm_views_core.E002"]


def test_e002_says_each_database_once_with_all_of_its_views():
    for number in range(3):
        type(f"Lost{number}", (PostgresViewFromSQL,), {"database": "nowhere", "sql": "SELECT 1"})
    (message,) = check_databases(None)
    assert all(f"Lost{number}" in message.msg for number in range(3))


@pytest.mark.parametrize("attribute", ["name", "schema"])
@pytest.mark.parametrize("value", ["v" * 64, "ü" * 32])
def test_e003_a_name_that_postgresql_would_cut(attribute, value):
    type("Long", (PostgresViewFromSQL,), {attribute: value, "sql": "SELECT 1 AS id", "__module__": __name__})
    (message,) = check_names(None)
    assert (message.id, message.level) == ("orm_views_core.E003", ERROR)
    assert "Long (" in message.msg
    assert "has 64 bytes, and PostgreSQL keeps 63" in message.msg
    assert f"'{attribute}'" in message.msg
    assert message.hint


@pytest.mark.parametrize("value", ["", 7, "a\0b"])
def test_e003_a_name_that_is_none(value):
    class Nameless(PostgresViewFromSQL):
        name = value
        sql = "SELECT 1 AS id"

    (message,) = check_names(None)
    assert message.id == "orm_views_core.E003"
    assert f"its name is {value!r}" in message.msg
    assert "shorter" not in f"{message.msg} {message.hint}"


def test_e003_a_name_that_cannot_be_read():
    class Nameless(PostgresViewFromSQL):
        sql = "SELECT 1 AS id"

        @classproperty
        def name(cls):
            raise RuntimeError("not today")

    (message,) = check_names(None)
    assert message.id == "orm_views_core.E003"
    assert "its name cannot be read" in message.msg
    assert "shorter" not in f"{message.msg} {message.hint}"


def test_a_name_of_63_bytes_is_good():
    class Long(PostgresViewFromSQL):
        name = "ü" * 31 + "x"
        sql = "SELECT 1 AS id"

    assert check_names(None) == []


def test_e004_a_name_that_two_classes_claim():
    class One(PostgresViewFromSQL):
        name = "same"
        sql = "SELECT 1 AS id"

    class Other(PostgresViewFromSQL):
        name = "same"
        sql = "SELECT 2 AS id"

    (message,) = check_names(None)
    assert (message.id, message.level) == ("orm_views_core.E004", ERROR)
    assert "Other (" in message.msg
    assert "One (" in message.msg
    assert "both claim views.same in database 'default'" in message.msg
    assert "'prefix'" in message.hint


def test_e004_says_nothing_of_names_in_different_schemas_or_databases():
    class One(PostgresViewFromSQL):
        name = "same"
        sql = "SELECT 1 AS id"

    class Other(PostgresViewFromSQL):
        name = "same"
        schema = "other"
        sql = "SELECT 1 AS id"

    class Elsewhere(PostgresViewFromSQL):
        name = "same"
        database = "warehouse"
        sql = "SELECT 1 AS id"

    assert check_names(None) == []


def test_w001_a_name_that_has_to_be_quoted():
    class Loud(PostgresViewFromSQL):
        name = "LoanBook"
        sql = "SELECT 1 AS id"

    (message,) = check_names(None)
    assert (message.id, message.level) == ("orm_views_core.W001", WARNING)
    assert "'LoanBook' has capital letters" in message.msg
    assert "lower case" in message.hint


# Django 6.1 asks the databases what they can do, for generated fields of models.
@pytest.mark.django_db(databases="__all__")
def test_every_check_runs_with_the_others():
    class Loud(PostgresViewFromSQL):
        name = "LoanBook"
        sql = "SELECT 1 AS id"

    class Lost(PostgresViewFromSQL):
        database = "nowhere"
        sql = "SELECT 1 AS id"

    ids = {message.id for message in run_checks() if message.id.startswith("orm_views_core.")}
    assert ids == {"orm_views_core.W001", "orm_views_core.E002"}
