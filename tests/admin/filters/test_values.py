"""Values as people type them, in several languages, and what is said of those that are none."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from orm_views_admin.filters.values import NotUnderstoodError, split_list, understand
from orm_views_core.database.rows import RowColumn

CATEGORIES = {
    "integer": "N",
    "numeric": "N",
    "double precision": "N",
    "money": "N",
    "date": "D",
    "timestamp with time zone": "D",
    "time without time zone": "D",
    "boolean": "B",
    "text": "S",
    "uuid": "U",
}


def column(type_name):
    return RowColumn("c", type_name, "", CATEGORIES[type_name], is_ordered=True)


@pytest.mark.parametrize(
    ("language", "type_name", "typed", "understood"),
    [
        ("en-gb", "date", "30/06/2026", "2026-06-30"),
        ("en-gb", "date", "06/07/2026", "2026-07-06"),
        ("en", "date", "06/07/2026", "2026-06-07"),
        ("de", "date", "30.6.2026", "2026-06-30"),
        ("de", "date", "2026-06-30", "2026-06-30"),
        ("en-gb", "date", " 2026-06-30 ", "2026-06-30"),
        ("en-gb", "date", "0044-03-15 BC", "0044-03-15 BC"),
        ("en-gb", "date", "294276-12-31", "294276-12-31"),
        ("en-gb", "date", "-infinity", "-infinity"),
        ("en-gb", "date", "yesterday", "yesterday"),
        ("en-gb", "timestamp with time zone", "30/06/2026 13:45", "2026-06-30 13:45:00"),
        ("en-gb", "timestamp with time zone", "2026-06-30 12:34:56.5+02", "2026-06-30 12:34:56.5+02"),
        ("en-gb", "time without time zone", "24:00", "24:00"),
        ("de", "numeric", "1.234,5", "1234.5"),
        ("de", "numeric", "1.234", "1.234"),
        ("de", "numeric", "1.234.567", "1234567"),
        ("de", "numeric", "0,5", "0.5"),
        ("en-gb", "numeric", "1,234.5", "1234.5"),
        ("en-gb", "integer", "1,234", "1234"),
        ("en-gb", "integer", "\N{MINUS SIGN}5", "-5"),
        ("fr", "numeric", "1 234,5", "1234.5"),
        ("fr", "numeric", "1\N{NARROW NO-BREAK SPACE}234,5", "1234.5"),
        ("en-gb", "double precision", "NaN", "NaN"),
        ("en-gb", "double precision", "-Infinity", "-Infinity"),
        ("en-gb", "double precision", "1e-300", "1e-300"),
        ("en-gb", "money", "$1,234.50", "$1,234.50"),
        ("en-gb", "boolean", "YES", "t"),
        ("en-gb", "boolean", "false", "f"),
        ("de", "boolean", "Ja", "t"),
        ("de", "boolean", "nein", "f"),
        ("en-gb", "text", "  two  ", "  two  "),
        ("en-gb", "uuid", " {A0} ", "{A0}"),
    ],
)
def test_a_value_is_understood_as_shown_and_as_the_language_writes_it(language, type_name, typed, understood):
    with override(language):
        assert understand(typed, column(type_name)) == understood


@pytest.mark.parametrize(
    ("language", "type_name", "typed", "said"),
    [
        (
            "en-gb",
            "date",
            "31/02/2026",
            "no value of the type date. Expected is a date such as 30/06/2026 or",
        ),
        ("de", "date", "heute", "Expected is a date such as 30.06.2026 or 2026-06-30"),
        ("en-gb", "date", "12:00", "no value of the type date"),
        ("en-gb", "time without time zone", "noon", "a time of day such as 13:45"),
        (
            "en-gb",
            "integer",
            "five",
            "“five” is no value of the type integer. Expected is a number such as 1,234",
        ),
        ("en-gb", "numeric", "1,2", "a number such as 1,234.5 or 1234.5"),
        ("en-gb", "numeric", "12,34,567", "a number such as"),
        ("en-gb", "numeric", "", "Type a value."),
        ("en-gb", "numeric", "٣", "a number such as"),
        ("en-gb", "boolean", "maybe", "Expected is yes or no"),
    ],
)
def test_a_value_that_is_none_is_refused_with_what_is_expected(language, type_name, typed, said):
    with override(language), pytest.raises(NotUnderstoodError) as refused:
        understand(typed, column(type_name))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("5", ["5"]),
        ("5, 6,7", ["5", "6", "7"]),
        ('a,"b, c"', ["a", "b, c"]),
        ("a\nb", ["a", "b"]),
        (",, ", []),
        ("", []),
        ('"a', ["a"]),
    ],
)
def test_a_list_is_separated_by_commas(typed, values):
    assert split_list(typed) == values
