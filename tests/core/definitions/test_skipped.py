"""Views for other engines: they are skipped with a reason, and reading one says why."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, models
from django.utils.functional import classproperty

from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.registered import registered_views
from orm_views_core.exceptions import (
    InvalidViewDependencies,
    InvalidViewError,
    SkippedViewError,
    UnknownViewError,
    ViewSQLError,
)
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.output.plans import plan_lines, summary
from orm_views_core.spelling import ENGINES
from orm_views_core.spelling.finding import _SPELLINGS
from orm_views_core.status import get_detail, get_status, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromQueryset, PostgresViewFromSQL
from tests.core.readables import declare as readable
from tests.core.readables import lend
from tests.demo.lending.models import Loan

pytestmark = pytest.mark.django_db

WHY = "It is for SQLite, and database 'default' is PostgreSQL."


def declare(class_name="Some", bases=(PostgresViewFromSQL,), **attributes):
    return type(class_name, bases, {"sql": "SELECT 1 AS id", "__module__": __name__, **attributes})


def names():
    return sorted(name.name for name in compile_definitions(connections["default"]).names)


def error_of(view):
    """The error of a class."""
    errors = compile_definitions(connections["default"]).errors
    (error,) = [each for label, each in errors.items() if label.endswith(f".{view.__name__}")]
    return error


def test_classes_may_name_every_word_of_every_engine():
    words = {word for spelling in _SPELLINGS.values() for word in spelling.words}
    assert words == set(ENGINES)


@pytest.mark.parametrize(
    ("said", "is_here"),
    [
        ({"engines": ["postgresql"]}, True),
        ({"engines": ("sqlite", "postgresql")}, True),
        ({"engines": {"sqlite"}}, False),
        ({"engines": ("mariadb", "mysql")}, False),
        ({"sql": {"postgresql": "SELECT 2 AS id"}}, True),
        ({"sql": {"sqlite": "SELECT 2 AS id"}}, False),
        ({"sql": {"sqlite": "SELECT 2 AS id", "postgresql": "SELECT 3 AS id"}, "engines": ["sqlite"]}, False),
        ({"engines": None}, True),
    ],
)
def test_a_view_is_there_on_the_engines_that_its_class_names(said, is_here):
    declare("Some", **said)
    declare("Other")
    assert names() == (["other", "some"] if is_here else ["other"])
    skipped = compile_definitions(connections["default"]).skipped
    assert [view.name for view in skipped] == ([] if is_here else [ViewName("views", "some")])


def test_the_sql_of_the_engine_is_taken():
    declare(sql={"sqlite": "SELECT 1 AS one", "postgresql": "SELECT '100%' AS two;"})
    (definition,) = compile_definitions(connections["default"]).views.values()
    assert definition.sql == "SELECT '100%' AS two"


def test_what_is_skipped_and_why():
    view = declare("Some", (PostgresMaterialisedViewMixin, PostgresViewFromSQL), engines=["sqlite", "mysql"])
    (skipped,) = registered_views("default").skipped
    assert skipped.label == f"tests.{view.__name__}"
    assert skipped.kind is ViewKind.MATERIALISED_VIEW
    assert skipped.reason == "It is for SQLite and MySQL, and database 'default' is PostgreSQL."


def test_base_classes_and_mixins_say_it_too():
    class OnlySQLite:
        engines = ("sqlite",)

    class Base(PostgresViewFromSQL, should_register=False):
        sql = {"sqlite": "SELECT 1 AS id"}

    declare("Mixed", (OnlySQLite, PostgresViewFromSQL))
    type("Inherited", (Base,), {"__module__": __name__})
    type("Again", (Base,), {"__module__": __name__, "sql": "SELECT 1 AS id"})
    declare("Freed", (OnlySQLite, PostgresViewFromSQL), engines=None)
    assert names() == ["again", "freed"]


def test_columns_may_be_called_as_the_options():
    view = readable(
        "SELECT 1 AS id, 'x' AS engines, 'y' AS sql",
        id=models.IntegerField(primary_key=True),
        engines=models.TextField(),
    )
    key = models.IntegerField(primary_key=True)
    only = readable("", "Lite", sql={"sqlite": "SELECT 1 AS id"}, id=key)
    sync_views()
    assert view.objects.get().engines == "x"
    assert [skipped.label for skipped in registered_views("default").skipped] == [only._meta.label]


def test_a_computed_sql_is_not_asked_before_it_is_compiled():
    asked = []

    class Computed(PostgresViewFromSQL):
        engines = ("sqlite",)

        @classproperty
        def sql(cls):
            asked.append(cls)
            return "SELECT 1 AS id"

    assert names() == []
    assert asked == []


def test_a_computed_sql_may_be_for_several_engines():
    class Computed(PostgresViewFromSQL):
        @classproperty
        def sql(cls):
            return {"postgresql": "SELECT 7 AS id"}

    class Lacking(PostgresViewFromSQL):
        @classproperty
        def sql(cls):
            return {"sqlite": "SELECT 7 AS id"}

    definitions = compile_definitions(connections["default"])
    assert [each.sql for each in definitions.views.values()] == ["SELECT 7 AS id"]
    assert "Its sql has no SELECT for database 'default'." in str(error_of(Lacking))


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"engines": "postgresql"}, "its engines is 'postgresql'. Give a list of engines"),
        ({"engines": ()}, "its engines is (). Give a list of engines"),
        ({"engines": 7}, "its engines is 7. Give a list of engines"),
        (
            {"engines": ["postgres"]},
            "its engines has 'postgres', which is no engine. Did you mean 'postgresql'?",
        ),
        ({"engines": ["SQLite"]}, "which is no engine. Did you mean 'sqlite'?"),
        ({"engines": [["sqlite"]]}, "its engines has ['sqlite'], which is no engine."),
        (
            {"sql": {"default": "SELECT 1"}},
            "its sql has 'default', which is no engine. The engines are 'postgr",
        ),
        ({"sql": {"postgresql": "SELECT 1", "sqllite": "SELECT 1"}}, "Did you mean 'sqlite'?"),
        ({"sql": {}}, "its sql is an empty dict."),
        ({"sql": {"sqlite": 7}}, "its sql for 'sqlite' is 7, not a string."),
        ({"sql": {"sqlite": "SELECT 1"}, "engines": ["postgresql"]}, "have no engine in common"),
    ],
)
def test_wrong_engines_are_an_error_on_every_engine(said, problem):
    view = declare(**said)
    error = error_of(view)
    assert isinstance(error, InvalidViewError)
    assert problem in str(error)
    assert "test_skipped.py, line " in str(error)
    with pytest.raises(InvalidViewError):
        sync_views()


def test_a_view_that_is_skipped_from_now_on_is_dropped():
    declare("Kept")
    declare("Leaving")
    sync_views()
    declare("Leaving", engines=["sqlite"])
    (plan,) = plan_views()
    assert [(step.action.verb, str(step.name)) for step in plan.steps] == [("drop", "views.leaving")]
    sync_views()
    assert get_statuses()[0].views[0].name == ViewName("views", "kept")


def test_two_classes_may_share_a_name_on_different_engines():
    declare("Here", name="orders", engines=["postgresql"])
    declare("There", name="orders", engines=["sqlite"])
    declare("Reader", sql="SELECT nothing FROM views.orders")
    with pytest.raises(ViewSQLError) as refused:
        sync_views()
    assert "which is skipped" not in str(refused.value)


def test_a_plan_says_what_is_skipped():
    declare("Kept")
    view = declare("Lite", engines=["sqlite"])
    (plan,) = plan_views()
    assert summary(plan) == "1 schema to prepare, 1 to create, 0 unchanged, 1 skipped"
    said = f"  Skipped: views.lite (tests.{view.__name__}). {WHY}"
    assert said in plan_lines(plan, with_sql=True)
    assert said not in plan_lines(plan)
    out = StringIO()
    call_command("sync_views", "--plan", "--json", stdout=out)
    assert json.loads(out.getvalue())[0]["skipped"] == [
        {"view": "views.lite", "class": "tests.Lite", "kind": "view", "reason": WHY}
    ]


def test_a_plan_without_skipped_views_is_as_before():
    declare("Kept")
    (plan,) = plan_views()
    assert "skipped" not in summary(plan)
    assert not any("Skipped:" in line for line in plan_lines(plan, with_sql=True))


def test_show_views_shows_them_without_urgency():
    declare("Kept")
    declare("Lite", engines=["sqlite"])
    sync_views()
    out = StringIO()
    call_command("show_views", stdout=out)
    assert out.getvalue().splitlines()[-1] == f" [-] skipped  views.lite  view  tests.Lite  {WHY}"
    out = StringIO()
    call_command("show_views", "lite", "--json", stdout=out)
    (database,) = json.loads(out.getvalue())
    assert database["views"] == []
    assert [each["class"] for each in database["skipped"]] == ["tests.Lite"]
    out = StringIO()
    call_command("show_views", "kept", "--json", stdout=out)
    assert json.loads(out.getvalue())[0]["skipped"] == []
    call_command("show_views", "--check-freshness", stdout=out)
    call_command("sync_views", "--check", stdout=out)


def test_a_database_that_does_not_answer_says_it_too(misdirect):
    declare("Lite", engines=["sqlite"])
    misdirect("default", {"HOST": "/nowhere"})
    (status,) = get_statuses()
    assert status.error
    assert [view.reason for view in status.skipped] == [WHY]


@pytest.mark.parametrize(
    "ask",
    [
        lambda: sync_views(views=["lite"]),
        lambda: plan_views(views=["tests.Lite"]),
        lambda: get_status("default", ViewName("views", "lite")),
        lambda: get_detail("default", ViewName("views", "lite")),
    ],
    ids=["sync_views", "plan_views", "get_status", "get_detail"],
)
def test_whoever_names_one_is_told_why(ask):
    declare("Lite", engines=["sqlite"])
    with pytest.raises(SkippedViewError, match=f"tests.Lite is skipped. {WHY}"):
        ask()


@pytest.mark.parametrize("arguments", [("inspect_view", "lite"), ("sync_views", "views.lite")])
def test_commands_that_name_one_say_why(arguments):
    declare("Lite", engines=["sqlite"])
    with pytest.raises(CommandError, match=f"tests.Lite is skipped. {WHY}"):
        call_command(*arguments)


def test_a_view_may_not_depend_on_one():
    lite = declare("Lite", engines=["sqlite"])
    view = declare("Reader", view_dependencies=[lite])
    error = error_of(view)
    assert isinstance(error, InvalidViewDependencies)
    assert "tests.Reader" in str(error)
    assert "depends on tests.Lite (tests/core/definitions/test_skipped.py, line" in str(error)
    assert f"which is skipped. {WHY} Take it out of view_dependencies" in str(error)


@pytest.mark.parametrize("is_installed", [False, True])
def test_sql_that_reads_one_is_refused_with_the_reason(is_installed):
    if is_installed:
        declare("Reader")
        sync_views()
    declare("Lite", engines=["sqlite"])
    declare("Reader", sql="SELECT l.* FROM views.lite l")
    said = f"It reads views.lite, which is skipped. {WHY}"
    with pytest.raises(ViewSQLError) as refused:
        sync_views()
    assert said in str(refused.value)
    (status,) = get_statuses()
    assert said in status.views[0].reason


def test_a_column_or_an_alias_of_that_name_is_no_view():
    declare("Lite", engines=["sqlite"])
    declare("Reader", sql="SELECT lite.lite, nothing FROM (SELECT 1 AS lite) lite")
    with pytest.raises(ViewSQLError, match="nothing") as refused:
        sync_views()
    assert "which is skipped" not in str(refused.value)


def test_a_table_may_stand_in_for_one():
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE SCHEMA stored; CREATE TABLE stored.lite (id integer)")
    declare("Lite", schema="stored", engines=["sqlite"])
    declare("Reader", sql="SELECT l.* FROM stored.lite l")
    sync_views()
    assert [view.state.value for view in get_statuses()[0].views if view.label] == ["synced"]


def test_a_queryset_that_reads_one_is_invalid():
    lite = readable(Loan.objects.values("id", "principal"), "Lite", engines=["sqlite"])

    class Reader(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            return lite.objects.values("principal")

    error = error_of(Reader)
    assert isinstance(error, InvalidViewError)
    assert "it reads a view that is skipped: lending.Lite (" in str(error)


def test_reading_one_says_why_and_what_to_do():
    lend()
    lite = readable(Loan.objects.values("id", "principal"), "Lite", engines=["sqlite"])
    proxy = readable(
        "", "Near", bases=(lite,), Meta=type("Meta", (), {"app_label": "lending", "proxy": True})
    )
    rows = lite.objects.filter(principal__gt=1)  # not before they are read
    for read in (
        lambda: list(rows),
        rows.count,
        rows.exists,
        lambda: rows.using("warehouse").first(),
        proxy.objects.first,
        lambda: list(Loan.objects.filter(id__in=rows.values("id"))),
        lambda: lite(id=1).refresh_from_db(),
    ):
        with pytest.raises(SkippedViewError) as refused:
            read()
        assert "lending.Lite (tests/core/" in str(refused.value)
        assert "is PostgreSQL. There is no view to read." in str(refused.value)
        assert str(refused.value).endswith("To have it there, add 'postgresql' to its engines.")
    assert issubclass(SkippedViewError, UnknownViewError)


def test_writing_to_one_says_it_too():
    lite = readable(Loan.objects.values("id", "principal"), "Lite", engines=["sqlite"], updatable=True)
    for write in (
        lambda: lite(id=1).save(),
        lambda: lite(id=1).delete(),
        lambda: lite.objects.create(id=1),
        lambda: lite.objects.update(principal=1),
    ):
        with pytest.raises(SkippedViewError, match="It is for SQLite"):
            write()


def test_what_to_do_about_an_sql_without_the_engine():
    key = models.IntegerField(primary_key=True)
    lite = readable("", "Lite", sql={"sqlite": "SELECT 1 AS id"}, id=key)
    with pytest.raises(SkippedViewError, match="add a SELECT for 'postgresql' to its sql"):
        lite.objects.first()


def test_what_is_there_is_read_as_ever(django_assert_num_queries):
    lend()
    view = readable(Loan.objects.values("id", "principal"), "Here", engines=["postgresql", "sqlite"])
    sync_views()
    with django_assert_num_queries(1):
        assert sorted(view.objects.values_list("principal", flat=True)) == [100, 200, 300]
