"""Pages and commands that only look compile a class once in a process; whoever writes compiles it anew."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import Value
from django.db.models.functions import TruncDay
from django.test import override_settings
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.exceptions import InvalidViewError
from orm_views_core.names import ViewName
from orm_views_core.refresh import plan_refresh, refresh_views
from orm_views_core.status import State, get_detail, get_status, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromQueryset, PostgresViewFromSQL
from tests.demo.lending.models import Customer

pytestmark = pytest.mark.django_db

NAME = ViewName("views", "customers")


@pytest.fixture
def compiled():
    """Declare a view; give the list of its names, to which each compilation adds one."""
    times = []

    class Customers(PostgresMaterialisedViewMixin, PostgresViewFromQueryset):
        pk_field = "id"

        @classmethod
        def get_queryset(cls):
            times.append(cls.__name__)
            return Customer.objects.values("id")

    return times


def test_what_only_looks_compiles_a_class_once(compiled):
    sync_views()
    compiled.clear()
    for _ in range(2):
        get_statuses()
        get_detail("default", NAME)
        plan_refresh()
    assert compiled == []


@pytest.fixture
def compiled_of_two():
    """Declare two materialised views; give the list of their names, to which each compilation adds one."""
    times = []

    def get_queryset(cls):
        times.append(cls.__name__)
        return Customer.objects.values("id")

    for name in ("Asked", "Other"):
        said = {"pk_field": "id", "get_queryset": classmethod(get_queryset), "__module__": __name__}
        type(name, (PostgresMaterialisedViewMixin, PostgresViewFromQueryset), said)
    return times


@pytest.mark.parametrize(
    "look",
    [
        lambda: get_status("default", ViewName("views", "asked")),
        lambda: get_detail("default", ViewName("views", "asked")),
        lambda: get_statuses(["default"], only=[ViewName("views", "asked")]),
        lambda: plan_refresh(["asked"]),
        lambda: refresh_views(["views.asked"]),
    ],
    ids=["status", "detail", "statuses", "plan of a refresh", "refresh"],
)
def test_what_is_about_one_view_compiles_no_other(compiled_of_two, look):
    sync_views()
    compiled_of_two.clear()
    with override_settings(TIME_ZONE="Asia/Tokyo"):  # so what was compiled before is compiled anew
        look()
    assert compiled_of_two == ["Asked"]


def test_a_missing_view_that_is_read_is_compiled_and_tried_with_its_reader(compiled_of_two):
    """The page of a view that was not synced yet tries it after the missing ones that it reads."""
    type("Reader", (PostgresViewFromSQL,), {"sql": "SELECT id FROM views.asked", "__module__": __name__})
    compiled_of_two.clear()
    detail = get_detail("default", ViewName("views", "reader"))
    assert detail.status.state is State.MISSING
    assert [column.name for column in detail.columns] == ["id"]
    assert compiled_of_two == ["Asked"]


def test_views_that_are_named_are_refreshed_in_the_order_of_their_declaration(registered):
    names = [f"v{number}" for number in (5, 3, 8, 1, 7, 2, 6, 4)]
    for name in names:
        said = {"sql": "SELECT 1 AS id", "__module__": __name__, "name": name}
        type(name.upper(), (PostgresMaterialisedViewMixin, PostgresViewFromSQL), said)
    sync_views()
    for known in (False, True):
        with override_settings(TIME_ZONE="Asia/Tokyo"):  # so what was compiled before is compiled anew
            if known:
                get_statuses()
            assert [planned.definition.name.name for planned in plan_refresh(sorted(names))] == names


def test_an_invalid_class_keeps_no_other_view_from_being_refreshed(compiled_of_two):
    sync_views()
    type("Broken", (PostgresViewFromSQL,), {"sql": "SELECT 1 AS id; SELECT 2", "__module__": __name__})
    assert [result.name.name for result in refresh_views(["asked"])] == ["asked"]
    with pytest.raises(InvalidViewError, match="Broken"):
        refresh_views()


def test_plans_and_syncs_compile_anew(compiled):
    sync_views()
    compiled.clear()
    plan_views()
    sync_views()
    assert compiled == ["Customers"] * 2


def test_a_class_that_fails_to_compile_is_tried_again():
    broken = True

    class Customers(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            if broken:
                raise ValueError("not yet")
            return Customer.objects.values("id")

    def found():
        return compile_definitions(connections["default"], anew=False)

    assert len(found().errors) == 1
    broken = False
    assert not found().errors
    assert list(found().views) == [NAME]


def test_a_setting_that_is_overridden_counts_at_once(compiled):
    def schemas():
        return [name.schema for name in compile_definitions(connections["default"], anew=False).views]

    assert schemas() == ["views"]
    with override_settings(ORM_VIEWS={"SCHEMA": "elsewhere"}):
        assert schemas() == ["elsewhere"]
    assert schemas() == ["views"]


def test_a_class_declared_again_is_another_class(registered):
    def declare(sql):
        type("Some", (PostgresViewFromSQL,), {"sql": sql, "__module__": __name__, "__qualname__": "Some"})

    declare("SELECT 1 AS id")
    assert compile_definitions(connections["default"], anew=False).views
    declare("SELECT 2 AS id")
    (definition,) = compile_definitions(connections["default"], anew=False).views.values()
    assert definition.sql == "SELECT 2 AS id"


def test_two_classes_with_one_name_are_reported_each_time():
    for number in range(2):
        attributes = {"sql": "SELECT 1 AS id", "__module__": __name__, "name": "same"}
        type(f"Some{number}", (PostgresViewFromSQL,), attributes)
    for _ in range(2):
        assert len(compile_definitions(connections["default"], anew=False).errors) == 1


def test_the_time_zone_and_the_language_of_a_user_change_no_view(registered):
    """A page compiles too, in the middle of somebody's request."""

    class Days(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            word = Value(str(gettext_lazy("Yes")))
            return User.objects.annotate(day=TruncDay("date_joined"), word=word).values("day", "word")

    sync_views()
    (definition,) = compile_definitions(connections["default"]).views.values()
    with timezone.override("Asia/Tokyo"), translation.override("de"):
        (again,) = compile_definitions(connections["default"]).views.values()
        assert timezone.get_current_timezone_name() == "Asia/Tokyo"
        assert not any(plan.steps for plan in plan_views())
    assert again.sql == definition.sql
