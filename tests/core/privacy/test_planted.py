"""The demonstration's own views pass. A planted view of each kind is refused or warned of, in these words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresViewFromSQL
from orm_views_core.views.registry import Registry, registry
from tests.core.keeping import declare, run

from .conftest import OF_DEMONSTRATION
from .saying import ADVICE, ADVICE_COMPUTED, plan, problem, problems, warning, warnings, where

pytestmark = pytest.mark.django_db(databases=["default", "warehouse"])

_VIEWS = [view for view in registry.views() if view.__module__.startswith("tests.demo.")]


@pytest.fixture
def marked(mark: Callable[..., None], settings, make_role) -> None:
    """The marks of the demonstration, and the role that reads all that is not hidden."""
    mark(*OF_DEMONSTRATION)
    settings.ORM_VIEWS = {"GRANT_SELECT_TO": [make_role("analyst")]}


@pytest.fixture
def demonstration(marked: None, registered: Registry) -> None:
    """The demonstration as it is."""
    for view in _VIEWS:
        registered.register(view)


def test_the_demonstrations_own_views_pass_with_two_not_personal_lines(demonstration):
    assert len(_VIEWS) > 10
    assert problems() == []
    assert warnings() == []
    sync_views(databases=["default"])
    assert run("SELECT has_table_privilege('analyst', 'views.customers', 'SELECT')") == [(True,)]
    assert [(v.name, v.not_personal) for v in _VIEWS if v.__dict__.get("not_personal")] == [
        ("customers", ("age_band",)),
        ("customers_by_era", ("era",)),
    ]


@pytest.mark.parametrize("name", ["Customers", "CustomersByEra"])
def test_without_one_of_these_lines_they_are_refused(demonstration, name, monkeypatch):
    (view,) = [view for view in _VIEWS if view.__name__ == name]
    monkeypatch.setattr(view, "not_personal", ())
    assert [said[: len(where(view))] for said in problems()] == [where(view)]


ROW = (
    "lending.Customer.date_of_birth, lending.Customer.email, lending.Customer.first_name and "
    "lending.Customer.last_name"
)


def test_a_column_as_it_is(marked):
    view = declare("Planted", "SELECT id, email AS contact FROM lending_customer")
    assert problem() == (
        f"{where(view)}: column 'contact' of views.planted shows lending.Customer.email as it is. It may be "
        f"read by 'analyst'. {ADVICE.format('contact')}"
    )


def test_a_computed_column(marked):
    view = declare("Planted", "SELECT upper(last_name) || ', ' || first_name AS name FROM lending_customer")
    assert problem() == (
        f"{where(view)}: column 'name' of views.planted is computed from lending.Customer.first_name and "
        f"lending.Customer.last_name. It may be read by 'analyst'. {ADVICE_COMPUTED.format('name')}"
    )


def test_a_column_that_is_shown_in_some_rows_and_computed_in_others(marked):
    view = declare(
        "Planted",
        "SELECT CASE WHEN date_of_birth < '2000-01-01' THEN email END AS contact FROM lending_customer",
    )
    assert problem() == (
        f"{where(view)}: column 'contact' of views.planted shows lending.Customer.email as it is and is "
        "computed from lending.Customer.date_of_birth. It may be read by 'analyst'. "
        f"{ADVICE.format('contact')}"
    )


def test_through_a_hidden_view(marked):
    declare("Raw", "SELECT id, email FROM lending_customer", hidden=True)
    view = declare("Planted", "SELECT raw.email FROM lending_loan JOIN views.raw ON raw.id = customer_id")
    assert problem() == (
        f"{where(view)}: column 'email' of views.planted shows lending.Customer.email as it is, by way of "
        f"views.raw.email. It may be read by 'analyst'. {ADVICE.format('email')}"
    )


def test_through_a_union(marked):
    view = declare(
        "Planted",
        "SELECT name::text AS word FROM lending_product UNION ALL SELECT first_name FROM lending_customer "
        "UNION ALL SELECT last_name FROM lending_customer",
    )
    assert problem() == (
        f"{where(view)}: column 'word' of views.planted shows lending.Customer.first_name and "
        f"lending.Customer.last_name as they are. It may be read by 'analyst'. {ADVICE.format('word')}"
    )


@pytest.mark.parametrize("row", ["c", "row_to_json(c)", "to_jsonb(c) - 'email'", "c::text", "ROW(c.*)::text"])
def test_as_a_whole_row(marked, row):
    view = declare("Planted", f"SELECT {row} AS customer FROM lending_customer c")
    assert problem() == (
        f"{where(view)}: column 'customer' of views.planted is computed from {ROW}. It may be read by "
        f"'analyst'. {ADVICE_COMPUTED.format('customer')}"
    )


def test_through_a_function_that_may_read_any_table(marked):
    run("CREATE FUNCTION public.contact(bigint) RETURNS text STABLE LANGUAGE sql AS $$SELECT 'a'$$")
    view = declare("Planted", "SELECT public.contact(id) AS contact FROM lending_loan")
    assert problem() == (
        f"{where(view)}: column 'contact' of views.planted may show any personal field, because it reads "
        "through public.contact(bigint), which may read any table. It may be read by 'analyst'. Leave the "
        "column out, hide the view with HiddenViewMixin, declare public.contact(bigint) IMMUTABLE if no "
        'table is read there, write not_personal = ("contact",) if it is not personal any more, or write '
        'exposes = ("contact",) to show it on purpose.'
    )


def test_through_a_function_of_postgresql_that_reads_what_its_argument_says(marked):
    view = declare("Planted", "SELECT query_to_xml('SELECT 1', true, true, '')::text AS x")
    assert problem() == (
        f"{where(view)}: column 'x' of views.planted may show any personal field, because it reads through "
        "query_to_xml(text,boolean,boolean,text), which may read any table. It may be read by 'analyst'. "
        f"{ADVICE_COMPUTED.format('x')}"
    )


def test_through_a_hidden_view_with_such_a_function(marked):
    run("CREATE FUNCTION public.contact(bigint) RETURNS text STABLE LANGUAGE sql AS $$SELECT 'a'$$")
    declare("Raw", "SELECT id, public.contact(id) AS contact FROM lending_loan", hidden=True)
    view = declare("Planted", "SELECT contact FROM views.raw")
    assert problem().startswith(
        f"{where(view)}: column 'contact' of views.planted may show any personal field, by way of "
        "views.raw.contact, because it reads through public.contact(bigint), which may read any table."
    )


@pytest.fixture
def of_analyst(marked):
    """A schema of the analyst's own, who makes views of what may be read."""
    run("GRANT CREATE, USAGE ON SCHEMA public TO analyst; CREATE SCHEMA ann AUTHORIZATION analyst")


