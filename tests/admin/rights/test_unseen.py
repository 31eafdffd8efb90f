"""Whether a text names a view that somebody may not see."""

from __future__ import annotations

import pytest

from orm_views_admin.rights.unseen import NOTHING, Unseen
from orm_views_core.names import ViewName

PAY = ViewName("views", "pay")


def unseen(*names, labels=(), seen=()):
    return Unseen.of(frozenset(names), labels, seen)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM views.pay",
        'JOIN "views"."pay" AS p',
        "pay",
        "it reads PAY, which changed",
        "pay.total",
        "(pay)",
        "'pay'",
    ],
)
def test_a_name_is_found_wherever_it_is_a_word(text):
    assert unseen(PAY).are_in(text)


@pytest.mark.parametrize("text", ["", "payment", "to_pay", "prepay", "views.pay2", "views"])
def test_a_part_of_a_word_is_no_name(text):
    assert not unseen(PAY).are_in(text)


@pytest.mark.parametrize("name", ["Odd name", 'with "quotes"', "hy-phen", "dot.ted", "naïve café"])
def test_a_name_that_is_no_word_is_found_anywhere_in_a_text(name):
    view = ViewName("views", name)
    assert unseen(view).are_in(f"SELECT 1 FROM {view.quoted}")
    assert unseen(view).are_in(f"because of {view}.")
    assert not unseen(view).are_in("because of another one")


def test_of_two_views_with_one_name_only_the_whole_name_tells_which():
    other = unseen(ViewName("secret", "pay"), seen={"pay"})
    assert not other.are_in("SELECT * FROM views.pay")
    assert other.are_in("SELECT * FROM secret.pay")
    assert other.are_in('SELECT * FROM "secret"."pay"')


def test_the_label_of_a_class_names_its_view():
    pay = unseen(ViewName("views", "crm_pay"), labels=["shop.Pay"])
    assert pay.are_in("shop.Pay (shop/postgres_views.py, line 7): it has no fields.")
    assert not pay.are_in("shop.Other: pay day")


def test_where_nothing_is_hidden_nothing_is_found():
    assert not NOTHING.are_in("views.pay")
