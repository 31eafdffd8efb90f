"""The value in a file is PostgreSQL's own text, for each of many types and in each format."""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import re
import struct
from decimal import Decimal
from zipfile import ZipFile

import pytest
from django.db import connections

from orm_views_admin.files.notes import DoesNotFitError, Notes
from orm_views_admin.files.parquet import write_parquet
from orm_views_admin.files.xlsx import exact_number
from orm_views_core.engines.postgresql.rows import exporting
from tests.admin.exports.exported import (
    LIMIT,
    Digits,
    csv_rows,
    json_rows,
    loaded,
    parquet_table,
    written,
    xlsx_rows,
)
from tests.core.engines.rows.filled import fill
from tests.core.engines.rows.test_values import copied
from tests.core.engines.rows.views import V, declare

pytestmark = pytest.mark.django_db

NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
FORMULAS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


@pytest.fixture
def texts(execute):
    """The texts of the rows of a view with a column for each of many types, as COPY has them."""
    execute("CREATE SCHEMA views")
    filled = fill()
    assert len(filled.types) >= 60
    return copied(f"SELECT * FROM {V.quoted} ORDER BY n")


@pytest.fixture
def view(execute):
    execute("CREATE SCHEMA views")

    def create(sql):
        execute(f"CREATE VIEW {V.quoted} AS {sql}")
        declare(V)

    return create


def is_altered(column, text):
    """Whether CSV has a quote in front of a text."""
    if text is None or not text.startswith(FORMULAS):
        return False
    if column.category in ("D", "T") or (column.category == "N" and column.is_ordered):
        return False
    return not (column.base in ("json", "jsonb") and text.startswith("-"))


def test_csv_has_the_text_of_each_value(texts):
    data, export, _notes = written("csv", V, order_by=["n"])
    names, *rows = csv_rows(data)
    assert names == [column.name for column in export.columns]
    assert len(rows) == len(texts) == export.rows
    for row, wanted in zip(rows, texts, strict=True):
        for column, cell, text in zip(export.columns, row, wanted, strict=True):
            assert cell == (f"'{text}" if is_altered(column, text) else text), column


def test_json_lines_have_the_text_of_each_value(texts):
    data, export, _notes = written("jsonl", V, order_by=["n"])
    rows = json_rows(data)
    assert len(rows) == len(texts)
    for row, wanted in zip(rows, texts, strict=True):
        assert list(row) == [column.name for column in export.columns]
        for column, value, text in zip(export.columns, row.values(), wanted, strict=True):
            if text is None:
                assert value is None, column
            elif column.base == "boolean":
                assert value is {"t": True, "f": False}[text]
            elif column.base in ("json", "jsonb"):
                assert same_json(value, loaded(text)), column
            else:
                is_number = column.base in NUMBERS and text not in ("NaN", "Infinity", "-Infinity")
                assert isinstance(value, Digits) == is_number, (column, text)
                assert value == text, column


def same_json(value, other):
    """Whether two values are the same. Comparing deep ones would need as deep a stack."""
    pairs = [(value, other)]
    while pairs:
        value, other = pairs.pop()
        if type(value) is not type(other) or (isinstance(value, (list, dict)) and len(value) != len(other)):
            return False
        if isinstance(value, dict):
            if list(value) != list(other):
                return False
            value, other = list(value.values()), list(other.values())
        if isinstance(value, list):
            pairs += zip(value, other, strict=True)
        elif value != other:
            return False
    return True


def test_xlsx_has_the_text_of_each_value(texts):
    data, export, notes = written("xlsx", V, order_by=["n"])
    names, *rows = xlsx_rows(data)
    assert names == [column.name for column in export.columns]
    assert len(rows) == len(texts)
    cut = 0
    for row, wanted in zip(rows, texts, strict=True):
        row = row + [None] * (len(wanted) - len(row))
        for column, value, text in zip(export.columns, row, wanted, strict=True):
            if not text:
                assert value is None, column
            elif column.base == "boolean":
                assert value is {"t": True, "f": False}[text]
            elif isinstance(value, (int, float)):
                assert column.base in NUMBERS, column
                assert Decimal(str(value)) == Decimal(text), (column, text)
            elif value != text:
                cut += 1
                assert len(value) <= 32767 < len(text), column
                assert value.endswith(f"[cut: it has {len(text):,} characters]")
    assert notes.cut == cut > 0


def test_parquet_has_each_value_by_its_type(texts):
    data, export, notes = written("parquet", V, order_by=["n"])
    table = parquet_table(data)
    assert table.num_rows == len(texts)
    typed = 0
    for place, column in enumerate(export.columns):
        field = table.schema.field(column.name)
        typed += str(field.type) != "string"
        for value, row in zip(table.column(column.name).to_pylist(), texts, strict=True):
            assert same(value, row[place], str(field.type)), (column, row[place], value)
    assert typed >= 8
    # Infinity, or a year that Arrow does not read.
    assert {"date", "numeric(20,4)"} <= set(notes.as_text)


