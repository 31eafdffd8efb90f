"""Rows of which some columns stay in the database."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connections
from django.test.utils import CaptureQueriesContext

from orm_views_core.database.rows import Cell, Condition, Operator
from orm_views_core.engines.postgresql.errors.diagnostics import LOCK_NOT_AVAILABLE, sqlstate
from orm_views_core.engines.postgresql.rows import read_rows
from orm_views_core.exceptions import MaskedColumnError

from .views import V, texts

pytestmark = pytest.mark.django_db


def test_masked_values_stay_in_the_database(create):
    create("SELECT n AS id, 'secret ' || n AS \"a % b\", n * 1.5 AS half FROM generate_series(1, 3) AS n")
    with CaptureQueriesContext(connections["default"]) as queries:
        page = read_rows("default", V, limit=100, order_by=["-id"], mask=lambda: {"a % b"})
    assert page.rows == (
        (Cell("3", 1), None, Cell("4.5", 3)),
        (Cell("2", 1), None, Cell("3.0", 3)),
        (Cell("1", 1), None, Cell("1.5", 3)),
    )
    assert [column.name for column in page.columns] == ["id", "a % b", "half"]
    assert page.masked == {"a % b"}
    sent = [query["sql"] for query in queries if 'FROM "views"."v"' in query["sql"]]
    assert any("AS written" in sql for sql in sent)
    assert not any("a % b" in sql for sql in sent)


@pytest.mark.parametrize(
    "asked",
    [{"order_by": ["id"]}, {"order_by": ["-id"]}, {"conditions": [Condition("id", Operator.IS_NOT_NULL)]}],
)
def test_rows_are_neither_sorted_nor_filtered_by_masked_values(create, asked):
    create("SELECT 1 AS id, 2 AS other")
    with pytest.raises(MaskedColumnError, match="The values of 'id' are masked"):
        texts(mask=lambda: ["id"], **asked)
    assert texts(mask=lambda: ["other"], **asked) == [["1", ...]]


def test_a_view_of_masked_columns_only_has_rows(create):
    create("SELECT 1 AS id, 2 AS other")
    assert texts(mask=lambda: ["id", "other", "no such column"]) == [[..., ...]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_the_view_cannot_become_another_one_between_mask_and_rows(create):
    """Otherwise its columns could become personal after it was decided what to mask."""
    create("SELECT 1 AS id")
    other = connections.create_connection("default")
    refusals = []

    def mask():
        with other.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
            with pytest.raises(OperationalError) as refused:
                cursor.execute("CREATE OR REPLACE VIEW views.v AS SELECT 2 AS id")
        refusals.append(sqlstate(refused.value))
        return ()

    try:
        assert texts(mask=mask) == [["1"]]
    finally:
        other.close()
    assert refusals == [LOCK_NOT_AVAILABLE]
