"""SQL laid out, highlighted and compared."""

import time

import pytest

from orm_views_admin.ui.sql_markup import diff_lines, format_sql, highlight_sql
from orm_views_core.sql.lexer import tokenize


def test_sql_is_laid_out():
    assert format_sql("select a, b from t where c = 1") == "select a,\n       b\nfrom t\nwhere c = 1"


def test_sql_that_is_too_long_or_too_deep_is_left_as_it_is_and_in_time():
    long = "SELECT " + ", ".join(f"column_{n} AS alias_{n}" for n in range(5000)) + " FROM t"
    deep = "SELECT " + "(" * 500 + "1" + ")" * 500
    began = time.perf_counter()
    assert format_sql(long) == long
    assert format_sql(deep).count("(") == 500
    assert time.perf_counter() - began < 5


def test_highlighted_sql_has_classes_and_no_styles():
    html = highlight_sql("SELECT '<b>' -- </code>\nFROM t")
    assert '<span class="hl-k">SELECT</span>' in html
    assert "&lt;b&gt;" in html
    assert "</code>" not in html
    assert "style=" not in html


def test_a_difference_has_a_kind_for_each_line():
    lines = diff_lines("a\nb\nc", "a\nB\nc")
    assert [(line.kind, line.text) for line in lines] == [
        ("same", "a"),
        ("removed", "b"),
        ("added", "B"),
        ("same", "c"),
    ]


def test_there_is_no_difference_between_equal_texts():
    assert diff_lines("a\nb", "a\nb") == []


def test_distant_changes_have_a_gap_between_them():
    before = [str(n) for n in range(40)]
    after = ["x", *before[1:-1], "y"]
    assert [line.kind for line in diff_lines("\n".join(before), "\n".join(after))].count("gap") == 1


def test_a_string_that_goes_on_in_the_next_line_is_left_there():
    assert format_sql("SELECT 'a'\n'b' AS x FROM t") == "SELECT 'a'\n'b' AS x FROM t"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT E'a'\n  -- why\n  'b' AS x FROM t",
        "SELECT E'it\\'s' AS a, 'x' AS b FROM t WHERE c = '\\' AND d = 'e  f'",
        "SELECT /* a /* nested */ comment */ 1 AS x FROM t",
        "SELECT $q$ a   'b' $q$ AS x FROM t",
    ],
)
def test_formatted_sql_gives_what_the_sql_gives(sql):
    meaning = [(token.kind, token.text) for token in tokenize(format_sql(sql)) if not token.is_blank]
    assert meaning == [(token.kind, token.text) for token in tokenize(sql) if not token.is_blank]
