"""Whatever core and runs can say has words here."""

import pytest

from orm_views_admin.standings import STATES
from orm_views_admin.ui.wording import action_badge, look_of
from orm_views_core.plan.steps import Action


@pytest.mark.parametrize("action", Action)
def test_every_action_has_a_word(action):
    assert action_badge(action)


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_word_of_its_own(state):
    assert [other for other in STATES if str(look_of(other).word) == str(look_of(state).word)] == [state]
