"""What classes say of their columns: ``not_personal`` ends the lineage, ``exposes`` does not."""

from __future__ import annotations

import pytest
from django.db import connection

from orm_views_core.exceptions import OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.privacy import marks
from orm_views_core.privacy.api import find_personal_columns, judge_views
from orm_views_core.sync import plan_views, sync_views
from tests.core.keeping import declare, run
from tests.demo.lending.models import Customer

from .saying import columns, plan, problem, problems, warning, warnings, where

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("email_is_personal", "all_is_granted")]


# not_personal


def test_not_personal_ends_the_lineage_at_that_column():
    declare("V", "SELECT left(email, 1) AS initial FROM lending_customer", not_personal=("initial",))
    declare("W", "SELECT initial, initial || '.' AS dotted FROM views.v")
    declare("X", "SELECT row_to_json(w) AS w, w.* FROM views.w")
    assert problems() == warnings() == []


def test_it_ends_it_for_views_of_others_too():
    declare("V", "SELECT left(email, 1) AS initial FROM lending_customer", not_personal=["initial"])
    sync_views()
    run("CREATE VIEW public.o AS SELECT initial FROM views.v; GRANT SELECT ON public.o TO PUBLIC")
    assert problems() == warnings() == []


def test_it_ends_it_at_that_column_only():
    declare(
        "V",
        "SELECT left(email, 1) AS initial, right(email, 1) AS last FROM lending_customer",
        not_personal=("initial",),
    )
    declare("W", "SELECT initial || last AS both FROM views.v")
    assert columns(problems()) == ["views.v.last", "views.w.both"]


def test_what_reads_the_table_itself_has_to_say_it_itself():
    declare("V", "SELECT left(email, 1) AS initial FROM lending_customer", not_personal=("initial",))
    declare("W", "SELECT left(email, 1) AS initial FROM lending_customer")
    assert columns(problems()) == ["views.w.initial"]


def test_a_column_that_may_show_more_can_be_not_personal():
    run("CREATE FUNCTION public.today() RETURNS text STABLE LANGUAGE sql AS $$SELECT 'a'$$")
    declare("V", "SELECT public.today() AS today", not_personal=("today",))
    declare("W", "SELECT today FROM views.v")
    assert problems() == warnings() == []


WRONG = (
    "{0}: its not_personal has 'email', and that column shows lending.Customer.email as it is. It stays "
    "personal. Remove it from not_personal"
)


def test_not_personal_is_an_error_for_a_column_that_is_shown_as_it_is():
    view = declare("V", "SELECT email FROM lending_customer", not_personal=("email",))
    assert problem() == (
        f"{WRONG.format(where(view))}, and leave the column out, hide the view with HiddenViewMixin, reduce "
        'the column, or write exposes = ("email",) to show it on purpose.'
    )


def test_it_is_one_for_a_hidden_view_too():
    view = declare("V", "SELECT email FROM lending_customer", not_personal=("email",), hidden=True)
    assert problem() == (
        f"{WRONG.format(where(view))}. While only its owner may read the view, it may carry anything."
    )


@pytest.mark.parametrize(
    "shown",
    [
        "email::text",
        'email COLLATE "C"',
        "COALESCE(email, '')",
        "NULLIF(email, '')",
        "CASE WHEN id > 5 THEN email ELSE '' END",
        "GREATEST(email, '')",
        "(SELECT c.email FROM lending_customer c LIMIT 1)",
        "(lending_customer).email",
    ],
)
def test_a_column_is_shown_as_it_is_although_it_looks_computed(shown):
    declare("V", f"SELECT {shown} AS e FROM lending_customer", not_personal=("e",))
    assert "that column shows lending.Customer.email as it is" in problem()


def test_such_a_declaration_ends_nothing():
    """Otherwise it would hide the e-mail of the views above for as long as nobody syncs this one."""
    declare("H", "SELECT email FROM lending_customer", hidden=True, not_personal=("email",))
    declare("V", "SELECT email FROM views.h")
    assert columns(problems()) == ["views.v.email"]
    assert len(problems()) == 2


def test_such_a_declaration_of_a_view_that_is_not_synced_ends_nothing(settings, mark, monkeypatch):
    wrong = declare("H", "SELECT email FROM lending_customer", hidden=True, not_personal=("email",))
    monkeypatch.setattr(marks, "_used", False)
    sync_views()
    mark("email")
    view = declare("V", "SELECT email FROM views.h")
    assert problem(views=["views.v"]).startswith(
        f"{where(view)}: column 'email' of views.v shows lending.Customer.email as it is, by way of "
        "views.h.email. It may be read by 'analyst_of_test'."
    )
    assert problems()[0].startswith(WRONG.format(where(wrong)))


def test_such_a_column_stays_personal_on_pages_and_in_findings():
    view = declare("V", "SELECT email, left(email, 1) AS i FROM lending_customer")
    run(
        "CREATE VIEW views.v AS SELECT email, left(email, 1) AS i FROM lending_customer; "
        "GRANT SELECT ON views.v TO analyst_of_test"
    )
    view.not_personal = ("email", "i")
    assert [*find_personal_columns(connection)[("views", "v")]] == ["email"]
    assert [*judge_views(connection).exposed[ViewName("views", "v")]] == ["email"]


def test_a_chain_of_such_declarations_ends_nothing():
    declare("H1", "SELECT email FROM lending_customer", hidden=True, not_personal=("email",))
    declare("H2", "SELECT email FROM views.h1", hidden=True, not_personal=("email",))
    declare("V", "SELECT email FROM views.h2")
    assert ["its not_personal" in said for said in problems()] == [True, True, False]


# exposes


