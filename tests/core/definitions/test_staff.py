"""The ``staff`` of a class: its form, what a mistake says, and that nothing but the pages depends on it."""

from __future__ import annotations

import pytest
from django.db import models

from orm_views_core.definitions.staff import problems_of, staff_of
from orm_views_core.exceptions import InvalidViewError
from orm_views_core.views import PostgresViewFromSQL
from tests.core.compiling import compile_view
from tests.core.readables import declare as declare_readable

pytestmark = pytest.mark.django_db


def declare(**attributes):
    return type(
        "Pay", (PostgresViewFromSQL,), {"sql": "SELECT 1 AS id", "__module__": __name__, **attributes}
    )


def test_it_is_in_the_definition_and_nowhere_in_what_a_sync_compares():
    plain = compile_view(declare())
    restricted = compile_view(declare(staff={"view": ["board"], "export": ("finance", "audit"), "sync": []}))
    assert plain.staff == ()
    assert restricted.staff == (("export", ("finance", "audit")), ("sync", ()), ("view", ("board",)))
    assert restricted.fingerprint == plain.fingerprint
    assert restricted == plain


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("board", r"its staff is 'board'\. Give a dict of actions with lists of names of groups"),
        (["board"], r"its staff is \['board'\]\."),
        (None, r"its staff is None\."),
        ({"view": "board"}, r"its staff has 'view': 'board'\. Give a list of names of groups"),
        ({"view": [""]}, r"its staff has 'view': \[''\]\."),
        ({"view": [7]}, r"its staff has 'view': \[7\]\."),
        ({"view": None}, r"its staff has 'view': None\."),
        ({"": ["board"]}, r"its staff has the action ''\. Give the name of an action"),
        ({None: ["board"]}, r"its staff has the action None\."),
    ],
)
def test_a_mistake_names_the_class_the_value_and_what_to_write(wrong, said):
    with pytest.raises(InvalidViewError, match=rf"Pay \(.*test_staff\.py, line \d+\): {said}"):
        compile_view(declare(staff=wrong))
    assert len(list(problems_of(wrong))) == 1


def test_what_is_kept_does_not_change_with_the_class():
    groups = ["board"]
    kept = staff_of({"view": groups})
    groups.append("everybody")
    assert kept == (("view", ("board",)),)


def test_a_readable_view_may_have_a_field_of_that_name():
    view = declare_readable(
        "SELECT 1 AS id, 'ann' AS staff",
        "Shift",
        id=models.IntegerField(primary_key=True),
        staff=models.TextField(),
    )
    assert compile_view(view).staff == ()
    assert view(id=1, staff="ann").staff == "ann"


def test_a_row_of_a_readable_view_has_no_staff():
    view = declare_readable(
        "SELECT 1 AS id", "Rota", id=models.IntegerField(primary_key=True), staff={"view": []}
    )
    assert compile_view(view).staff == (("view", ()),)
    assert not hasattr(view(id=1), "staff")
