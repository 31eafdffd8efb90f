"""What a plan knows of the views that it drops."""

from __future__ import annotations

import pytest

from orm_views_core.plan.steps import Action
from orm_views_core.sync import plan_views, sync_views
from tests.admin.browse import declare, declare_materialised

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def orphan(registered, committed_views):
    gone = declare_materialised("Gone", "SELECT 1 AS one")
    declare("Stays", "SELECT 1 AS one")
    sync_views(databases=["default"])
    registered.unregister(gone)


def dropped():
    (plan,) = plan_views(databases=["default"])
    (step,) = plan.steps
    assert step.action is Action.DROP
    return step


def test_a_view_to_drop_has_its_definition(orphan):
    assert dropped().installed.definition == " SELECT 1 AS one;"
    (result,) = sync_views(databases=["default"])
    assert result.plan.steps[0].installed.definition == " SELECT 1 AS one;"


def test_a_view_to_drop_is_not_waited_for_while_it_is_refreshed(orphan, other):
    other.execute("REFRESH MATERIALIZED VIEW views.gone")
    assert dropped().installed.definition is None
