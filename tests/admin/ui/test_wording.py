"""Whatever core can say has words here."""

import pytest

from orm_views_admin.ui.wording import action_badge, state_badge
from orm_views_core.plan.steps import Action
from orm_views_core.status import State


@pytest.mark.parametrize("action", Action)
def test_every_action_has_a_word(action):
    assert action_badge(action)


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_word(state):
    assert state_badge(state)
