"""Texts of databases that have another encoding than Unicode, or none."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.db import connections

from orm_views_core.database.rows import Cell, digest
from orm_views_core.engines.postgresql.rows import read_cell, read_rows
from orm_views_core.exceptions import RowsUnavailableError

from .views import V, declare

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def schema():
    """The views are in databases of their own."""


@contextmanager
def database_in(encoding, sql):
    """A database with one view in place of the test's own."""
    connection, name = connections["default"], f"orm_views_{encoding.lower()}"
    own = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'")
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA views; CREATE VIEW {V.quoted} AS {sql}")
        declare(V)
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")


def test_a_database_in_latin_1():
    with database_in("LATIN1", "SELECT 'é'::text AS short, repeat('é', 3000) AS long"):
        page = read_rows("default", V, limit=1)
    assert page.rows == ((Cell("é", 1), Cell("é" * 2048, 3000)),)


@pytest.mark.parametrize(
    "sql",
    [
        r"SELECT E'\xff'::text AS broken",
        r"SELECT 'x' || repeat(E'\xc3\xa9', 3000) AS cut_within_a_character",
    ],
)
def test_text_that_is_in_no_encoding_is_said(sql):
    message = r"cannot be read: invalid byte sequence for encoding.*\. A database with the encoding SQL_ASCII"
    with database_in("SQL_ASCII", sql), pytest.raises(RowsUnavailableError, match=message):
        read_rows("default", V, limit=1)


def test_text_that_is_whole_does_not_look_cut_where_each_byte_is_a_character():
    with database_in("SQL_ASCII", r"SELECT E'\xc3\xa9'::text AS short, repeat(E'\xc3\xa9', 3000) AS long"):
        ((short, long),) = read_rows("default", V, limit=1).rows
        whole = read_cell("default", V, "long", offset=0, page_limit=1, expected=digest(long))
    assert short == Cell("é", 1)
    assert (long.text, long.is_cut) == ("é" * 1024, True)
    assert whole == Cell("é" * 3000, 3000)
