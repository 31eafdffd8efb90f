"""Every value is shown as psql shows it, whatever its type, and whichever the driver."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess

import pytest
from django.db import connections

from orm_views_core.database.rows import Condition, Operator
from orm_views_core.engines.postgresql.rows import read_rows
from orm_views_core.names import quote_identifier

from .filled import fill
from .views import V, texts

LARGE = 1000
#: What COPY writes for a character in text.
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def copied(query):
    """The texts of a query's values by the output functions of their types, as COPY writes them."""
    with connections["default"].cursor() as cursor:
        statement = f"COPY ({query}) TO STDOUT"
        if hasattr(cursor, "copy_expert"):
            file = io.BytesIO()
            cursor.copy_expert(statement, file)
            written = file.getvalue()
        else:
            with cursor.copy(statement) as copy:
                written = b"".join(bytes(block) for block in copy)
    return [[_uncopied(text) for text in line.split("\t")] for line in written.decode().split("\n")[:-1]]


def _uncopied(text):
    if text == r"\N":
        return None
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[1]), text, flags=re.DOTALL)


def shown_by_psql(query):
    """The texts of a query's values in psql."""
    settings = connections["default"].settings_dict
    null, environment = (
        "(this is NULL)",
        {
            **os.environ,
            **{name: str(settings[key]) for name, key in PSQL.items() if settings.get(key)},
            "PGCLIENTENCODING": "UTF8",
            "PGTZ": connections["default"].timezone_name,
        },
    )
    run = subprocess.run(
        ["psql", "-X", "-A", "-t", "-z", "-0", "-P", f"null={null}", "-c", query],
        env=environment,
        capture_output=True,
        check=True,
    )
    cells = run.stdout.decode().removesuffix("\0").split("\0")
    return [None if cell == null else cell for cell in cells]


PSQL = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}


def begun(cell):
    """What a page gets of a text: at most 2,048 bytes."""
    text, length = cell.text, cell.length
    assert cell.is_cut == (text is not None and len(text) != length)
    return text, length


def expected(text):
    if text is None:
        return None, 0
    short = text[:2048]
    return short if len(short.encode()) <= 2048 else short[:512], len(text)


@pytest.mark.django_db
def test_every_value_is_the_text_of_its_output_function():
    filled = fill()
    assert len(filled.types) >= 60
    page = read_rows("default", V, limit=LARGE, order_by=["n"])
    rows = page.rows
    wanted = copied(f"SELECT * FROM {V.quoted} ORDER BY n")
    assert len(rows) == len(wanted) == filled.rows
    for row, texts_ in zip(rows, wanted, strict=True):
        for column, cell, text in zip(page.columns, row, texts_, strict=True):
            assert begun(cell) == expected(text), (column.name, row[0])
    assert {cell.text for cell in rows[-1][1:]} == {None}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
@pytest.mark.skipif(not shutil.which("psql"), reason="psql is not installed")
def test_every_value_is_as_psql_shows_it():
    filled = fill()
    rows = read_rows("default", V, limit=LARGE, order_by=["n"]).rows
    wanted = shown_by_psql(f"SELECT * FROM {V.quoted} ORDER BY n")
    found = [cell for row in rows for cell in row]
    assert len(found) == len(wanted)
    for place, (cell, text) in enumerate(zip(found, wanted, strict=True)):
        assert begun(cell) == expected(text), (["n", *filled.types][place % (len(filled.types) + 1)], text)


@pytest.mark.django_db
def test_what_is_shown_is_found_again(execute):
    """A condition has the text that the page shows."""
    for type_ in fill().types:
        column = quote_identifier(type_)
        execute(f"DROP VIEW {V.quoted}; CREATE VIEW {V.quoted} AS SELECT n, {column} FROM views.filled")
        shown = read_rows("default", V, limit=LARGE, order_by=["n"]).rows
        nulls = {number for number, (_, cell) in enumerate(shown) if cell.is_null}
        assert numbers(Condition(type_, Operator.IS_NULL)) == nulls, type_
        whole = {n: cell.text for n, (_, cell) in enumerate(shown) if not cell.is_null and not cell.is_cut}
        if type_ in ("boolean", "oid"):
            for number, text in whole.items():
                assert numbers(Condition(type_, Operator.EQUALS, (text,))) == {number}, type_
        elif whole:
            missed = whole.keys() - numbers(Condition(type_, Operator.IN, tuple(whole.values())))
            assert not missed, (type_, missed)
        assert len(numbers(order_by=[f"-{type_}"])) == len(shown), type_


def numbers(*conditions, order_by=("n",)):
    """The numbers of the rows that fulfil conditions."""
    rows = texts(limit=LARGE, order_by=order_by, conditions=conditions)
    return {int(row[0]) for row in rows}