def test_exposes_lets_a_column_pass():
    declare("V", "SELECT email, upper(email) AS u FROM lending_customer", exposes=("email", "u"))
    assert problems() == warnings() == []
    sync_views()
    assert problems() == warnings() == []
    assert judge_views(connection).problems == ()


def test_exposes_is_about_these_columns_only():
    declare("V", "SELECT email, upper(email) AS u FROM lending_customer", exposes=("email",))
    assert columns(problems()) == ["views.v.u"]


def test_exposes_does_not_end_the_lineage():
    declare("V", "SELECT email FROM lending_customer", exposes=("email",))
    view = declare("W", "SELECT upper(email) AS e FROM views.v")
    assert problem() == (
        f"{where(view)}: column 'e' of views.w is computed from lending.Customer.email, by way of "
        "views.v.email. It may be read by 'analyst_of_test'. Leave the column out, hide the view with "
        'HiddenViewMixin, write not_personal = ("e",) if it is not personal any more, or write exposes = '
        '("e",) to show it on purpose.'
    )


def test_views_on_top_say_it_again():
    declare("V", "SELECT email FROM lending_customer", exposes=("email",))
    declare("W", "SELECT upper(email) AS e FROM views.v", exposes=("e",))
    declare("X", "SELECT left(e, 1) AS i FROM views.w", not_personal=("i",))
    assert problems() == warnings() == []


@pytest.mark.parametrize("exposes", [("email",), ["email"]])
def test_a_list_or_a_tuple(exposes):
    declare("V", "SELECT email FROM lending_customer", exposes=exposes)
    assert problems() == []


# Declarations without effect, and wrong ones


@pytest.mark.parametrize("option", ["not_personal", "exposes"])
def test_a_declaration_without_effect_is_a_warning(option):
    view = declare("V", "SELECT id, city FROM lending_customer", **{option: ("city",)})
    assert warning() == (
        f"{where(view)}: its {option} has 'city', which is not made of anything personal. Remove it: it "
        "would hide a later mistake."
    )


def test_a_declaration_above_one_that_ended_it_is_without_effect():
    declare("V", "SELECT left(email, 1) AS i FROM lending_customer", not_personal=("i",))
    declare("W", "SELECT i FROM views.v", not_personal=("i",))
    assert "its not_personal has 'i', which is not made of anything personal." in warning()


def test_a_declaration_of_a_column_that_is_only_counted_is_without_effect():
    declare("V", "SELECT count(email) AS n FROM lending_customer", not_personal=("n",))
    assert "its not_personal has 'n', which is not made of anything personal." in warning()


@pytest.mark.parametrize("option", ["not_personal", "exposes"])
def test_an_unknown_column_is_an_error(option):
    view = declare("V", "SELECT id, city FROM lending_customer", **{option: ("mail",)})
    assert problem() == (
        f"{where(view)}: its {option} has 'mail', and views.v has no such column. Its columns are id, city."
    )


def test_a_column_is_named_as_it_is_spelt():
    declare("V", 'SELECT email AS "E-Mail" FROM lending_customer', exposes=("e-mail",))
    assert len(problems()) == 2
    assert 'exposes = ("E-Mail",)' in problems()[1]


def test_a_hidden_view_may_declare_too():
    declare("H", "SELECT left(email, 1) AS i FROM lending_customer", hidden=True, not_personal=("i",))
    declare("V", "SELECT i FROM views.h")
    assert problems() == warnings() == []


def refused(**options) -> str:
    view = declare("V", "SELECT left(email, 1) AS i FROM lending_customer", **options)
    with pytest.raises(OrmViewsError) as error:
        plan_views()
    said = str(error.value)
    assert said.startswith(f"{where(view)}: ")
    return said.removeprefix(f"{where(view)}: ")


def test_both_at_once_is_an_error():
    assert refused(not_personal=("i", "x"), exposes=("x", "i", "y")) == (
        "its columns i, x are in not_personal and in exposes. A column that is not personal exposes nothing. "
        "Remove one of them."
    )


@pytest.mark.parametrize("option", ["not_personal", "exposes"])
@pytest.mark.parametrize("value", ["email", 5, True, [5], [""], {"email"}, [None]])
def test_values_of_other_types_are_errors(option, value):
    assert refused(**{option: value}) == f"its {option} is {value!r}. Give a list of names of its columns."


@pytest.mark.parametrize("value", ["email", 5, [None], {"e"}])
def test_pages_live_with_a_wrong_value(value):
    run("CREATE VIEW views.v AS SELECT email, left(email, 1) AS e FROM lending_customer")
    declare("V", "SELECT email, left(email, 1) AS e FROM lending_customer", not_personal=value)
    assert [*find_personal_columns(connection)[("views", "v")]] == ["email", "e"]
    assert judge_views(connection).problems == ()


@pytest.mark.parametrize("option", ["not_personal", "exposes"])
@pytest.mark.parametrize("value", [(), []])
def test_nothing_is_declared_by(option, value):
    declare("V", "SELECT city FROM lending_customer", **{option: value})
    assert problems() == warnings() == []


def test_a_declaration_changes_nothing_in_the_database(registered):
    view = declare("V", "SELECT email FROM lending_customer", exposes=("email",))
    sync_views()
    registered.unregister(view)
    declare("V", "SELECT email FROM lending_customer", exposes=["email"])
    assert plan().steps == ()


def test_without_anything_personal_declarations_say_nothing(monkeypatch):
    monkeypatch.delattr(Customer._meta.get_field("email"), marks.ATTRIBUTE)
    declare("V", "SELECT city FROM lending_customer", exposes=("city",), not_personal=("nothing",))
    assert problems() == warnings() == []
