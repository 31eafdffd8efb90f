"""Cells as HTML: what cannot be seen is named, long values are folded, numbers stay as they are."""

from __future__ import annotations

import re

import pytest
from django.utils.translation import override

from orm_views_admin.ui.blanks import describe_blanks, describe_hidden
from orm_views_admin.ui.cells import is_number, render_cell
from orm_views_admin.ui.indented import indent_array, indent_json
from orm_views_core.database.rows import Cell, RowColumn

TEXT = RowColumn("c", "text", "", "S", is_ordered=True)
DAY = RowColumn("c", "date", "", "D", is_ordered=True)
JSON = RowColumn("c", "jsonb", "", "U", is_ordered=True)
ARRAY = RowColumn("c", "text[]", "", "A", is_ordered=True)


def render(text, column=TEXT, length=None):
    return render_cell(Cell(text, len(text or "") if length is None else length), column, "/whole/")


def words(html):
    return re.sub(r"<[^>]*>", "|", html)


def test_null_empty_and_blank_can_be_told_apart():
    shown = [render(text) for text in (None, "", " ", "   ", "\t", "\n\n", "NULL", "empty text", "\xa0")]
    assert len(set(shown)) == len(shown)
    assert [words(html).split("|")[1].strip() for html in shown] == [
        "NULL",
        "empty text",
        "1 space",
        "3 spaces",
        "1 tab",
        "2 line breaks",
        "NULL",
        "empty text",
        "1 character U+00A0",
    ]
    assert "ov-null" not in shown[6] + shown[7]


def test_blanks_at_both_ends_are_named_and_kept():
    html = render("  two  words\t")
    assert words(html) == "|2 spaces||  two  words\t||1 tab|"


def test_characters_that_cannot_be_seen_are_named():
    assert "U+200B inside" in render("a\u200bb")
    assert "U+202E, U+2066 inside" in render("a\u202eb\u2066")
    assert "inside" not in render("Ünïcode שלום 漢字 👍")
    assert describe_hidden("".join(map(chr, range(1, 9)))) == "U+0001, U+0002, U+0003, U+0004, … inside"


def test_blanks_are_counted_in_their_order():
    assert describe_blanks("  \t\n\n ") == "2 spaces, 1 tab, 2 line breaks, 1 space"
    assert describe_blanks("\t \t \t ").endswith("…")


def test_the_direction_of_a_value_stays_inside():
    assert render("שלום") == '<bdi class="ov-value">שלום</bdi>'
    assert '<pre dir="auto"' in render("ש" * 100)


def test_numbers_are_told_from_names_that_postgresql_counts_as_numbers():
    assert is_number(RowColumn("c", "numeric(10,2)", "", "N", is_ordered=True))
    assert not is_number(RowColumn("c", "regclass", "", "N"))
    assert not is_number(TEXT)


def test_markup_is_text():
    assert "<b>" not in render("<b>bold</b>")
    assert "<b>" not in render("<b>bold</b>" * 20)


def test_a_long_value_is_folded_with_its_first_words():
    html = render("first line\n" + "x" * 100)
    assert "<summary><bdi>first line xxx" in html
    assert "\nfirst line\nxxx" in html  # after the tag, whose line break HTML drops
    assert "/whole/" not in html


def test_of_a_cut_value_there_is_a_link_to_the_whole():
    html = render("x" * 2048, length=1_048_576)
    assert '<a href="/whole/">Show the whole (1,048,576 characters)</a>' in html


@pytest.mark.parametrize(
    ("text", "datetime", "title"),
    [
        ("2026-06-30", "2026-06-30", "30 Jun 2026"),
        ("2026-06-30 12:34:56+00", "2026-06-30T12:34:56+00:00", "30 Jun 2026, 1:34 p.m. (Europe/London)"),
        ("2026-01-30 12:34:56.25", "2026-01-30T12:34:56.25", "30 Jan 2026, 12:34 p.m."),
        ("2026-06-30 12:34:56+05:30", "2026-06-30T12:34:56+05:30", "30 Jun 2026, 8:04 a.m. (Europe/London)"),
    ],
)
def test_a_time_says_in_its_title_what_it_is_here(text, datetime, title):
    with override("en-gb"):
        html = render(text, DAY)
    assert f'datetime="{datetime}"' in html
    assert f'title="{title}"' in html
    assert f">{text}</time>" in html


@pytest.mark.parametrize(
    "text",
    [
        "infinity",
        "0044-03-15 BC",
        "294276-12-31 00:00:00",
        "24:00:00",
        "12:34:56+02",
        "2026-06-30 12:34:56.123456",
    ],
)
def test_what_html_has_no_time_for_is_not_marked_as_one(text):
    html = render(text, DAY)
    assert "<time" not in html
    assert f">{text}</bdi>" in html


def test_json_has_a_line_for_each_item_and_its_numbers_as_they_are():
    text = '{"big": 123456789012345678901234567890.10, "list": [1e400, null], "words": "a, [b] \\" {c}",'
    text += ' "no": {}}'
    assert indent_json(text).splitlines() == [
        "{",
        '  "big": 123456789012345678901234567890.10,',
        '  "list": [',
        "    1e400,",
        "    null",
        "  ],",
        '  "words": "a, [b] \\" {c}",',
        '  "no": {}',
        "}",
    ]
    assert "123456789012345678901234567890.10,\n" in render(text.replace("&", ""), JSON).replace(
        "&quot;", '"'
    )


def test_json_of_which_only_the_beginning_is_there_is_indented_too():
    assert indent_json('{"a": [1, "tex') == '{\n  "a": [\n    1,\n    "tex'


def test_deep_json_is_shown_as_it_is():
    text = "[" * 2000 + "]" * 2000
    assert indent_json(text) == text


def test_an_array_has_a_line_for_each_element():
    assert indent_array('[0:1]={{1,NULL},{"a, b","c\\"d"}}') == (
        '[0:1]={\n  {\n    1,\n    NULL\n  },\n  {\n    "a, b",\n    "c\\"d"\n  }\n}'
    )
    assert indent_array("{10:00:00,11:30:00}") == "{\n  10:00:00,\n  11:30:00\n}"


@pytest.mark.parametrize("indent", [indent_json, indent_array])
@pytest.mark.parametrize(
    "text",
    ["", "{", "}", "]]]", '"', '"\\', ",", ":", "((", "a b", "{,}", "\u2028", "{(1,2),(3", "null", "[}"],
)
def test_nothing_but_blanks_is_added_or_lost(indent, text):
    assert re.sub(r"\s", "", indent(text)) == re.sub(r"\s", "", text)
