"""What happens to each kind of view class, on every engine alike."""

from __future__ import annotations

import re

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from orm_views_core.exceptions import InvalidViewError, PlanBlockedError, StalePlanError
from orm_views_core.status import State
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views.identity import name_of
from tests.engines.shop.models import Parcel

from .kinds import Version
from .scenes import DDL, changes, done, said_by_plan, state_of, states

BY_HAND = "SELECT id, weight FROM shop_parcel WHERE id < 3"


def test_the_first_sync_creates_it_with_its_rows(kind, there):
    view = kind.declare()
    assert state_of(kind, view) is State.MISSING
    assert ("create", str(name_of(view))) in done(kind)
    assert there.rows(view) == kind.rows()
    assert set(states(kind).values()) == {State.SYNCED}


def test_the_second_sync_sends_no_ddl(kind, there):
    kind.declare()
    sync_views()
    before = there.views()
    with CaptureQueriesContext(connections[kind.alias]) as queries:
        assert done(kind) == []
    assert [query["sql"] for query in queries if DDL.match(query["sql"])] == []
    assert there.views() == before


def test_a_class_that_is_declared_again_without_a_change_changes_nothing(kind, there):
    kind.declare()
    sync_views()
    before = there.views()
    view = kind.declare()
    assert state_of(kind, view) is State.SYNCED
    assert done(kind) == []
    assert there.views() == before


@pytest.mark.parametrize("version", [Version.WIDER, Version.OTHER], ids=lambda version: version.name.lower())
def test_a_changed_class_changes_its_view_alone(kind, there, version):
    kind.declare()
    sync_views()
    view = kind.declare(version)
    assert state_of(kind, view) is State.CHANGED
    ((action, target),) = done(kind)
    assert action in {"replace", "rebuild"}
    assert target == str(name_of(view))
    assert there.rows(view) == kind.rows(version)
    assert set(states(kind).values()) == {State.SYNCED}
    assert done(kind) == []


def test_what_was_changed_by_hand_is_put_back(kind, there):
    view = kind.declare()
    sync_views()
    there.change(view, BY_HAND)
    assert there.rows(view) == [(1, 5), (2, 7)]
    assert state_of(kind, view) in {State.DRIFTED, State.CHANGED}
    ((_, target),) = done(kind)
    assert target == str(name_of(view))
    assert there.rows(view) == kind.rows()
    assert state_of(kind, view) is State.SYNCED
    assert done(kind) == []


def test_what_was_dropped_by_hand_is_created_again(kind, there):
    view = kind.declare()
    sync_views()
    there.drop(view)
    assert state_of(kind, view) is State.MISSING
    assert done(kind) == [("create", str(name_of(view)))]
    assert there.rows(view) == kind.rows()


def test_a_view_whose_base_column_is_gone_is_found_and_the_changed_class_repairs_it(
    kind, there, whole_parcels
):
    view = kind.declare()
    sync_views()
    there.remake(Parcel, "weight")
    assert state_of(kind, view) in {State.UNREADABLE, State.INVALID}
    assert re.search(rf"{re.escape(str(name_of(view)))}|Tested", said_by_plan(kind))
    view = kind.declare(Version.OTHER)
    assert str(name_of(view)) in {target for _, target in done(kind)}
    assert set(states(kind).values()) == {State.SYNCED}
    assert there.rows(view) == []
    assert done(kind) == []


def test_a_view_that_no_class_declares_any_more_is_dropped(kind, there, undeclare):
    view = kind.declare()
    beside = kind.declare(class_name="Beside", name="beside")
    sync_views()
    undeclare(view)
    assert state_of(kind, view) is State.ORPHANED
    assert done(kind) == [("drop", str(name_of(view)))]
    assert not there.has(view)
    assert there.has(beside)


def test_a_renamed_view_is_created_and_the_old_one_dropped(kind, there):
    old = name_of(kind.declare())
    sync_views()
    view = kind.declare(name="renamed")
    assert {("create", str(name_of(view))), ("drop", str(old))} <= {*done(kind)}
    assert there.rows(view) == kind.rows()
    assert not there.has(old)
    assert done(kind) == []


def test_wrong_sql_is_refused_with_the_name_of_the_class_and_nothing_is_changed(kind, there):
    kind.declare()
    sync_views()
    before = there.views()
    view = kind.declare(Version.WRONG)
    kind.declare(class_name="New", name="new")
    with pytest.raises(InvalidViewError, match="Tested") as refused:
        sync_views()
    assert "nowhere" in str(refused.value)
    assert there.views() == before
    assert state_of(kind, view) is State.INVALID


def test_a_forced_sync_replaces_what_does_not_differ(kind, there):
    view = kind.declare()
    sync_views()
    steps = done(kind, force=True, views=[str(name_of(view))])
    assert [target for _, target in steps] == [str(name_of(view))]
    assert there.rows(view) == kind.rows()
    assert done(kind) == []


def test_a_plan_is_what_a_sync_does(kind, undeclare):
    view = kind.declare()
    for version in (Version.FIRST, Version.OTHER):
        kind.declare(version)
        planned = changes(plan for plan in plan_views() if plan.database == kind.alias)
        assert planned == done(kind)
        assert planned
    assert not any(plan.steps for plan in plan_views())
    assert state_of(kind, view) is State.SYNCED


def test_a_plan_that_is_no_longer_true_is_refused(kind, there):
    kind.declare()
    (plan,) = plan_views([kind.alias])
    kind.declare(Version.OTHER)
    with pytest.raises(StalePlanError):
        sync_views(databases=[kind.alias], expected_fingerprint=plan.fingerprint)
    assert there.views() == {}
    (plan,) = plan_views([kind.alias])
    (result,) = sync_views(databases=[kind.alias], expected_fingerprint=plan.fingerprint)
    assert result.plan.fingerprint == plan.fingerprint


def test_a_table_that_has_the_name_is_left_alone(kind, there):
    view = kind.declare()
    there.make_table(view)
    with pytest.raises(PlanBlockedError, match=" table"):
        sync_views()
    assert there.rows(view) == []
    assert there.views() == {}
