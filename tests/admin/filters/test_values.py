"""Values as people type them, in several languages, and what is said of those that are none."""

from __future__ import annotations

import datetime as dt

import pytest
from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import override

from orm_views_admin.filters.values import NotUnderstoodError, split_list, understand, whole_day
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
        ("de", "integer", "1.234", "1234"),
        ("de", "integer", "-12.345.678", "-12345678"),
        ("de", "integer", "1.23", "1.23"),
        ("en-gb", "integer", "1.234", "1.234"),
        ("en-gb", "date", "30 Jun 2026", "2026-06-30"),
        ("en-gb", "date", "30 june 2026", "2026-06-30"),
        ("en", "date", "June 30, 2026", "2026-06-30"),
        ("de", "date", "30. Juni 2026", "2026-06-30"),
        ("de", "date", "3. März 2026", "2026-03-03"),
        ("es", "date", "30 de junio de 2026", "2026-06-30"),
        ("pl", "date", "30 czerwca 2026", "2026-06-30"),
        ("pl", "date", "30-06-2026", "2026-06-30"),
        ("de", "timestamp with time zone", "30. Juni 2026 13:45", "2026-06-30 13:45:00"),
        (
            "de",
            "timestamp with time zone",
            "30. Juni 2026 13:45 (Europe/London)",
            "2026-06-30 13:45:00+01:00",
        ),
        ("en-gb", "timestamp with time zone", "30 Jun 2026, 1:45 p.m.", "2026-06-30 13:45:00"),
        ("en-gb", "timestamp with time zone", "30 Jun 2026, noon", "2026-06-30 12:00:00"),
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
        ("en-gb", "date", "31 Feb 2026", "Expected is a date such as 30/06/2026"),
        ("de", "date", "heute", "Erwartet wird ein Datum wie 30.06.2026 oder 2026-06-30"),
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


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_a_day_is_understood_as_the_title_of_a_value_says_it(language):
    with override(language):
        days = [dt.date(2026, month, 17) for month in range(1, 13)]
        for how in ("DATE_FORMAT", "SHORT_DATE_FORMAT"):
            titles = [date_format(day, how) for day in days]
            for day, title in zip(days, titles, strict=True):
                if titles.count(title) > 1:  # Django's Armenian has one word for March and for April
                    with pytest.raises(NotUnderstoodError):
                        understand(title, column("date"))
                    continue
                found = understand(title, column("date"))
                assert dt.date(*map(int, found.split("-"))) == day, title


@pytest.mark.parametrize("language", ["en-gb", "en", "de", "fr", "es", "it", "nl", "pl", "ko", "ru", "uk"])
def test_a_time_is_understood_as_the_title_of_a_value_says_it(language):
    with override(language):
        for hour in (0, 1, 9, 12, 13, 23):
            title = date_format(dt.datetime(2026, 5, 17, hour, 4), "DATETIME_FORMAT")
            found = understand(title, column("timestamp with time zone"))
            assert found == f"2026-05-17 {hour:02}:04:00", title


@pytest.mark.parametrize(
    ("type_name", "base", "typed", "span"),
    [
        ("timestamp with time zone", "", "2026-06-30", "2026-06-30 00:00:00 2026-06-30 23:59:59.999999"),
        ("views.moment", "timestamp without time zone", "today", "today 00:00:00 today 23:59:59.999999"),
        (
            "timestamp(3) with time zone",
            "timestamp with time zone",
            "0044-03-15 BC",
            "0044-03-15 00:00:00 BC 0044-03-15 23:59:59.999999 BC",
        ),
        ("timestamp without time zone", "", "now", ""),
        ("timestamp without time zone", "", "2026-06-30 12:00", ""),
        ("timestamp without time zone[]", "timestamp without time zone[]", "2026-06-30", ""),
        ("date", "date", "2026-06-30", ""),
    ],
)
def test_a_day_is_many_values_only_in_a_column_of_moments(type_name, base, typed, span):
    moments = RowColumn("c", type_name, category="D", is_ordered=True, base=base)
    assert " ".join(whole_day(typed, moments) or ()) == span


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
