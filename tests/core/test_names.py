"""Names, their quoting, and source locations."""

from __future__ import annotations

import pytest
from django.db import connections

from orm_views_core.names import (
    MAX_IDENTIFIER_BYTES,
    SourceLocation,
    ViewName,
    key_name,
    printable,
    quote_identifier,
)

ODD_NAMES = [
    "plain",
    "Capitals",
    "two words",
    'quo"te',
    '"',
    "dot.ted",
    "select",
    "größe",
    "a%b",
    "a\\b",
    "x;--",
]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_quoted_identifier_is_kept_as_it_is(name, execute):
    execute(f"CREATE TEMPORARY TABLE {quote_identifier(name)} ()")
    assert execute("SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()") == [(name,)]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_django_takes_a_quoted_view_name_for_a_table_as_it_is(name):
    quoted = ViewName(name, name).quoted
    assert (
        connections["default"].ops.quote_name(quoted)
        == quoted
        == f"{quote_identifier(name)}.{quote_identifier(name)}"
    )


def test_a_view_name_reads_as_people_write_it():
    assert str(ViewName("views", "loans")) == "views.loans"


def test_the_key_of_a_view_is_named_as_postgresql_names_that_of_a_table():
    assert key_name("loans", ["id"]) == "loans_id_key"
    assert key_name("loans", ["month", "product"]) == "loans_month_product_key"


@pytest.mark.parametrize("view", ["v" * 63, "ü" * 31, "a" + "ü" * 31, "€" * 21])
def test_the_name_of_a_key_never_exceeds_what_postgresql_keeps(view):
    names = {key_name(view, [column]) for column in ("one", "two")}
    assert len(names) == 2
    assert all(len(name.encode()) <= MAX_IDENTIFIER_BYTES for name in names)


def test_a_key_whose_name_just_fits_is_not_cut():
    view = "v" * (MAX_IDENTIFIER_BYTES - len("_id_key"))
    assert key_name(view, ["id"]) == f"{view}_id_key"


def test_a_source_in_the_working_directory_is_shown_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(SourceLocation(str(tmp_path / "shop" / "views.py"), 3)) == "shop/views.py, line 3"
    assert str(SourceLocation("/elsewhere/views.py", 3)) == "/elsewhere/views.py, line 3"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("loan book", "loan book"),
        ("Kunde \N{LATIN SMALL LETTER U WITH DIAERESIS}", "Kunde \N{LATIN SMALL LETTER U WITH DIAERESIS}"),
        ("x\nINFO", r"x\nINFO"),
        ("x\x1b[2J", r"x\x1b[2J"),
        ("x\u202ey", r"x\u202ey"),
    ],
)
def test_a_name_is_shown_on_one_line(name, shown):
    assert printable(name) == shown
    assert str(ViewName("views", name)) == f"views.{shown}"
    assert ViewName("views", name).quoted == f'"views"."{name}"'
