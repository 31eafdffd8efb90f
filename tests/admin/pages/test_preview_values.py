"""Values as psql shows them. Each of these was refused, rounded or shown as another value at some time."""

from __future__ import annotations

import html as markup
import re

import pytest

from orm_views_core.engines.postgresql.rows import read_rows
from orm_views_core.sync import sync_views
from tests.admin.browse import declare, text_of, url
from tests.core.engines.rows.filled import fill
from tests.core.engines.rows.views import V

pytestmark = pytest.mark.django_db


def shown(browse, *expressions):
    """The values of a view with some expressions, as the table has them."""
    declare("Odd", "SELECT " + ", ".join(f"{each} AS c{n}" for n, each in enumerate(expressions)))
    sync_views()
    page = browse.get(url("preview", "odd"))
    cells = re.findall(r"<td role=[^>]*>(.*?)</td>", page, re.DOTALL)
    assert len(cells) == len(expressions), text_of(page)
    return [markup.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in cells]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_are_shown(browse, value):
    assert shown(browse, f"'{value}'::float8", f"'{value}'::float4") == [value, value]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e400", "0.10", "1E-20"])
def test_a_numeric_of_any_size_is_shown_with_its_digits(browse, value):
    digits = {"1e400": "1" + "0" * 400, "1E-20": "0.00000000000000000001"}.get(value, value)
    (cell,) = shown(browse, f"'{value}'::numeric")
    assert digits in cell


def test_json_nested_2000_deep_is_shown(browse):
    deep = "'" + "[" * 2000 + "]" * 2000 + "'"
    json, jsonb = shown(browse, f"{deep}::json", f"{deep}::jsonb")
    assert "[" * 2000 in json
    assert "[" * 2000 in jsonb
    assert "Show the whole (4,000 characters)" in json


def test_numbers_in_json_are_not_rounded(browse):
    number = "12345678901234567890.123456789012345678901234567890"
    assert shown(browse, f"'{{\"n\": {number}}}'::jsonb") == [f'{{"n": {number}}}']


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("date 'infinity'", "infinity"),
        ("timestamptz '-infinity'", "-infinity"),
        ("date '0044-03-15 BC'", "0044-03-15 BC"),
        ("timestamp '294276-12-31 23:59:59'", "294276-12-31 23:59:59"),
        ("timestamptz '2026-06-30 12:34:56.789+00'", "2026-06-30 12:34:56.789+00"),
        ("timetz '12:34:56+02'", "12:34:56+02"),
        ("time '24:00:00'", "24:00:00"),
        ("interval '1 year 2 mons 3 days'", "1 year 2 mons 3 days"),
        ("interval '-00:00:01.5'", "-00:00:01.5"),
        (r"ARRAY['\xdead'::bytea, '\x'::bytea]", r'{"\\xdead","\\x"}'),
        (r"'\xdeadbeef'::bytea", r"\xdeadbeef"),
        ("int4range(1, NULL)", "[1,)"),
        ("'(,)'::daterange", "(,)"),
        ("ARRAY[NULL, 'NULL', '', 'a b']", '{NULL,"NULL","","a b"}'),
        ("true", "t"),
        ("ROW(1, NULL, 'a b')::text", '(1,,"a b")'),
        ("point(1, 2)", "(1,2)"),
        ("'10.0.0.1/8'::inet", "10.0.0.1/8"),
        ("'2b6f0cc9-04c8-4a5e-8c1b-3a5f3f0a9d11'::uuid", "2b6f0cc9-04c8-4a5e-8c1b-3a5f3f0a9d11"),
        ("'pg_class'::regclass", "pg_class"),
        ("1234567.5::numeric", "1234567.5"),
        ("'a   b'", "a   b"),
    ],
)
def test_a_value_is_shown_as_psql_shows_it(browse, expression, text):
    assert shown(browse, expression) == [text]


def test_an_interval_without_an_end_is_shown(browse, execute):
    ((version,),) = execute("SELECT current_setting('server_version_num')::int")
    if version < 170000:
        pytest.skip("intervals have no infinity before PostgreSQL 17")
    assert shown(browse, "interval 'infinity'") == ["infinity"]


def test_null_empty_and_blank_can_be_told_apart(browse):
    values = shown(browse, "NULL::text", "''", "'   '", "E'\\t'", "'NULL'", "'a  '", "'x'::char(3)")
    assert values == ["NULL", "empty text", "3 spaces   ", "1 tab\t", "NULL", "a  2 spaces", "x  2 spaces"]


def test_one_value_out_of_reach_does_not_hide_the_other_rows(browse):
    declare("Days", "SELECT n, date '0001-01-01' - n AS day FROM generate_series(-1, 400, 200) AS n")
    sync_views()
    text = text_of(browse.get(url("preview", "days")))
    assert "-1 0001-01-02 199" in text
    assert "0001-06-16 BC" in text


def test_numbers_are_aligned_and_long_names_do_not_widen_the_page(browse):
    declare("Odd", f"SELECT 1.5 AS \"{'n' * 63}\", 'x' AS word")
    sync_views()
    html = browse.get(url("preview", "odd"))
    assert '<td role="cell" class="ov-number"><bdi class="ov-value">1.5</bdi></td>' in html
    assert f"<bdi>{'n' * 63}</bdi>" in html


@pytest.fixture
def filled(execute):
    """A view with a column for each of many types."""
    execute("CREATE SCHEMA views")
    return fill()


def text_in(cell):
    """The text of a cell's value; None for NULL, and "" for an empty text."""
    found = re.search(r'<(\w+)[^>]*class="ov-value"[^>]*>(\n?)(.*?)</\1>', cell, re.DOTALL)
    if found:
        return markup.unescape(found[3] if found[1] == "pre" else found[2] + found[3])
    return {"NULL": None, "empty text": ""}[text_of(cell)]


def test_the_table_has_the_text_of_each_value_of_each_type(browse, filled):
    page = browse.get(url("preview", V.name), sort="n")
    rows = re.findall(r'<tr role="row">(<td.*?)</tr>', page, re.DOTALL)
    found = read_rows("default", V, limit=1000, order_by=["n"])
    assert len(rows) == filled.rows
    assert len(filled.types) >= 60
    for row, cells in zip(rows, found.rows, strict=True):
        texts = [text_in(each) for each in re.findall(r"<td role=[^>]*>(.*?)</td>", row, re.DOTALL)]
        for column, cell, text in zip(found.columns, cells, texts, strict=True):
            if cell.text and (column.category == "A" or "json" in column.type):
                assert re.sub(r"\s", "", text) == re.sub(r"\s", "", cell.text), column
            else:
                assert text == cell.text, column


def test_what_the_table_shows_is_understood_as_a_filter(browse, filled):
    found = read_rows("default", V, limit=1000, order_by=["n"])
    for place, column in enumerate(found.columns):
        texts = [row[place].text for row in found.rows if row[place].text and not row[place].is_cut]
        for text in texts[:2]:
            page = browse.get(url("preview", V.name), **{f"column.{column.name}.equals": text})
            assert '<tr role="row"><td' in page, (column.type, text, text_of(page))
