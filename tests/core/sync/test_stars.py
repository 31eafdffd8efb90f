"""What a star stands for follows what it reads, and so does what the sync state says of it."""

from __future__ import annotations

import pytest

from orm_views_core.names import ViewName
from orm_views_core.status import get_detail
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresViewFromSQL

pytestmark = pytest.mark.django_db


def declare(class_name, sql, **attributes):
    return type(class_name, (PostgresViewFromSQL,), {"sql": sql, "__module__": __name__, **attributes})


def test_a_star_is_recorded_with_the_view_that_it_reads():
    """Its own columns stay, because it names those of the view."""
    below = declare("Below", "SELECT id FROM lending_customer")
    declare("Star", "WITH c AS (SELECT id FROM views.below) SELECT * FROM c")
    declare("Second", "WITH c AS (SELECT id FROM views.star) SELECT * FROM c")
    sync_views()
    for columns in ("id, city", "id, city, email"):
        below.sql = f"SELECT {columns} FROM lending_customer"
        assert [(step.action.verb, step.target) for step in plan_views(["default"])[0].steps] == [
            ("replace", "views.below"),
            ("adopt", "views.star"),
        ]
        sync_views()
        assert plan_views(["default"])[0].is_empty


@pytest.mark.parametrize("further", ["", "A docstring."], ids=["nothing else", "a comment too"])
def test_a_star_is_recorded_with_a_view_that_is_rebuilt(further):
    below = declare("Below", "SELECT id, city FROM lending_customer")
    star = declare("Star", "WITH c AS (SELECT id FROM views.below) SELECT * FROM c")
    sync_views()
    below.sql = "SELECT city, id FROM lending_customer"
    star.__doc__ = further
    sync_views()
    assert plan_views(["default"])[0].is_empty


@pytest.mark.parametrize(
    ("before", "after"),
    [("id, 1 AS one", "city, id"), ("1 AS one, below.*", "below.*"), ("1 AS one, *", "*")],
    ids=["a new column", "a star of one", "a star"],
)
def test_a_rebuilt_view_reads_the_new_columns_of_a_replaced_one(before, after):
    below = declare("Below", "SELECT id FROM lending_customer")
    above = declare("Above", f"SELECT {before} FROM views.below")
    declare("Top", "SELECT id FROM views.above")
    sync_views()
    below.sql = "SELECT id, city FROM lending_customer"
    above.sql = f"SELECT {after} FROM views.below"
    sync_views()
    assert {column.name for column in get_detail("default", ViewName("views", "above")).columns} == {
        "id",
        "city",
    }
    assert plan_views(["default"])[0].is_empty
