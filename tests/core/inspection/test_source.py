"""What the fields of a view are called, and how they are written."""

from __future__ import annotations

import pytest

from orm_views_core.database.relations import Column
from orm_views_core.inspection.source import attribute_name, declare_columns
from orm_views_core.sql.types import field_for


@pytest.mark.parametrize(
    ("column", "attribute"),
    [
        ("city", "city"),
        ("City", "city"),
        ("Amount %", "amount"),
        ("100%", "column_100"),
        ("%", "column"),
        ("class", "class_field"),
        ("a__b", "a_b"),
        ("a_", "a"),
        ("_a", "a"),
        ("straße", "straße"),
        ("save", "save_field"),
        ("id", "id_field"),
        ("two\nlines", "two_lines"),
    ],
)
def test_a_column_gets_a_name_that_python_and_django_take(column, attribute):
    assert attribute_name(column, {"save"}) == attribute


def test_a_key_is_called_id():
    assert attribute_name("id", set(), is_key=True) == "id"


def test_columns_that_would_share_a_name_are_numbered():
    columns = [Column(name, "text") for name in ("a b", "a_b", "A B", "a_b_field")]
    declared = declare_columns(columns, (), {"a_b_field_2"}, field_for)
    assert [d.attribute for d in declared] == ["a_b", "a_b_field", "a_b_field_3", "a_b_field_field"]
    assert [d.source.partition("db_column=")[2] for d in declared] == [
        "'a b')",
        "'a_b')",
        "'A B')",
        "'a_b_field')",
    ]
