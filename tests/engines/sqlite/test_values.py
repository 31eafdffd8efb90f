"""Values in querysets are in the text of a view as SQLite would have got them as parameters."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
import sqlite3
import subprocess
import sys
import uuid

import pytest
from django.db import connections
from django.db.models import Count, Value
from django.db.models.functions import TruncMonth

from orm_views_core.exceptions import InvalidViewError
from orm_views_core.spelling.sqlite import SQLITE
from orm_views_core.views import ViewFromQueryset
from tests.engines.shop.models import Order, Parcel
from tests.environment import clean_environment
from tests.public.facts import ROOT

from .files import ALIAS, sync

VALUES = [
    None,
    True,
    0,
    -5,
    2**63 - 1,
    -(2**63),
    0.1,
    -0.5,
    1e300,
    5e-324,
    1e16,
    math.inf,
    -math.inf,
    math.nan,
    "",
    'it\'s 100% \\ "quoted" /* no comment -- \n',
    "nul\0 inside",
    "\0",
    "ünïcödé 😀",
    b"",
    b"\x00\xff'",
    decimal.Decimal("12.50"),
    dt.date(2024, 2, 29),
    dt.datetime(2024, 2, 29, 12, 30, 0, 123456),
    str(dt.time(1, 2, 3)),
    uuid.UUID(int=7).hex,
    json.dumps({"a": ["ü", None]}),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_literal_is_what_the_parameter_would_be(file, value):
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("SELECT typeof(%s), hex(%s), %s", [value] * 3)
        expected = cursor.fetchone()
        literal = SQLITE.literal(connections[ALIAS], "SELECT typeof(%s), hex(%s), %s", [value] * 3)
        cursor.execute(literal)
        assert cursor.fetchone() == expected
        cursor.execute(f'CREATE VIEW "values" AS {literal}')
        cursor.execute('SELECT * FROM "values"')
        assert cursor.fetchone() == expected


@pytest.mark.parametrize("value", [-5, -0.5, -math.inf])
def test_a_negative_number_after_a_minus_sign_begins_no_comment(file, value):
    literal = SQLITE.literal(connections[ALIAS], "SELECT 1-%s", [value])
    assert file.run(literal) == [(1 - value,)]


def test_thousands_of_values(file):
    values = list(range(2500))
    rows = ", ".join(["(%s)"] * len(values))
    literal = SQLITE.literal(connections[ALIAS], f"SELECT max(column1) FROM (VALUES {rows})", values)
    assert file.run(literal) == [(2499,)]


def test_a_number_that_is_too_large_for_sqlite_is_named(file):
    def get_queryset(cls):
        return Parcel.objects.annotate(large=Value(2**63)).values("id", "large")

    body = {"__module__": __name__, "database": ALIAS, "get_queryset": classmethod(get_queryset)}
    type("Large", (ViewFromQueryset,), body)
    with pytest.raises(InvalidViewError, match=r"Large \(.*, line \d+\).*OverflowError"):
        sync()


_COMPILE = """
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["orm_views_core"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()

from django.db import connection, models
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.views import ViewFromQueryset

class Thing(models.Model):
    details = models.JSONField()

    class Meta:
        app_label = "orm_views_core"

class Keys(ViewFromQueryset):
    @classmethod
    def get_queryset(cls):
        things = Thing.objects.filter(details__colour="red", details__size__isnull=False)
        return things.values("id", "details__colour", "details__a__b")

(definition,) = compile_definitions(connection).views.values()
print(definition.sql)
"""


def test_json_keys_are_compiled_to_the_same_sql_in_every_process():
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _COMPILE],
            cwd=ROOT,
            env={**clean_environment(), "PYTHONHASHSEED": str(seed)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in (1, 2)
    ]
    printed = {process.communicate()[0] for process in running}
    assert {process.returncode for process in running} == {0}
    assert len(printed) == 1
    assert "JSON_TYPE" in printed.pop()


def test_functions_that_django_adds_to_sqlite_are_for_connections_of_django(file):
    """Other programs cannot read such a view, and say so."""

    def get_queryset(cls):
        return Order.objects.annotate(month=TruncMonth("sent_at")).values("month").annotate(n=Count("id"))

    body = {"__module__": __name__, "database": ALIAS, "get_queryset": classmethod(get_queryset)}
    type("Months", (ViewFromQueryset,), body)
    file.run("CREATE TABLE shop_order (id integer PRIMARY KEY, sent_at datetime)")
    file.run("INSERT INTO shop_order VALUES (1, '2024-02-29 12:30:00')")
    assert sync() == ["create views.months"]
    assert sync() == []
    assert [n for _, n in file.run("SELECT * FROM views_months")] == [1]
    with file.elsewhere() as other, pytest.raises(sqlite3.OperationalError, match="no such function"):
        other.execute("SELECT * FROM views_months")
