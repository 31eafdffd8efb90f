"""Pages read rows of every engine with the same words: order, conditions, NULL, long values, limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import DatabaseError, connections

from orm_views_core.database.rows import Condition, Operator, Span, digest
from orm_views_core.engines.rows import count_rows, judge_views, read_cell, read_columns, read_rows, reading
from orm_views_core.exceptions import (
    BadConditionError,
    MaskedColumnError,
    RowsChangedError,
    RowsUnavailableError,
)
from orm_views_core.names import ViewName
from tests.engines.shared.databases import Database
from tests.engines.shop.models import Sample

from .declared import ENDLESS, SHOWN, create, declare

COLUMNS = "id, characters, big, ratio, amount, flag, day, moment, clock, raw"


@pytest.fixture
def samples(committing: None) -> Any:
    """Rows of all types; the fourth is NULL in all of them."""
    Sample.objects.all().delete()
    rows = [
        (1, "Ärger", 9, 0.5, "9.50", True, dt.date(2026, 6, 3), 10, dt.time(9, 5)),
        (2, "zoo 100%", 10, 2.0, "10.25", False, dt.date(2026, 6, 30), 23, dt.time(23, 59, 59)),
        (3, "", 100, -3.0, "-100.00", True, dt.date(2027, 1, 1), 0, dt.time(0)),
    ]
    for pk, text, integer, ratio, amount, flag, day, hour, clock in rows:
        moment = dt.datetime.combine(day, dt.time(hour, 30), dt.timezone.utc)
        facts = {"characters": text, "big": integer, "ratio": ratio, "amount": amount, "flag": flag}
        Sample.objects.create(pk=pk, day=day, moment=moment, clock=clock, raw=b"\x00\xff%", **facts)
    Sample.objects.create(pk=4)
    create(f"SELECT {COLUMNS} FROM shop_sample")
    yield
    Sample.objects.all().delete()


def found(*conditions: Condition, name: ViewName = SHOWN, column: str = "id") -> list[str | None]:
    """Return the ids of the rows that fulfil conditions."""
    page = read_rows("default", name, limit=50, order_by=[column], conditions=conditions)
    place = [each.name for each in page.columns].index(column)
    return [row[place].text for row in page.rows if row[place]]


def where(column: str, operator: Operator, *values: str | Span) -> list[str | None]:
    return found(Condition(column, operator, values))


@pytest.mark.parametrize(
    ("column", "operator", "values", "expected"),
    [
        ("big", Operator.AT_LEAST, ["10"], "23"),
        ("big", Operator.AT_MOST, ["9"], "1"),
        ("big", Operator.EQUALS, ["+10"], "2"),
        ("big", Operator.NOT_EQUALS, ["10"], "134"),
        ("big", Operator.IN, ["9", "100"], "13"),
        ("big", Operator.CONTAINS, ["10"], "23"),
        ("big", Operator.BEGINS, ["1"], "23"),
        ("amount", Operator.AT_LEAST, ["9.5"], "12"),
        ("amount", Operator.AT_MOST, ["-1e2"], "3"),
        ("ratio", Operator.EQUALS, ["0.5"], "1"),
        ("characters", Operator.EQUALS, [""], "3"),
        ("characters", Operator.IS_NULL, [], "4"),
        ("characters", Operator.IS_NOT_NULL, [], "123"),
        ("characters", Operator.CONTAINS, ["ÄRG"], "1"),
        ("characters", Operator.CONTAINS, ["0%"], "2"),
        ("characters", Operator.BEGINS, ["Är"], "1"),
        ("characters", Operator.BEGINS, ["är"], ""),
        ("flag", Operator.EQUALS, ["t"], "13"),
        ("flag", Operator.NOT_EQUALS, ["t"], "24"),
        ("day", Operator.EQUALS, ["2026-6-3"], "1"),
        ("day", Operator.AT_LEAST, ["2026-06-30"], "23"),
        ("day", Operator.IN, [Span("2026-06-01", "2026-06-30")], "12"),
        ("moment", Operator.AT_LEAST, ["2026-06-30 23:30:00"], "23"),
        ("moment", Operator.AT_MOST, ["2026-06-03T12:30:00+02:00"], "1"),
        ("moment", Operator.EQUALS, [Span("2026-06-30 00:00:00", "2026-06-30 23:59:59.999999")], "2"),
        ("clock", Operator.AT_LEAST, ["9:05"], "12"),
    ],
)
def test_conditions_compare_by_the_type_of_the_column(
    samples: None, column: str, operator: Operator, values: Sequence[Any], expected: str
) -> None:
    assert where(column, operator, *values) == list(expected)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("big", "many"),
        ("big", "1; DROP TABLE shop_sample"),
        ("day", "2026-02-31"),
        ("moment", "2026-06-30 25:00"),
        ("clock", "noon"),
    ],
)
def test_a_value_of_another_type_is_refused_and_named(samples: None, column: str, value: str) -> None:
    with pytest.raises(BadConditionError) as refused:
        where(column, Operator.EQUALS, value)
    assert (refused.value.column, refused.value.value) == (column, value)


def test_a_condition_on_what_is_computed_compares_numbers_as_numbers(samples: None) -> None:
    create("SELECT id, big * 1 AS computed FROM shop_sample", "Computed")
    computed = ViewName("views", "computed")
    assert found(Condition("computed", Operator.AT_LEAST, ("10",)), name=computed) == ["2", "3"]
    assert found(Condition("computed", Operator.EQUALS, ("9",)), name=computed) == ["1"]
    # Numbers are aligned as such, whether the engine declares a type for them or not.
    assert [column.category for column in read_rows("default", computed, limit=9).columns] == ["N", "N"]


def test_each_row_is_on_one_page(parcels: None) -> None:
    many = " UNION ALL ".join(f"SELECT {n} AS id, {n % 2} AS tie" for n in range(20))
    create(many)
    pages = [read_rows("default", SHOWN, limit=3, offset=n, order_by=["-tie"]) for n in range(0, 20, 3)]
    rows = [tuple(cell.text for cell in row if cell) for page in pages for row in page.rows]
    assert sorted(rows) == sorted((str(n), str(n % 2)) for n in range(20))
    assert [tie for _, tie in rows] == ["1"] * 10 + ["0"] * 10
    assert [page.has_more for page in pages] == [True] * 6 + [False]


def test_null_is_told_from_an_empty_text(samples: None) -> None:
    page = read_rows("default", SHOWN, limit=9, order_by=["id"])
    texts = [row[1] for row in page.rows]
    assert [(cell.text, cell.is_null) for cell in texts[2:] if cell] == [("", False), (None, True)]


def test_bytes_are_shown_in_hexadecimal(samples: None) -> None:
    page = read_rows("default", SHOWN, limit=1, order_by=["id"])
    cell = page.rows[0][-1]
    assert cell is not None
    assert str(cell.text).removeprefix("\\x").lower() == "00ff25"


def test_a_long_value_is_cut_and_comes_whole_by_itself(samples: None) -> None:
    text = "é" * 1500 + "end"
    Sample.objects.filter(pk=1).update(text=text)
    create("SELECT id, text FROM shop_sample WHERE id = 1", "Long")
    name = ViewName("views", "long")
    ((_, cut),) = read_rows("default", name, limit=9).rows
    assert cut is not None
    assert (cut.length, cut.is_cut) == (1503, True)
    assert cut.text
    assert text.startswith(cut.text)
    assert 1000 < len(cut.text.encode()) <= 2048
    asked: dict[str, Any] = {"offset": 0, "page_limit": 50}
    assert read_cell("default", name, "text", expected=digest(cut), **asked).text == text
    with pytest.raises(RowsChangedError):
        read_cell("default", name, "text", expected="another", **asked)


@pytest.mark.parametrize("column", ['quo"te', "tick`s", "100%s", "a b", "ключ", "-minus", "o'clock"])
def test_columns_have_any_name(committing: None, column: str) -> None:
    quoted = Database().spelling.place(ViewName("", column))
    if Database().spelling.abilities.schemas:
        quoted = '"' + column.replace('"', '""') + '"'
    create(f"SELECT 7 AS {quoted} UNION ALL SELECT 8")
    page = read_rows("default", SHOWN, limit=9, order_by=[column])
    assert [each.name for each in page.columns] == [column]
    assert where_only(column, "8") == ["8"]


def where_only(column: str, value: str) -> list[str | None]:
    return found(Condition(column, Operator.EQUALS, (value,)), column=column)


def test_masked_columns_stay_in_the_database(samples: None) -> None:
    page = read_rows("default", SHOWN, limit=1, mask=lambda: ["characters"])
    assert page.masked == {"characters"}
    assert page.rows[0][1] is None
    for asked in (
        {"order_by": ["characters"]},
        {"conditions": [Condition("characters", Operator.IS_NULL)]},
    ):
        with pytest.raises(MaskedColumnError):
            read_rows("default", SHOWN, limit=1, mask=lambda: ["characters"], **asked)


def test_a_view_without_rows_has_columns(parcels: None) -> None:
    create("SELECT id, shelf FROM shop_parcel WHERE 1 = 0")
    page = read_rows("default", SHOWN, limit=9, order_by=["shelf"])
    assert (page.rows, page.has_more) == ((), False)
    assert [column.name for column in read_columns("default", SHOWN)] == ["id", "shelf"]


def test_what_takes_too_long_ends(committing: None, settings: Any) -> None:
    create(ENDLESS)
    settings.ORM_VIEWS = {"PREVIEW_TIMEOUT": 0.3, "COUNT_TIMEOUT": 0.3}
    with pytest.raises(RowsUnavailableError, match=r"did not come within 0\.3 s"):
        read_rows("default", SHOWN, limit=1)
    assert not count_rows("default", SHOWN).exact
    settings.ORM_VIEWS = {}
    assert Database().run("SELECT 1") == [(1,)]


def test_a_page_counts_rows_and_cannot_write(parcels: None) -> None:
    create("SELECT id FROM shop_parcel")
    assert count_rows("default", SHOWN).rows == 3
    with pytest.raises(DatabaseError), reading(connections["default"], 5, SHOWN) as cursor:
        cursor.execute("DELETE FROM shop_parcel")
    assert count_rows("default", SHOWN).rows == 3
    Database().run("UPDATE shop_parcel SET weight = weight")


def test_what_no_class_declares_is_not_read(parcels: None, undeclared: Any) -> None:
    undeclared(create("SELECT id FROM shop_parcel"))
    with pytest.raises(RowsUnavailableError, match=r"No class declares views\.shown"):
        read_rows("default", SHOWN, limit=1)
    assert "No class declares" in judge_views("default", [SHOWN])[SHOWN]


def test_a_table_with_the_name_of_a_view_is_not_read(committing: None) -> None:
    Database().make_table(declare("SELECT 1 AS id"))
    with pytest.raises(RowsUnavailableError, match="is not a view that a sync has created"):
        read_rows("default", SHOWN, limit=1)


def test_what_is_not_there_is_said_to_be_missing(committing: None) -> None:
    declare("SELECT 1 AS id")
    with pytest.raises(RowsUnavailableError, match=r"views\.shown is not in the database. Sync it first"):
        read_rows("default", SHOWN, limit=1)
    assert judge_views("default", [SHOWN]) == {}


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("CAST(x'41ff42' AS TEXT)", "A\N{REPLACEMENT CHARACTER}B"),
        ("'a' || char(0) || 'b'", "a\0b"),
        ("zeroblob(3000)", "00" * 1024),
        ("1e400", "Inf"),
        ("'x' || char(55357)", None),
    ],
)
def test_sqlite_stores_texts_that_are_none(committing: None, sql: str, shown: str | None) -> None:
    if not Database().spelling.abilities.one_writer:
        pytest.skip("other engines refuse such texts")
    create(f"SELECT {sql} AS odd")
    ((cell,),) = read_rows("default", SHOWN, limit=9, order_by=["odd"]).rows
    assert cell is not None
    assert shown is None or cell.text == shown
    found(Condition("odd", Operator.CONTAINS, ("b",)), column="odd")
    whole = read_cell("default", SHOWN, "odd", offset=0, page_limit=50, expected=digest(cell))
    assert whole.length == cell.length


def test_types_of_many_values_are_read_one_by_one(committing: None) -> None:
    """A column of SQLite has values of any type, whatever it declares."""
    if not Database().spelling.abilities.one_writer:
        pytest.skip("columns of other engines have one type")
    create(
        "SELECT 1 AS v UNION ALL SELECT 10 UNION ALL SELECT 'text' UNION ALL SELECT '9' UNION ALL SELECT NULL"
    )
    assert found(Condition("v", Operator.AT_LEAST, ("9",)), column="v") == ["10", "9", "text"]
    assert found(Condition("v", Operator.EQUALS, ("text",)), column="v") == ["text"]
    assert found(Condition("v", Operator.NOT_EQUALS, ("1",)), column="v") == [None, "10", "9", "text"]
