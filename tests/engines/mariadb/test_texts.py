"""SQL in MariaDB's spelling: how it is split, how names of views are found in it, and how they are moved."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.db import connections
from django.utils.safestring import mark_safe

from orm_views_core.engines.mariadb.texts import renamed, without_database
from orm_views_core.names import ViewName
from orm_views_core.spelling.mariadb import MARIADB
from orm_views_core.sql.lexer import tokenize
from orm_views_core.sql.rules import MARIADB_RULES

from .server import declare, sync

ORDERS, TOTALS = ViewName("views", "orders"), ViewName("views", "totals")
PLACES = MARIADB.places([ORDERS, TOTALS])


@pytest.mark.parametrize(
    ("sql", "placed"),
    [
        ("SELECT * FROM views.orders", "SELECT * FROM `views_orders`"),
        ("SELECT * FROM `views`.`orders` o", "SELECT * FROM `views_orders` o"),
        ("SELECT * FROM views . orders", "SELECT * FROM `views_orders`"),
        ("SELECT views.orders.id FROM views.orders", "SELECT orders.id FROM `views_orders` AS orders"),
        ("SELECT id FROM a STRAIGHT_JOIN views.orders", "SELECT id FROM a STRAIGHT_JOIN `views_orders`"),
        ("SELECT id FROM a NATURAL JOIN views.orders", "SELECT id FROM a NATURAL JOIN `views_orders`"),
        ("SELECT id FROM (a, views.orders)", "SELECT id FROM (a, `views_orders`)"),
        ("SELECT 'views.orders' FROM t", None),
        ('SELECT "views.orders" FROM t', None),
        ('SELECT "a\\"FROM views.orders" FROM t', None),
        (r"SELECT 'it\'s FROM views.orders' FROM t", None),
        ("SELECT 'it''s FROM views.orders' FROM t", None),
        ("SELECT 1 # FROM views.orders\nFROM t", None),
        ("SELECT 1 -- FROM views.orders\nFROM t", None),
        ("SELECT 1 /* FROM views.orders */ FROM t", None),
        ("SELECT 2--1 FROM views.orders", "SELECT 2--1 FROM `views_orders`"),
        ("SELECT 1 /* /* */ FROM views.orders", "SELECT 1 /* /* */ FROM `views_orders`"),
        (r"SELECT '\\' FROM views.orders", r"SELECT '\\' FROM `views_orders`"),
        ("SELECT `it's` FROM views.orders", "SELECT `it's` FROM `views_orders`"),
        ("SELECT `a``b` FROM views.orders", "SELECT `a``b` FROM `views_orders`"),
        # An alias that is called like the schema: its column is no view.
        ("SELECT views.orders FROM customers views", None),
        ("SELECT views.orders FROM customers AS `views`", None),
        ("SELECT views.orders(1) FROM t", None),
    ],
)
def test_views_are_found_where_sql_names_them(sql, placed):
    found = PLACES.place(sql)
    assert found.sql == (placed or sql)
    assert found.reads == (frozenset({ORDERS}) if placed else frozenset())


@pytest.mark.parametrize(
    "sql", ["SELECT 1 # it's\nFROM t", "SELECT 'a\\'b', \"c\\\"d\", `e``f`, x'00', 1--1 -- end", "SELECT '"]
)
def test_tokens_are_the_text_again(sql):
    assert "".join(token.text for token in tokenize(sql, MARIADB_RULES)) == sql


NEW = {"views_orders": "orm_views_try_1"}


@pytest.mark.parametrize(
    ("sql", "moved"),
    [
        ("SELECT id FROM views_orders", "SELECT id FROM orm_views_try_1"),
        ("SELECT id FROM `views_orders`", "SELECT id FROM `orm_views_try_1`"),
        ("SELECT id FROM shop.views_orders", "SELECT id FROM shop.orm_views_try_1"),
        ("SELECT views_orders.id FROM views_orders", "SELECT orm_views_try_1.id FROM orm_views_try_1"),
        ("SELECT id FROM other.views_orders", None),
        ("SELECT t.views_orders FROM t", None),
        ("SELECT views_orders FROM t", None),
        ("SELECT 'views_orders' FROM t", None),
        ("WITH views_orders AS (SELECT 1) SELECT * FROM views_orders", None),
        ("SELECT id FROM views_orders_2", None),
    ],
)
def test_names_are_moved_where_they_are_views(sql, moved):
    assert renamed(sql, NEW, "shop") == (moved or sql)


@pytest.mark.parametrize(
    ("stored", "local", "reads"),
    [
        ("select `shop`.`a`.`x` AS `x` from `shop`.`a`", "select `a`.`x` AS `x` from `a`", {"a"}),
        ("select `o`.`x` AS `x` from `shop`.`a` `o`", "select `o`.`x` AS `x` from `a` `o`", {"a"}),
        ("select `x`.`y` AS `y` from `other`.`x`", "select `x`.`y` AS `y` from `other`.`x`", set()),
        ("select `shop`.`f`(1) AS `f`", "select `f`(1) AS `f`", set()),
        ("select 'a`shop`.`b' AS `c`", "select 'a`shop`.`b' AS `c`", set()),
        (
            "select `shop`.`x` AS `x` from `shop`.`a` `shop`",
            "select `shop`.`x` AS `x` from `shop`.`a` `shop`",
            {"a", "x"},
        ),
    ],
)
def test_a_stored_select_is_read_without_its_database(stored, local, reads):
    found = without_database(stored, "shop")
    assert (found.sql, found.reads) == (local, reads)


def test_functions_of_users_are_found_in_a_stored_select():
    stored = "select `F`(count(0)),`other`.`g`(1),'`h`(1)',`x` AS `x` from `shop`.`a` where `x` in (1)"
    assert without_database(stored, "shop").calls == {("shop", "f"), ("other", "g")}


VALUES = [
    "it's",
    'a "quote"',
    "back\\slash",
    "ends with \\",
    "\\' OR 1=1 -- ",
    "100%",
    "%s",
    "ünïcödé 🎉",
    "line\nbreak",
    "",
    mark_safe("safe"),
    True,
    False,
    -5,
    1.5,
    Decimal("12.50"),
    None,
]


@pytest.mark.parametrize("mode", ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"])
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_are_written_as_they_are_read(server, value, mode):
    connection = connections["default"]
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode = %s", [mode])
        sql = MARIADB.literal(connection, "SELECT %s, '%%', %s", [value, "x"])
        cursor.execute(sql)
        assert list(cursor.fetchone()) == [value, "%", "x"]
        # The lexer finds the ends of the strings, too.
        assert sum(token.text == "," for token in tokenize(sql, MARIADB_RULES)) == 2
        cursor.execute(
            f"CREATE OR REPLACE VIEW v AS {MARIADB.literal(connection, 'SELECT %s AS x', [value])}"
        )
        cursor.execute("SELECT x FROM v")
        assert cursor.fetchone()[0] == value


@pytest.mark.parametrize(
    "value",
    [b"", b"\xff\x00'\\", bytearray(b"ab"), memoryview(b"ab")],
    ids=["empty", "bytes", "bytearray", "memoryview"],
)
def test_bytes_are_written_as_they_are_read(server, value):
    with connections["default"].cursor() as cursor:
        cursor.execute(MARIADB.literal(connections["default"], "SELECT %s", [value]))
        assert cursor.fetchone()[0] == bytes(value)


@pytest.mark.parametrize(
    "value", [dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 23, 59, 59, 123456), dt.time(23, 59, 59, 5)]
)
def test_times_are_written_as_they_are_compared(server, value):
    type_ = {dt.date: "date", dt.datetime: "datetime(6)", dt.time: "time(6)"}[type(value)]
    with connections["default"].cursor() as cursor:
        cursor.execute(MARIADB.literal(connections["default"], f"SELECT CAST(%s AS {type_})", [value]))
        assert cursor.fetchone()[0] == value


def test_values_in_json_are_compared(server, registered):
    from orm_views_core.views import ViewFromQueryset
    from tests.engines.shop.models import Product

    details = {"colour": 'it\'s \\ "red"', "sizes": [1, 2], "tested": True}
    Product.objects.create(code="a", name="A", price=1, details=details)
    Product.objects.create(code="b", name="B", price=1, details={"colour": "blue", "tested": False})
    try:
        wanted = {f"details__{key}": value for key, value in details.items()}

        def get_queryset(cls):
            return Product.objects.filter(**wanted).values("code", "details")

        type(
            "One",
            (ViewFromQueryset,),
            {"name": "one", "__module__": __name__, "get_queryset": classmethod(get_queryset)},
        )
        assert sync() == ["create views.one"]
        ((code, found),) = server.run("SELECT * FROM views_one")
        assert (code, json.loads(found)) == ("a", details)
        assert sync() == []
    finally:
        Product.objects.all().delete()


def test_a_view_that_reads_others_in_any_spelling_is_created_after_them(server, registered):
    declare("Top", 'SELECT "x\\"" AS x, `a`.id FROM `views`.bottom a # views.nothing\nJOIN views.middle m')
    declare("Middle", "SELECT views_bottom.id FROM views_bottom")
    declare("Bottom", "SELECT id FROM item")
    assert sync() == ["create views.bottom", "create views.middle", "create views.top"]
    assert sync() == []
