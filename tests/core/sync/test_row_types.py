"""Views are rebuilt whatever the names of the types are that PostgreSQL makes for their rows.

Each relation has a type for its rows and one for arrays of them. The name of the second is that of the
relation behind an underscore, cut to 63 bytes, with a number behind it where that is taken.
"""

from __future__ import annotations

import pytest

from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = pytest.mark.django_db

BEFORE = "SELECT id, city FROM lending_customer"
AFTER = "SELECT city, id FROM lending_customer"
LONG = "l" * 62

NAMES = {
    "an underscore before": ["loans", "_loans"],
    "two underscores before": ["loans", "_loans", "__loans"],
    "a number behind": ["loans", "_loans", "loans_1"],
    "long names": [f"{LONG}a", f"{LONG}b"],
    "long names of letters of two bytes": ["ä" * 31 + "a", "ä" * 31 + "b"],
    "none": ["loans", "customers"],
}


def declare(name, materialised):
    bases = (PostgresMaterialisedViewMixin,) if materialised else ()
    attributes = {"sql": BEFORE, "name": name, "__module__": __name__}
    return type("V", (*bases, PostgresViewFromSQL), attributes)


def combinations(names):
    """Every selection of some names, as positions."""
    return [[i for i in range(len(names)) if bits >> i & 1] for bits in range(1, 2 ** len(names))]


CASES = [(what, rebuilt) for what, names in NAMES.items() for rebuilt in combinations(names)]


@pytest.mark.parametrize("order", [1, -1], ids=["", "backwards"])
@pytest.mark.parametrize(("what", "rebuilt"), CASES, ids=[f"{w}, {''.join(map(str, r))}" for w, r in CASES])
def test_a_view_is_rebuilt_whatever_its_neighbours_are_called(what, rebuilt, order, execute):
    """The order in which views are created decides which of them has its array type's own name."""
    materialised = order > 0
    views = [declare(name, materialised) for name in NAMES[what]]
    execute("CREATE SCHEMA views")
    for view in views[::order]:
        kind = "MATERIALIZED VIEW" if materialised else "VIEW"
        execute(f'CREATE {kind} views."{view.name}" AS {BEFORE}')
    sync_views()
    for i in rebuilt:
        views[i].sql = AFTER
    sync_views()
    found = execute("SELECT relname::text FROM pg_class WHERE relnamespace = 'views'::regnamespace")
    assert {name for (name,) in found} == set(NAMES[what])
    assert plan_views(["default"])[0].is_empty


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TYPE views._loans AS ENUM ('one')",
        "CREATE DOMAIN views._loans AS int",
        "CREATE TABLE views._loans (id int)",
        "CREATE SEQUENCE views._loans",
    ],
)
def test_a_view_is_rebuilt_whatever_else_has_the_name_of_its_array_type(statement, execute):
    view = declare("loans", True)
    sync_views()
    execute("DROP MATERIALIZED VIEW views.loans")
    execute(statement)
    sync_views()
    view.sql = AFTER
    sync_views()
    assert plan_views(["default"])[0].is_empty