def same(value, text, type_):
    if value is None or text is None:
        return value is text
    if type_ == "string":
        return value == text
    if type_ == "bool":
        return value is (text == "t")
    if type_ == "binary":
        return value == bytes.fromhex(text.removeprefix(r"\x"))
    if type_ == "float":
        return struct.pack("f", value) == struct.pack("f", float(text))
    if type_.startswith("timestamp"):
        return value == dt.datetime.fromisoformat(text.replace("+00", "+00:00"))
    number = Decimal(text)
    return (math.isnan(value) and number.is_nan()) or Decimal(repr(value)) == number or value == float(text)


def test_types_of_parquet_are_those_that_are_declared(view):
    view(
        """
        SELECT true AS a, 1::smallint AS b, 2 AS c, 3::bigint AS d, 1.5::real AS e, 2.5::float8 AS f,
               1.50::numeric(10,2) AS g, 1.5::numeric AS h, (1e40)::numeric(60,5) AS i,
               date '2026-06-30' AS j, timestamp '2026-06-30 12:34:56.789' AS k,
               timestamptz '2026-06-30 12:34:56+02' AS l,
               decode('00ff', 'hex') AS m, '2b6f0cc9-04c8-4a5e-8c1b-3a5f3f0a9d11'::uuid AS n, '{}'::jsonb AS o
        """
    )
    data, _export, notes = written("parquet", V)
    table = parquet_table(data)
    assert [str(type_) for type_ in table.schema.types] == [
        "bool",
        "int16",
        "int32",
        "int64",
        "float",
        "double",
        "decimal128(10, 2)",
        "string",
        "decimal256(60, 5)",
        "date32[day]",
        "timestamp[us]",
        "timestamp[us, tz=UTC]",
        "binary",
        "string",
        "string",
    ]
    (row,) = table.to_pylist()
    assert (row["g"], row["h"], row["m"]) == (Decimal("1.50"), "1.5", b"\x00\xff")
    assert row["k"].isoformat() == "2026-06-30T12:34:56.789000"
    assert row["l"].isoformat() == "2026-06-30T10:34:56+00:00"
    assert notes.as_text == []


@pytest.mark.parametrize("value", ["infinity", "-infinity", "0044-03-15 BC", "10000-01-01"])
def test_a_moment_that_parquet_does_not_have_makes_its_column_text(view, value):
    view(
        f"SELECT n, CASE n WHEN 2000 THEN timestamptz '{value}' ELSE timestamptz 'epoch' END AS at "
        "FROM generate_series(1, 2000) AS n"
    )
    data, _export, notes = written("parquet", V, order_by=["n"])
    assert notes.as_text == ["at"]
    column = parquet_table(data).column("at").to_pylist()
    assert column[-1].startswith(value.removesuffix(" BC"))
    assert column[-1].endswith(" BC") == value.endswith(" BC")
    assert len(column) == 2000


def test_rows_are_read_once_more_for_all_columns_that_do_not_fit(view):
    view("SELECT date 'infinity' AS a, 1 AS b, timestamp '-infinity' AS c")
    asked = {"most": 10, "limit": LIMIT, "number": 7}
    with exporting("default", V, **asked) as export, pytest.raises(DoesNotFitError) as found:
        write_parquet(export, io.BytesIO(), Notes())
    assert found.value.columns == ["a", "c"]


ODD = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "\tx",
    "\rx",
    "\nx",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
    '=HYPERLINK("http://x","y")',
    "#N/A",
    "#REF!",
    "a,b",
    'a"b',
    "a\nb\r\nc",
    "\x01\x08\x0b\x1f",
    "\ufffe\uffff",
    "_x0041_",
    "_x005F_",
    "",
    " ",
    " a ",
    "NULL",
    "\\.",
    "\\N",
    "%s %% %",
    "שלום עולם",
    "\u202eabc\u202c",
    "🦊" * 10,
    "2026-06-30",
    "007",
    "1e5",
    "true",
]


@pytest.fixture
def odd(view, execute):
    """A view of odd texts, whose columns have odd names. Most types for texts are there."""
    execute("CREATE TABLE views.odd (n integer, t text, v varchar, d json)")
    execute("CREATE DOMAIN views.words AS text")
    with connections["default"].cursor() as cursor:
        for n, text in enumerate(ODD):
            cursor.execute(
                "INSERT INTO views.odd VALUES (%s, %s, %s, to_json(%s::text))", [n, text, text, text]
            )
    view(
        """
        SELECT n, t AS "=50 %s ""x"", 'y'", v AS "a,b", t::views.words AS "{0} %", t COLLATE "C" AS c, d
        FROM views.odd
        """
    )


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx", "parquet"])
def test_odd_texts_and_names_come_through(odd, form):
    data, export, _notes = written(form, V, order_by=["n"])
    names = ["n", "=50 %s \"x\", 'y'", "a,b", "{0} %", "c", "d"]
    assert [column.name for column in export.columns] == names
    if form == "parquet":
        rows = [list(row.values()) for row in parquet_table(data).to_pylist()]
        found = names
    elif form == "jsonl":
        rows, found = [list(row.values()) for row in json_rows(data)], list(json_rows(data)[0])
    else:
        found, *rows = csv_rows(data) if form == "csv" else xlsx_rows(data)
    for row, text in zip(rows, ODD, strict=True):
        wanted = text
        if form == "csv":
            wanted = f"'{text}" if text.startswith(FORMULAS) else text
        if form == "xlsx":
            wanted = text or None
        assert row[1:5] == [wanted] * 4
        as_json = row[5] if form == "jsonl" else json.loads(row[5])
        assert as_json == text
    assert found == ([names[0], f"'{names[1]}", *names[2:]] if form == "csv" else names)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-7", -7),
        ("123456789012345", 123456789012345),
        ("1234567890123456", None),
        ("1234567890123450", 1234567890123450),
        ("0.1", 0.1),
        ("1.50", 1.5),
        ("0.1234567890123456", None),
        ("1e+20", 1e20),
        ("1e+308", None),
        ("1e-320", None),
        ("-0", None),
        ("0.00", 0),
        ("0." + "0" * 400 + "1", None),
        ("NaN", None),
        ("Infinity", None),
        ("1" + "0" * 400, None),
    ],
)
def test_numbers_are_numbers_where_a_spreadsheet_keeps_them(text, number):
    assert exact_number(text) == number
    assert type(exact_number(text)) is type(number)


