"""Every page in a real browser: accessibility, content security policy, focus, and room on a phone."""

from __future__ import annotations

import pytest

from tests.admin.languages import pseudo
from tests.browser import scene
from tests.browser.accessibility import LOOKS, looks, problems, unseen_focus
from tests.browser.policy import Watched
from tests.browser.skins.frame import SKIN
from tests.sampling import sample

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

#: The pages that are looked at from right to left.
FROM_RIGHT = [
    "detail, materialised",
    "plan",
    "list",
    "preview",
    "graph",
    "history",
    "compare",
    "run, of a sync",
]
_LEFT_OF_THEIR_FRAME = """[...document.querySelectorAll('.ov-code > pre, .ov-graph-frame > svg')]
    .filter(one => one.getBoundingClientRect().left < one.parentElement.getBoundingClientRect().left)
    .length"""
_DIRECTIONS = """[...document.querySelectorAll('code, .ov-code, .ov-graph-frame, .ov-chart-picture')]
    .map(one => getComputedStyle(one).direction)"""

#: `nox --session browser` looks at all pages.
NAMES = sample(scene.PAGES, 3, "BROWSER")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_breaks_no_rule_of_wcag_fits_a_phone_and_keeps_to_a_strict_policy(visit, page, name):
    watched = Watched(page)
    page = visit(name)
    # Before axe: what it does to measure a page is not done by the page.
    violations = watched.problems()
    assert [*violations, *problems(page, looks(NAMES.index(name)))] == []


@pytest.fixture
def right_to_left(settings, tmp_path, page, live_server):
    """The pages in a pseudo-language that is written from right to left."""
    pseudo.write_catalog(tmp_path)
    settings.LANGUAGES = [("en-gb", "English"), (pseudo.CODE, "Brackets")]
    settings.LOCALE_PATHS = [str(tmp_path)]
    cookie = {"name": settings.LANGUAGE_COOKIE_NAME, "value": pseudo.CODE, "url": live_server.url}
    page.context.add_cookies([cookie])


@pytest.mark.skipif(bool(SKIN), reason="Which direction a skin's own parts have is the skin's matter.")
@pytest.mark.parametrize("name", sample(FROM_RIGHT, 4, "BROWSER"))
def test_a_page_from_right_to_left_breaks_no_rule_and_sql_begins_at_the_left(visit, right_to_left, name):
    page = visit(name)
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert problems(page, looks(FROM_RIGHT.index(name))) == []
    # What is wider than its frame is scrolled to its beginning.
    assert page.evaluate(_LEFT_OF_THEIR_FRAME) == 0
    assert set(page.evaluate(_DIRECTIONS)) <= {"ltr"}


def test_every_look_is_taken_by_some_page():
    assert {look for position in range(len(NAMES)) for look in looks(position)} == set(LOOKS)


# Under a skin, what rows have that takes the focus is the skin's.
@pytest.mark.parametrize("name", ["list", "plan", "preview", *([] if SKIN else ["rows"])])
def test_what_has_the_focus_can_be_seen(visit, name):
    page = visit(name)
    reached, unseen = unseen_focus(page)
    assert reached > 3
    assert unseen == []
