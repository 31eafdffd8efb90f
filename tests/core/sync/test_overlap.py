"""Views of an empty database are created while others are being compiled; nobody can tell afterwards."""

from __future__ import annotations

import pytest
from django.db import connections
from django.db.models import F

from orm_views_core.database.sync_state import split_comment
from orm_views_core.exceptions import (
    DatabaseUnavailableError,
    DuplicateViewError,
    MissingRoleError,
    OrmViewsError,
    ViewSQLError,
)
from orm_views_core.sync import overlap as ahead
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.sync.overlap import Ahead
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromQueryset, PostgresViewFromSQL
from tests.demo.lending.models import Product

pytestmark = pytest.mark.django_db

MANY = 2 * ahead.ENOUGH


def declare(text, sql, *bases, **attributes):
    return type(text, (*bases, PostgresViewFromSQL), {"__module__": __name__, "sql": sql, **attributes})


def declare_many(count=MANY):
    for number in range(count):
        declare(f"plain{number}", f"SELECT {number} AS a, '100%' AS b")


@pytest.fixture
def sent(monkeypatch):
    """What was sent ahead by each sync, once it is over."""
    seen = []
    leave = Ahead.__exit__

    def note(self, *error):
        leave(self, *error)
        seen.append(self.sent)

    monkeypatch.setattr(Ahead, "__exit__", note)
    return seen


def views(execute):
    return {name for (name,) in execute("SELECT viewname FROM pg_views WHERE schemaname = 'views'")}


def timeless(picture):
    """All that the catalogs say of our views but what differs from one sync to the next."""
    found = {}
    for name, values in picture.items():
        if name.startswith("views."):
            row = list(values[1:])  # without its oid
            state = split_comment(row.pop(6))[1]
            found[name] = [*row, state and (state.code, state.database, state.indexes)]  # an index has none
    return found


def test_an_empty_database_ends_as_it_would_have_otherwise(execute, sent, take_picture, monkeypatch):
    declare_many()
    declare("Reader", "SELECT a FROM views.plain3")
    declare("Early", "SELECT a FROM views.late")
    declare("Late", "SELECT 1 AS a")
    declare("Stored", "SELECT a FROM views.reader", PostgresMaterialisedViewMixin, pk_field="a")
    declare("OnStored", "SELECT a FROM views.stored")

    class Products(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            list(Product.objects.all())  # a query of its own, on the connection that is busy
            return Product.objects.filter(code="a%").values("code", title=F("name"))

    monkeypatch.setattr(ahead, "ENOUGH", 10_000)
    sync_views()
    usual = timeless(take_picture())
    assert sent == []
    execute("DROP SCHEMA views CASCADE")
    monkeypatch.setattr(ahead, "ENOUGH", 100)
    (result,) = sync_views()
    assert timeless(take_picture()) == usual
    assert len(usual) == MANY + 6 + 1  # and the index
    # All but what reads a view that comes later, or a materialised one; and the schema.
    assert len(sent[0]) == 1 + MANY + 3
    assert sent[0] <= {sql for step in result.plan.steps for _, sql in step.statements}
    assert not any("early" in sql or "stored" in sql for sql in sent[0])
    assert all(plan.is_empty for plan in plan_views())


def test_where_views_are_already_nothing_is_sent_ahead(execute, sent):
    execute("CREATE SCHEMA views")
    declare_many()
    sync_views()
    assert sent == []
    assert len(views(execute)) == MANY


def test_a_few_views_are_not_worth_a_thread(sent):
    declare_many(ahead.ENOUGH - 1)
    sync_views()
    assert sent == []


def test_a_view_that_is_refused_is_named_and_nothing_is_left(execute, sent, take_picture):
    before = take_picture()
    declare_many()
    declare("Wrong", "SELECT nothing FROM lending_product")
    with pytest.raises(
        ViewSQLError, match=r'Wrong \(.*test_overlap.py, line \d+\): .*column "nothing" does not'
    ):
        sync_views()
    assert sent == [frozenset()]
    assert take_picture() == before


def test_a_class_that_is_wrong_takes_back_what_was_sent(execute, take_picture):
    before = take_picture()
    declare_many()
    declare("plain3", "SELECT 1 AS again", name="plain4")
    with pytest.raises(DuplicateViewError, match=r"plain4"):
        sync_views()
    declare("NoSQL", None)
    with pytest.raises(OrmViewsError, match=r"NoSQL .* neither sql nor get_queryset"):
        sync_views()
    assert take_picture() == before


def test_a_role_that_is_missing_takes_back_what_was_sent(execute, sent, take_picture):
    before = take_picture()
    declare_many()
    with pytest.raises(MissingRoleError, match="nobody_knows"):
        sync_views("nobody_knows")
    assert len(sent[0]) == MANY + 1
    assert take_picture() == before


def test_what_is_interrupted_while_compiling_takes_back_what_was_sent(execute, take_picture):
    before = take_picture()
    declare_many()

    class Interrupted(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync_views()
    assert take_picture() == before


def test_an_unqualified_name_might_be_that_of_a_view(execute, sent):
    """With our schema in the search path, only a plan knows in which order views are created."""
    execute("SET LOCAL search_path = views, public")
    declare_many()
    declare("lending_product", "SELECT 1 AS x")
    declare("Reads", "SELECT * FROM lending_product")
    sync_views()
    assert sent == []
    assert execute("SELECT * FROM views.reads") == [(1,)]


def test_a_plan_is_made_without_creating_anything(execute, sent, take_picture):
    before = take_picture()
    declare_many()
    (plan,) = plan_views()
    assert len(plan.steps) == MANY + 1
    assert sent == []
    assert take_picture() == before


def test_a_connection_that_is_lost_meanwhile_is_a_database_that_does_not_answer(execute, other):
    """The thread is told first; the sync ends with what everybody is told."""
    ((pid,),) = execute("SELECT pg_backend_pid()")
    declare_many()

    class Fatal(PostgresViewFromQueryset):
        @classmethod
        def get_queryset(cls):
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            return Product.objects.values("code")

    with pytest.raises(DatabaseUnavailableError, match=r"'default' .* does not answer"):
        sync_views()
    connections["default"].close()
