"""Every page in a real browser: accessibility, content security policy, focus, and room on a phone."""

from __future__ import annotations

import pytest

from tests.browser import scene
from tests.browser.accessibility import LOOKS, looks, problems, unseen_focus
from tests.browser.policy import Watched
from tests.browser.skins.frame import SKIN
from tests.sampling import sample

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

#: `nox --session browser` looks at all pages.
NAMES = sample(scene.PAGES, 3, "BROWSER")


@pytest.mark.parametrize("name", NAMES)
def test_a_page_breaks_no_rule_of_wcag_fits_a_phone_and_keeps_to_a_strict_policy(visit, page, name):
    watched = Watched(page)
    page = visit(name)
    # Before axe: what it does to measure a page is not done by the page.
    violations = watched.problems()
    assert [*violations, *problems(page, looks(NAMES.index(name)))] == []


def test_every_look_is_taken_by_some_page():
    assert {look for position in range(len(NAMES)) for look in looks(position)} == set(LOOKS)


# Under a skin, what rows have that takes the focus is the skin's.
@pytest.mark.parametrize("name", ["list", "plan", "preview", *([] if SKIN else ["rows"])])
def test_what_has_the_focus_can_be_seen(visit, name):
    page = visit(name)
    reached, unseen = unseen_focus(page)
    assert reached > 3
    assert unseen == []
