"""The names of a catalogue's files fit every file system, whatever views are called."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orm_views_core.catalogue.addresses import column_anchor, table_page, view_page
from orm_views_core.names import ViewName

ODD = [
    *("..", ".", "/", "\\", ":", "a:b", "a/b", "a..b", "../../etc/passwd", "a b", " a", "a ", "a.", ".a"),
    *("Loans", "LOANS", "loans-", "loan s", "lo\nans", "目录", "目录2", "İ", "i̇", "ß", "\u202eabc"),
    *(
        "x" * 63,
        "X" * 63,
        "é" * 31,
        "con",
        "aux",
        "nul",
        "com1",
        "?",
        "*",
        "<b>",
        '"',
        "'",
        "%2e%2e",
        "~",
        "#",
    ),
]


def test_a_plain_name_is_kept():
    assert view_page("default", ViewName("views", "loan_book")) == "views/views.loan_book.html"
    assert table_page("default", ViewName("public", "lending_loan2")) == "tables/public.lending_loan2.html"
    assert view_page("warehouse", ViewName("views", "loans")) == "views/warehouse.views.loans.html"
    assert column_anchor("opened_on") == "column-opened_on"


def test_another_name_can_be_recognised_and_is_the_same_in_every_process():
    assert view_page("default", ViewName("views", "Big Orders")) == "views/views-big-orders-9f640209a0.html"


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_becomes_a_file_in_its_folder_that_every_system_takes(name):
    for database, schema, view in itertools.product(["default", "odd/alias", name], ["views", name], [name]):
        path = view_page(database, ViewName(schema, view))
        assert re.fullmatch(r"views/[a-z0-9_]+[a-z0-9_.-]*\.html", path), path
        assert ".." not in path
        assert len(path.partition("/")[2]) <= 255
        assert path.partition("/")[2].partition(".")[0] not in {"con", "aux", "nul", "com1"}
    assert re.fullmatch(r"column-[a-z0-9_-]+", column_anchor(name))


def test_no_two_names_share_a_file_even_where_case_does_not_count():
    names = [ViewName(schema, view) for schema, view in itertools.product(["views", "Views", *ODD], ODD)]
    names += [ViewName("a", "b"), ViewName("a.b", "c"), ViewName("a", "b.c"), ViewName("a-b", "c")]
    pages = {view_page(alias, name).casefold() for alias, name in itertools.product(["default", "a"], names)}
    assert len(pages) == 2 * len(set(names))


@given(st.lists(st.tuples(st.text(min_size=1, max_size=63), st.text(min_size=1, max_size=63)), unique=True))
def test_any_two_names_have_files_of_their_own(names):
    pages = {view_page("default", ViewName(*name)).casefold() for name in names}
    assert len(pages) == len(names)
