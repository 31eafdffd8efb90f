"""Finding registered views by what people call them."""

from __future__ import annotations

import dataclasses

import pytest

from orm_views_core.definitions.lookup import select_views
from orm_views_core.exceptions import UnknownViewError
from tests.core.values import MATERIALISED, define

LOANS = define("loans", kind=MATERIALISED)
CITIES = define("Other.cities")
ELSEWHERE = dataclasses.replace(define("loans", kind=MATERIALISED), database="warehouse")
ALL = [LOANS, CITIES]


def test_only_what_is_not_narrowed_down_is_everything():
    assert select_views(ALL, None) == ALL
    assert select_views(ALL, None, kind=MATERIALISED) == [LOANS]
    assert select_views(ALL, []) == []


@pytest.mark.parametrize("text", ["loans", "views.loans", "lending.Loans"])
def test_a_view_goes_by_its_name_its_full_name_and_its_label(text):
    assert select_views(ALL, [text]) == [LOANS]


def test_named_twice_is_chosen_once_in_the_order_asked():
    assert select_views(ALL, ["Other.cities", "loans", "views.loans"]) == [CITIES, LOANS]


def test_a_name_that_two_databases_have_means_both():
    assert select_views([LOANS, ELSEWHERE], ["loans"]) == [LOANS, ELSEWHERE]


@pytest.mark.parametrize("text", ["loan", "views.loan", "Loans", "other.cities", ""])
def test_an_almost_right_name_is_an_error_with_suggestions(text):
    with pytest.raises(UnknownViewError, match=f"No registered view is called '{text}'") as caught:
        select_views(ALL, [text])
    if text:
        assert "Did you mean" in str(caught.value)
        assert "loans" in str(caught.value) or "cities" in str(caught.value)


def test_a_name_like_no_other_points_to_the_list():
    with pytest.raises(UnknownViewError, match=r"called 'xyzzy'\. show_views lists them\."):
        select_views(ALL, ["xyzzy"])


def test_a_view_of_another_kind_is_an_error_that_names_its_file():
    with pytest.raises(UnknownViewError, match=r"postgres_views\.py, line 7\): .* not a materialised view"):
        select_views(ALL, ["cities"], kind=MATERIALISED)