@pytest.mark.parametrize(
    ("expression", "cell"),
    [
        ("-1", "-1"),
        ("-1.5::float8", "-1.5"),
        ("'-Infinity'::numeric", "-Infinity"),
        ("interval '-1 day'", "-1 days"),
        ("date '-infinity'", "-infinity"),
        ("'-1'::jsonb", "-1"),
        ("(-1)::money", None),
        ("'-'::text", "'-"),
        ("ARRAY[-1]", "{-1}"),
        ("'=(integer,integer)'::regoperator", "'=(integer,integer)"),
        ("E'\\t1'::json", "'\t1"),
    ],
)
def test_only_texts_are_defused(view, expression, cell):
    view(f"SELECT {expression} AS value")
    (_name, (found,)) = csv_rows(written("csv", V)[0])
    assert found == cell or (cell is None and found.startswith("-") and found.endswith("1.00"))


def test_names_are_defused_and_stay_in_the_first_line(view):
    view('SELECT 1 AS "\ufeff=1", 2 AS "a\r=1", 3 AS "@x", 4 AS "b\n"')
    names = '\'\ufeff=1,"a\r=1",\'@x,"b\n"\n'
    assert written("csv", V)[0].decode() == f"{names}1,2,3,4\n"


def test_texts_are_defused_whatever_the_encoding_of_the_session(view, execute):
    view("SELECT '\uff1d1'::text AS a")
    execute("SET LOCAL client_encoding = 'EUC_JP'")
    assert written("csv", V)[0].decode() == "a\n'\uff1d1\n"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_numbers_have_all_digits_whatever_the_role_has_set(view, execute, form):
    view("SELECT 0.1::float8 + 0.2::float8 AS a")
    execute("SET LOCAL extra_float_digits = -10")
    assert b"0.30000000000000004" in written(form, V)[0]


def test_bytes_in_the_older_form_are_defused(view, execute):
    view("SELECT '=1'::bytea AS value")
    execute("SET LOCAL bytea_output = 'escape'")
    assert csv_rows(written("csv", V)[0])[1] == ["'=1"]


def test_null_and_empty_are_told_apart(view):
    view("SELECT 1 AS n, ''::text AS a, NULL::text AS b, ''::varchar AS c, NULL::json AS d")
    assert written("csv", V)[0] == b'n,a,b,c,d\n1,"",,"",\n'
    assert written("jsonl", V)[0] == b'{"n": 1, "a": "", "b": null, "c": "", "d": null}\n'


def test_json_is_embedded_as_it_is_stored_in_one_line(view):
    view("""SELECT '{"b" : 1.10,\n "a":\t[1e400, "x\\ny"], "b": 2}'::json AS value""")
    assert written("jsonl", V)[0] == b'{"value": {"b" : 1.10,  "a":\t[1e400, "x\\ny"], "b": 2}}\n'


def test_blanks_matter_in_a_text_that_has_nothing_else(view):
    view("SELECT ' ' AS a, E'\\n ' AS b, ' x ' AS c")
    data, _export, _notes = written("xlsx", V)
    with ZipFile(io.BytesIO(data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    found = re.findall("<t([^>]*)>([^<]*)</t>", sheet)[3:]
    preserved = ' xml:space="preserve"'
    assert found == [("", "_x0020_"), (preserved, "_x000A_ "), (preserved, " x ")]


def test_a_text_that_is_too_long_for_a_cell_says_so(view):
    view("SELECT repeat('x', 32767) AS a, repeat('x', 32768) AS b, repeat('🦊', 20000) AS c")
    data, _export, notes = written("xlsx", V)
    assert notes.cut == 2
    _names, (a, b, c) = xlsx_rows(data)
    assert a == "x" * 32767
    assert b.endswith("x … [cut: it has 32,768 characters]")
    assert len(b) == 32767
    assert c.endswith("🦊 … [cut: it has 20,000 characters]")
    assert len(c.encode("utf-16-le")) // 2 <= 32767
