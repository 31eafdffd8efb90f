"""A page has the beginnings of long values; the whole of one is read by itself."""

from __future__ import annotations

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_core.database.rows import Cell, Condition, Operator, digest
from orm_views_core.engines.postgresql import rows
from orm_views_core.engines.postgresql.rows import pages, read_cell, read_rows
from orm_views_core.exceptions import MaskedColumnError, RowsChangedError, RowsUnavailableError

from .views import V

pytestmark = pytest.mark.django_db

LONG = """
SELECT n AS id, repeat(n || 'é🦊', 300000) AS long, 'short ' || n AS short FROM generate_series(1, 3) AS n
"""


def cell_of(row, column, **asked):
    """A cell of a page, where the page would be."""
    page = read_rows("default", V, limit=10, order_by=["id"], **asked)
    return page.rows[row][[each.name for each in page.columns].index(column)]


@pytest.mark.parametrize(
    ("cell", "is_cut", "is_null"),
    [
        (Cell(None), False, True),
        (Cell("", 0), False, False),
        (Cell("abc", 3), False, False),
        (Cell("abc", 4), True, False),
        (Cell("", 1), True, False),
    ],
)
def test_null_empty_and_cut_texts_are_told_apart(cell, is_cut, is_null):
    assert (cell.is_cut, cell.is_null) == (is_cut, is_null)


def test_digests_tell_cells_apart():
    cells = [Cell(None), Cell("", 0), Cell("", 1), Cell("None", 4), Cell("a", 1), Cell("a", 2), Cell("é", 1)]
    assert len({digest(cell) for cell in cells}) == len(cells)
    assert digest(Cell("a", 2)) == digest(Cell("a", 2))


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("repeat('x', 2048)", "x" * 2048),
        ("repeat('x', 2049)", "x" * 2048),
        ("repeat('é', 1024)", "é" * 1024),
        ("repeat('é', 1025)", "é" * 512),
        ("repeat('🦊', 1000000)", "🦊" * 512),
        ("repeat('x', 1990) || repeat('é', 100)", "x" * 512),
        (r"decode(repeat('00', 2000), 'hex')", r"\x" + "00" * 1023),
        ("ARRAY(SELECT 1 FROM generate_series(1, 5000))", "{" + "1," * 1023 + "1"),
    ],
)
def test_at_most_2048_bytes_of_a_cell_are_read(sql, shown, create):
    create(f"SELECT 1 AS id, {sql} AS long")
    cell = cell_of(0, "long")
    assert cell.text == shown
    assert len(cell.text.encode()) <= 2048
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT length(concat({sql}))")
        assert cursor.fetchone() == (cell.length,)


def test_the_whole_of_a_cell_is_read(create):
    create(LONG)
    cut = cell_of(1, "long")
    assert cut.is_cut
    found = read_cell("default", V, "long", offset=1, page_limit=10, order_by=["id"], expected=digest(cut))
    assert found == Cell("2é🦊" * 300000, 900000)
    assert not found.is_cut
    short = cell_of(1, "short")
    assert (
        read_cell("default", V, "short", offset=1, page_limit=10, order_by=["id"], expected=digest(short))
        == short
    )


def test_the_row_is_found_by_the_same_order_and_conditions(create):
    create(LONG)
    conditions = [Condition("id", Operator.AT_LEAST, ("2",))]
    asked = {"order_by": ["-id"], "conditions": conditions}
    cut = read_rows("default", V, limit=10, **asked).rows[0][1]
    assert read_cell(
        "default", V, "long", offset=0, page_limit=10, expected=digest(cut), **asked
    ).text.startswith("3é")


def test_a_row_that_is_another_one_by_now_is_said(create, execute):
    execute("CREATE TABLE views.t AS " + LONG)
    create("SELECT * FROM views.t")
    asked = {"offset": 0, "page_limit": 10, "order_by": ["id"], "expected": digest(cell_of(0, "long"))}
    read_cell("default", V, "long", **asked)
    for change in (
        "UPDATE views.t SET long = long || 'x' WHERE id = 1",
        "DELETE FROM views.t WHERE id = 1",
        "UPDATE views.t SET long = NULL",
        "DELETE FROM views.t",
    ):
        execute(change)
        with pytest.raises(RowsChangedError, match=r"The rows of views\.v have changed since"):
            read_cell("default", V, "long", **asked)


def test_a_longer_cell_than_the_limit_is_cut_there(create, monkeypatch):
    create(LONG)
    monkeypatch.setattr(pages, "LONGEST_CELL", 10_000)
    cut = cell_of(0, "long")
    found = read_cell("default", V, "long", offset=0, page_limit=10, order_by=["id"], expected=digest(cut))
    assert found == Cell(("1é🦊" * 900)[:2500], 900000)
    assert found.is_cut
    assert rows.LONGEST_CELL == 16 * 1024 * 1024


def test_masked_cells_stay_in_the_database(create):
    create(LONG)
    with CaptureQueriesContext(connections["default"]) as queries, pytest.raises(MaskedColumnError) as caught:
        read_cell("default", V, "long", offset=0, page_limit=10, expected="", mask=lambda: ["long"])
    assert str(caught.value) == "The values of 'long' are masked, so none of them is shown."
    assert not any("AS written" in query["sql"] for query in queries)
    with pytest.raises(RowsUnavailableError, match="has no column 'nothing'"):
        read_cell("default", V, "nothing", offset=0, page_limit=10, expected="")