def make_as_analyst(sql: str) -> None:
    run(f"SET ROLE analyst; {sql}; RESET ROLE")


def test_an_analysts_own_view_of_what_is_exposed_on_purpose(of_analyst):
    declare("Contacts", "SELECT id, email FROM lending_customer", exposes=("email",))
    sync_views(databases=["default"])
    make_as_analyst("CREATE VIEW ann.mine AS SELECT email AS e FROM views.contacts")
    assert warnings() == []
    make_as_analyst("GRANT SELECT ON ann.mine TO PUBLIC")
    assert warning() == (
        "Column 'e' of ann.mine shows lending.Customer.email as it is, by way of views.contacts.email. It "
        "may be read by everybody (PUBLIC). No class declares this view. Leave views.contacts.email out, "
        "write not_personal there if it is not personal any more, or ask the owner of ann.mine to leave the "
        "column out."
    )


def test_an_analysts_own_view_of_a_table(of_analyst):
    run("GRANT SELECT ON lending_customer TO analyst")
    make_as_analyst(
        "CREATE VIEW ann.mine AS SELECT lower(email) AS e FROM lending_customer; "
        "GRANT SELECT ON ann.mine TO PUBLIC"
    )
    assert warning() == (
        "Column 'e' of ann.mine is computed from lending.Customer.email. It may be read by everybody "
        "(PUBLIC). No class declares this view. Ask the owner of ann.mine to leave the column out, or to "
        "revoke the privilege."
    )


def test_an_analysts_own_view_that_the_plan_makes_show_it(of_analyst, registered):
    view = declare("Contacts", "SELECT id, ''::varchar(254) AS email FROM lending_customer")
    sync_views(databases=["default"])
    make_as_analyst(
        "CREATE VIEW ann.mine AS SELECT email AS e FROM views.contacts; GRANT SELECT ON ann.mine TO PUBLIC"
    )
    assert warnings() == []
    registered.unregister(view)
    declare("Contacts", "SELECT id, email FROM lending_customer", exposes=("email",))
    assert problem() == (
        "Column 'e' of ann.mine shows lending.Customer.email as it is, by way of views.contacts.email. It "
        "may be read by everybody (PUBLIC). This plan makes it do so. No class declares this view. Leave "
        "views.contacts.email out, write not_personal there if it is not personal any more, or ask the owner "
        "of ann.mine to leave the column out."
    )


def test_the_class_is_named_with_its_file_and_line(marked):
    class Planted(PostgresViewFromSQL):
        sql = "SELECT email FROM lending_customer"

    lines = Path(__file__).read_text().splitlines()
    line = lines.index("    class Planted(PostgresViewFromSQL):") + 1
    assert problem().startswith(
        f"tests.Planted (tests/core/privacy/test_planted.py, line {line}): column 'email' of views.planted "
    )


def test_nothing_is_changed_by_a_refused_sync(marked, take_picture):
    sync_views(databases=["default"])
    before = take_picture()
    declare("Planted", "SELECT id, email FROM lending_customer")
    declare("Innocent", "SELECT id FROM lending_customer")
    assert len(problems()) == 1
    assert take_picture() == before


def test_the_plan_says_the_same_as_the_sync_and_shows_its_steps(marked):
    declare("Planted", "SELECT id, email FROM lending_customer")
    made = plan()
    assert len(made.problems) == 1
    assert "views.planted" in [step.target for step in made.steps]
