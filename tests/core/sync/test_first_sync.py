"""The first sync of an empty database, with more views than are sent to PostgreSQL together."""

from __future__ import annotations

import pytest
from django.db import connections
from django.db.models import F

from orm_views_core.database.sync_state import split_comment
from orm_views_core.exceptions import (
    DuplicateViewError,
    MissingRoleError,
    OrmViewsError,
    SyncFailedError,
    ViewSQLError,
)
from orm_views_core.names import ViewName
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromQueryset, PostgresViewFromSQL
from tests.demo.lending.models import Product

pytestmark = pytest.mark.django_db

MANY = 300


def declare(text, sql, *bases, **attributes):
    return type(text, (*bases, PostgresViewFromSQL), {"__module__": __name__, "sql": sql, **attributes})


def declare_many(count=MANY):
    for number in range(count):
        declare(f"plain{number}", f"SELECT {number} AS a, '100%' AS b")


def views(execute):
    return {name for (name,) in execute("SELECT viewname FROM pg_views WHERE schemaname = 'views'")}


def timeless(picture):
    """Everything in the catalogs about our views, except what differs from one sync to the next."""
    found = {}
    for name, values in picture.items():
        if name.startswith("views."):
            row = list(values[1:])  # without its oid
            state = split_comment(row.pop(6))[1]
            found[name] = [*row, state and (state.code, state.database, state.indexes)]  # an index has none
    return found


def test_an_empty_database_ends_as_if_it_was_synced_in_several_parts(execute, take_picture):
    declare_many()
    declare("Reader", "SELECT a FROM views.plain3")
    declare("Early", "SELECT a FROM views.late")
    declare("Late", "SELECT 1 AS a")
    declare("Stored", "SELECT a FROM views.reader", PostgresMaterialisedViewMixin, pk_field="a")
    declare("OnStored", "SELECT a FROM views.stored")

    class Products(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            list(Product.objects.all())  # a query of its own, on the connection of the sync
            return Product.objects.filter(code="a%").values("code", title=F("name"))

    sync_views(only=[ViewName("views", f"plain{number}") for number in range(0, MANY, 3)])
    sync_views(only=[ViewName("views", name) for name in ("on_stored", "early")])
    sync_views()
    in_parts = timeless(take_picture())
    execute("DROP SCHEMA views CASCADE")
    sync_views()
    assert timeless(take_picture()) == in_parts
    assert len(in_parts) == MANY + 6 + 1  # and the index
    assert all(plan.is_empty for plan in plan_views())


def test_the_schema_may_be_there_already(execute):
    execute("CREATE SCHEMA views")
    declare_many()
    sync_views()
    assert len(views(execute)) == MANY


def test_a_view_that_is_refused_is_named_and_nothing_is_left(take_picture):
    before = take_picture()
    declare_many()
    declare("Wrong", "SELECT nothing FROM lending_product")
    with pytest.raises(
        ViewSQLError, match=r'Wrong \(.*test_first_sync.py, line \d+\): .*column "nothing" does not'
    ):
        sync_views()
    assert take_picture() == before


def test_a_class_that_is_wrong_leaves_nothing(take_picture):
    before = take_picture()
    declare_many()
    declare("plain3", "SELECT 1 AS again", name="plain4")
    with pytest.raises(DuplicateViewError, match=r"plain4"):
        sync_views()
    declare("NoSQL", None)
    with pytest.raises(OrmViewsError, match=r"NoSQL .* neither sql nor get_queryset"):
        sync_views()
    assert take_picture() == before


def test_a_role_that_is_missing_leaves_nothing(take_picture):
    before = take_picture()
    declare_many()
    with pytest.raises(MissingRoleError, match="nobody_knows"):
        sync_views("nobody_knows")
    assert take_picture() == before


def test_what_is_interrupted_while_compiling_leaves_nothing(take_picture):
    before = take_picture()
    declare_many()

    class Interrupted(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync_views()
    assert take_picture() == before


def test_an_unqualified_name_might_be_that_of_a_view(execute):
    """With our schema in search_path, an unqualified name decides the order of creation."""
    execute("SET LOCAL search_path = views, public")
    declare_many()
    declare("lending_product", "SELECT 1 AS x")
    declare("Reads", "SELECT * FROM lending_product")
    sync_views()
    assert execute("SELECT * FROM views.reads") == [(1,)]


def test_a_plan_is_made_without_creating_anything(take_picture):
    before = take_picture()
    declare_many()
    (plan,) = plan_views()
    assert len(plan.steps) == MANY + 1
    assert take_picture() == before


def test_a_session_that_is_terminated_meanwhile_is_told_as_that(execute, other):
    ((pid,),) = execute("SELECT pg_backend_pid()")
    declare_many()

    class Fatal(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            return Product.objects.values("code")

    with pytest.raises(SyncFailedError, match=r"'default': its session was terminated"):
        sync_views()
    connections["default"].close()
