"""The checks find what they look for: defects are planted into a page that has none."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, Route

from tests.browser.accessibility import LOOKS, problems, unseen_focus
from tests.browser.policy import Watched

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

LIGHT, PHONE, DARK, DARK_PHONE = LOOKS


class Defect(NamedTuple):
    """A defect, and what the checks say of it.

    Attributes:
        found: how the problem begins.
        names: the id of the element that the problem names, or of what it is in; "" if it names none.
        markup: what is put into the content of the page.
        styles: what is added to the style sheet of this package.
    """

    found: str
    names: str
    markup: str
    styles: str = ""


#: What is found in every look.
DEFECTS = [
    Defect(
        "color-contrast", "grey", "<p id='grey'>Hard to read</p>", "#grey {color: #999; background: #bbb}"
    ),
    Defect("label", "no-label", "<input id='no-label' type='text' name='planted'>"),
    Defect("image-alt", "no-text", "<img id='no-text' src='/static/admin/img/icon-yes.svg'>"),
    Defect("link-name", "no-name", "<a id='no-name' href='/admin/'></a>"),
    Defect(
        "target-size",
        "small",
        "<p id='small'><button>1</button><button>2</button></p>",
        "#small button {all: unset; font-size: 8px; cursor: pointer}",
    ),
    Defect(
        "scrollable-region-focusable",
        "scrolled",
        f"<div id='scrolled'>{'<p>line</p>' * 20}</div>",
        "#scrolled {height: 40px; overflow: auto}",
    ),
    Defect("heading-order", "deep", "<h6 id='deep'>Planted</h6>"),
    Defect("2 headings of the first level", "", "<h1>Planted</h1>"),
]
IN_THE_DARK = Defect(
    "color-contrast",
    "night",
    "<p id='night'>Hard to read in the dark</p>",
    "@media (prefers-color-scheme: dark) {#night {color: #333; background: #222}}",
)
ON_A_PHONE = Defect("the page is", "", "<p id='wide'>Wide</p>", "#wide {width: 400px}")

#: What breaks the policy, by what the browser says of it.
VIOLATIONS = {
    "script-src-elem inline": "<script>window.planted = true</script>",
    "script-src-elem https://example.invalid/": "<script src='https://example.invalid/x.js'></script>",
    "script-src-attr inline": "<p onclick='location.reload()'>Planted</p>",
    "style-src-attr inline": "<p style='margin: 0'>Planted</p>",
    "style-src-elem inline": "<style>p {margin: 0}</style>",
    "img-src data": "<img alt='' src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>",
    "frame-src https://example.invalid": "<iframe title='Planted' src='https://example.invalid/'></iframe>",
}


@pytest.fixture
def plant(visit: Callable[[str], Page], page: Page) -> Callable[..., Watched]:
    """A function that opens a page with something more in its content, its style sheet and its script."""

    def plant(markup: str = "", styles: str = "", script: str = "") -> Watched:
        for pattern, more in (("**/orm_views.css", styles), ("**/orm_views.js", script)):
            page.route(pattern, partial(_append, more))
        end = '<section class="module" aria-labelledby="sql-heading">'
        watched = Watched(page, lambda html: html.replace(end, markup + end))
        visit("detail, synced")
        return watched

    return plant


def _append(more: str, route: Route) -> None:
    response = route.fetch()
    route.fulfill(response=response, body=response.text() + more)


def test_without_a_defect_nothing_is_found(plant, page):
    watched = plant()
    assert [*problems(page), *watched.problems()] == []


def test_every_planted_defect_is_found(plant, page):
    planted = [*DEFECTS, IN_THE_DARK, ON_A_PHONE]
    plant("".join(each.markup for each in planted), "".join(each.styles for each in planted))

    def found(look):
        said = [problem.removeprefix(f"{look}: ") for problem in problems(page, [look])]
        return [
            each
            for each in planted
            if any(line.startswith(each.found) and each.names in line for line in said)
        ]

    assert found(LIGHT) == DEFECTS
    assert found(PHONE) == [*DEFECTS, ON_A_PHONE]
    assert found(DARK) == [*DEFECTS, IN_THE_DARK]
    assert found(DARK_PHONE) == planted


def test_every_planted_violation_of_the_policy_is_found(plant, page):
    watched = plant("".join(VIOLATIONS.values()))
    page.wait_for_load_state()
    said = watched.problems()
    assert [each for each in VIOLATIONS if not any(line.startswith(each) for line in said)] == [], said


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("; setTimeout('window.planted = true');", "script-src eval"),
        ("; throw new Error('planted');", "planted"),
    ],
    ids=["a script that computes code", "a script that fails"],
)
def test_a_planted_script_is_found(plant, script, expected):
    watched = plant(script=script)
    assert [line for line in watched.problems() if line.startswith(expected)]


def test_a_focus_that_cannot_be_seen_is_found(plant, page):
    plant(styles="#content-main :focus {outline: none !important}")
    reached, unseen = unseen_focus(page)
    assert reached == len(unseen) > 3


def test_the_login_page_is_taken_for_no_other_page(visit, page):
    page.context.clear_cookies()
    with pytest.raises(AssertionError, match="/admin/login/"):
        visit("list")


def test_a_page_of_an_error_is_taken_for_no_other_page(visit, page):
    page.route("**/orm-views/", lambda route: route.fulfill(status=500, body="<h1>Server error</h1>"))
    with pytest.raises(AssertionError, match="500"):
        visit("list")
