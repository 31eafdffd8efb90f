"""What a view is called and where it is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connections
from django.utils.functional import classproperty

from orm_views_core.names import (
    MAX_IDENTIFIER_BYTES,
    SourceLocation,
    ViewName,
    declared,
    find_class_statement,
    key_name,
    quote_identifier,
)
from orm_views_core.views import PostgresViewFromSQL

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


def test_the_class_statement_of_a_view_is_found_while_it_is_executed():
    class Found(PostgresViewFromSQL):
        """With a docstring."""

    source = Found._view_source
    assert source is not None
    assert Path(source.file) == Path(__file__)
    assert "class Found(" in Path(__file__).read_text().splitlines()[source.line - 1]


def test_a_module_that_is_not_running_has_no_class_statement():
    assert find_class_statement("nowhere.to.be.found") is None


class FieldDescriptor:
    """As Django's: on the class it gives itself."""

    field = "a model field"

    def __get__(self, instance, owner):
        return self


def test_a_declaration_is_found_behind_a_field_of_its_name():
    class Base:
        prefix = "said"

    class View(Base):
        prefix = FieldDescriptor()

    assert declared(View, "prefix") == "said"


def test_nothing_but_fields_gives_the_default():
    class View:
        prefix = FieldDescriptor()

    assert declared(View, "prefix") is None
    assert declared(View, "prefix", "default") == "default"
    assert declared(View, "not there", "default") == "default"


def test_a_classproperty_is_asked_with_the_class_that_inherits_it():
    class Base:
        @classproperty
        def name(cls):
            return cls.__name__

    class View(Base):
        pass

    assert declared(View, "name") == "View"


def test_the_nearest_declaration_counts_even_when_it_is_none():
    class Base:
        prefix = "said"

    class View(Base):
        prefix = None

    assert declared(View, "prefix", "default") is None
