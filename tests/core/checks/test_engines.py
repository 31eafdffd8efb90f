"""The system checks of engines: what classes say of them, and what an engine does without."""

from __future__ import annotations

import pytest
from django.core.checks import ERROR, WARNING
from django.db import models

from orm_views_core.checks.classes import check_fields, check_querysets
from orm_views_core.checks.engines import check_engines, check_guard, check_materialised
from orm_views_core.checks.sources import check_sources
from orm_views_core.privacy import marks
from orm_views_core.views import (
    PostgresMaterialisedViewMixin,
    PostgresViewFromQueryset,
    PostgresViewFromSQL,
    ReadableViewFromSQL,
)
from tests.core.readables import declare as readable

LITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}

pytestmark = pytest.mark.django_db


def declare(class_name="Some", bases=(PostgresViewFromSQL,), **attributes):
    return type(class_name, bases, {"sql": "SELECT 1 AS id", "__module__": __name__, **attributes})


def stored(class_name, **attributes):
    return declare(class_name, (PostgresMaterialisedViewMixin, PostgresViewFromSQL), **attributes)


def ids(messages):
    return [message.id.removeprefix("orm_views_core.") for message in messages]


def test_e015_wrong_engines():
    declare("Right", engines=["postgresql"])
    declare("Typed", engines=["postgers"])
    declare("Mapped", sql={"sqlite3": "SELECT 1"})
    typed, mapped = check_engines(None)
    assert (typed.id, typed.level) == ("orm_views_core.E015", ERROR)
    assert "Typed (" in typed.msg
    assert "test_engines.py, line " in typed.msg
    assert typed.msg.endswith("its engines has 'postgers', which is no engine.")
    assert typed.hint == "Did you mean 'postgresql'?"
    assert mapped.hint == "Did you mean 'sqlite'?"


def test_e015_is_said_on_every_engine(add_database):
    add_database("lite", LITE)
    declare("There", database="lite", engines=["postgers"])
    declare("Nowhere", database="nowhere", engines="sqlite")
    assert ids(check_engines(None)) == ["E015", "E015"]


def test_w022_says_once_which_views_are_plain_ones(add_database):
    add_database("lite", LITE)
    stored("Here")
    for name in ("Totals", "Days"):
        stored(name, database="lite")
    declare("Plain", database="lite")
    stored("Skipped", database="lite", engines=["postgresql"])
    (message,) = check_materialised(None)
    assert (message.id, message.level) == ("orm_views_core.W022", WARNING)
    assert message.msg == (
        "Database 'lite': SQLite has no materialised views, so tests.Totals, tests.Days are plain views "
        "there."
    )
    assert "refresh_views has nothing to do" in message.hint


def test_w022_of_one_view_and_of_none(add_database):
    add_database("lite", LITE)
    declare("Plain", database="lite")
    assert check_materialised(None) == []
    stored("Totals", database="lite")
    (message,) = check_materialised(None)
    assert "so tests.Totals is a plain view there." in message.msg


@pytest.mark.parametrize("is_marked", [False, True])
def test_w023_where_nothing_looks_for_what_is_personal(add_database, settings, is_marked):
    add_database("lite", LITE)
    settings.ORM_VIEWS = {"PERSONAL": ["lending.Customer.email"]} if is_marked else {}
    declare("Here")
    declare("There", database="lite")
    messages = check_guard(None)
    assert ids(messages) == (["W023"] if is_marked else [])
    if is_marked:
        assert messages[0].msg.startswith("Database 'lite': something is marked as personal, and on SQLite")


def test_w023_is_not_about_databases_without_views(add_database, settings):
    add_database("lite", LITE)
    settings.ORM_VIEWS = {"PERSONAL": ["lending.Customer.email"]}
    declare("Here")
    declare("Skipped", database="lite", engines=["postgresql"])
    assert check_guard(None) == []
    assert marks.are_used()


def test_w007_is_not_about_the_view_itself(add_database):
    add_database("lite", LITE)
    key = models.IntegerField(primary_key=True)
    readable("SELECT 1 AS id", "Big", database="lite", id=key)
    readable("SELECT 1 AS id", "Bigger", id=key, name="lending_loan")
    assert ids(check_fields(None)) == ["W007"]


def test_w006_and_w008_are_about_what_is_stored(add_database):
    add_database("lite", LITE)
    bases = (PostgresMaterialisedViewMixin, ReadableViewFromSQL)
    for alias, expected in (("lite", []), ("default", ["W006", "W008"])):
        key = models.IntegerField(primary_key=True)
        readable("SELECT 1 AS id", f"Loose{alias}", bases=bases, database=alias, id=key)
        stored(f"Empty{alias}", database=alias, with_data=False)
        stored(f"Full{alias}", database=alias, sql=f"SELECT * FROM views.empty{alias}")
        assert ids([*check_fields(None), *check_sources(None)]) == expected


def test_the_querysets_and_fields_of_skipped_views_are_nobodys_business():
    class Elsewhere(PostgresViewFromQueryset):
        engines = ("sqlite",)

        @classmethod
        def get_queryset(cls):
            raise ImportError("there is no such package here")

    readable("SELECT 1 AS id", "Fieldless", engines=["sqlite"])
    assert [*check_querysets(None), *check_fields(None)] == []
    Elsewhere.engines = ("postgresql",)
    readable("SELECT 1 AS id", "Lacking")
    assert ids([*check_querysets(None), *check_fields(None)]) == ["E005", "E006"]
