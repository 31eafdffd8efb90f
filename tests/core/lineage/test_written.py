"""Names with dots, quotes and blanks in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orm_views_core.database.lineage import RelationColumn
from orm_views_core.exceptions import UnknownNameError
from orm_views_core.lineage.written import parts_of, write_column, write_relation
from orm_views_core.names import ViewName

NAME = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("loans", ["loans"]),
        ("lending.Loan.status", ["lending", "Loan", "status"]),
        ('"odd.schema"."t"."c"', ["odd.schema", "t", "c"]),
        ('odd schema."say ""hi"".".c d', ["odd schema", 'say "hi".', "c d"]),
    ],
)
def test_parts(text, parts):
    assert [part.text for part in parts_of(text)] == parts


def test_quotes_are_told_from_none():
    assert [part.is_quoted for part in parts_of('a."*".*')] == [False, True, False]


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", '"a', 'a"b', '"a"b', '""', '"a".""'])
def test_what_is_no_name_is_said(text):
    with pytest.raises(UnknownNameError, match="is no name: a part is empty, or a quote is open"):
        parts_of(text)


@given(NAME, NAME, NAME)
def test_what_is_written_is_read_again(schema, name, column):
    written = write_column(RelationColumn(ViewName(schema, name), column))
    assert [part.text for part in parts_of(written)] == [schema, name, column]


def test_a_name_is_quoted_only_where_it_has_to_be():
    assert write_relation(ViewName("public", "lending_loan")) == "public.lending_loan"
    assert write_relation(ViewName("odd.schema", "Großes Buch")) == '"odd.schema".Großes Buch'
    assert write_column(RelationColumn(ViewName("a", "b"), "*")) == 'a.b."*"'
    assert write_column(RelationColumn(ViewName("a", "b, c"), "(its rows)")) == 'a."b, c"."(its rows)"'
