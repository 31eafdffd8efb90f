"""Several views at once: their order, the ones that are asked for, and what stands in their way."""

from __future__ import annotations

from functools import partial

import pytest

from orm_views_core import signals
from orm_views_core.exceptions import (
    CyclicDependencyError,
    DropAllRefusedError,
    InvalidViewError,
    InvalidViewsError,
    OrmViewsError,
    UnknownViewError,
)
from orm_views_core.names import ViewName
from orm_views_core.plan.steps import Action
from orm_views_core.status import State, get_detail, get_status, get_statuses
from orm_views_core.sync import Progress, plan_views, sync_views
from orm_views_core.views import HiddenViewMixin, MaterialisedViewMixin, ViewFromSQL
from tests.engines.shop.models import Parcel

from .databases import Database
from .kinds import KINDS, Version
from .scenes import changes, done

pytestmark = pytest.mark.usefixtures("parcels")

SOURCE = "SELECT id, weight, shelf FROM shop_parcel"


def declare(class_name, sql, *bases, **attributes):
    body = {"sql": sql, "name": class_name.lower(), "__module__": __name__, **attributes}
    return type(class_name, (*bases, ViewFromSQL), body)


def states(alias="default"):
    (database,) = get_statuses([alias])
    return {view.name.name: view.state for view in database.views}


def chain(bottom=SOURCE, *middle):
    declare("Top", "SELECT shelf, weight FROM views.middle WHERE weight > 5")
    declare("Middle", "SELECT id, shelf, weight FROM views.bottom", *middle)
    declare("Bottom", bottom)


def test_views_are_created_after_those_that_they_read(database):
    chain()
    assert [target for _, target in done()] == ["views.bottom", "views.middle", "views.top"]
    assert len(database.rows(ViewName("views", "top"))) == 2


@pytest.mark.parametrize("depth", [5, 20])
def test_a_long_chain_is_created_in_one_sync_and_then_empty(database, depth):
    declare("V0", SOURCE)
    for i in range(1, depth):
        declare(f"V{i}", f"SELECT id, weight FROM views.v{i - 1}")
    assert [target for _, target in done()] == [f"views.v{i}" for i in range(depth)]
    assert done() == []
    assert len(database.rows(ViewName("views", f"v{depth - 1}"))) == 3


@pytest.mark.parametrize(
    "middle", [(), (HiddenViewMixin,), (MaterialisedViewMixin,)], ids=["plain", "hidden", "stored"]
)
def test_readers_of_a_changed_view_show_what_it_shows(database, middle):
    chain(SOURCE, *middle)
    sync_views()
    chain("SELECT id, weight * 10 AS weight, shelf FROM shop_parcel", *middle)
    assert "views.bottom" in {target for _, target in done()}
    assert {weight for _, weight in database.rows(ViewName("views", "top"))} == {50, 70, 90}
    assert done() == []


def test_a_reader_that_does_not_fit_its_changed_source_is_refused_and_nothing_is_changed(database):
    chain()
    sync_views()
    before = database.views()
    declare("Bottom", "SELECT id, shelf FROM shop_parcel")
    with pytest.raises(OrmViewsError, match="Middle"):
        sync_views()
    assert database.views() == before
    assert len(database.rows(ViewName("views", "top"))) == 2


def test_all_wrong_views_are_named_at_once(database):
    declare("One", "SELECT nowhere FROM shop_parcel")
    declare("Two", "SELEC 1")
    declare("Three", SOURCE)
    with pytest.raises(InvalidViewsError) as refused:
        plan_views()
    assert "One" in str(refused.value)
    assert "Two" in str(refused.value)
    assert "Three" not in str(refused.value)
    assert database.views() == {}


def test_a_view_of_a_wrong_view_is_not_created_either(database):
    declare("Wrong", "SELECT nowhere FROM shop_parcel")
    declare("Reader", "SELECT * FROM views.wrong")
    with pytest.raises(InvalidViewError, match="Wrong"):
        sync_views()
    assert database.views() == {}


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_cycle_is_refused_with_every_view_in_it(database, length):
    declare("Apart", SOURCE)
    for i in range(length):
        declare(f"C{i}", f"SELECT * FROM views.c{(i + 1) % length}")
    with pytest.raises(CyclicDependencyError) as refused:
        sync_views()
    assert all(f"views.c{i}" in str(refused.value) for i in range(length))
    assert database.views() == {}
    assert states()["c0"] is State.INVALID


def test_two_classes_of_one_name_are_refused_with_both(database):
    declare("One", SOURCE, name="same")
    declare("Two", SOURCE, name="same")
    with pytest.raises(OrmViewsError) as refused:
        sync_views()
    assert "One" in str(refused.value)
    assert "Two" in str(refused.value)
    assert database.views() == {}


def test_two_names_that_differ_in_the_schema_are_two_views(database):
    declare("One", "SELECT id FROM shop_parcel", name="same", schema="first")
    declare("Two", "SELECT weight FROM shop_parcel", name="same", schema="second")
    sync_views()
    assert database.rows(ViewName("first", "same")) == [(1,), (2,), (3,)]
    assert database.rows(ViewName("second", "same")) == [(5,), (7,), (9,)]
    assert done() == []


def test_two_databases_have_their_views_each(database):
    declare("Here", SOURCE, name="same")
    declare("There", "SELECT id FROM shop_parcel", name="same", database="warehouse")
    sync_views()
    assert len(database.rows(ViewName("views", "same"))[0]) == 3
    assert len(Database("warehouse").rows(ViewName("views", "same"))[0]) == 1
    assert states("default") == states("warehouse") == {"same": State.SYNCED}


def test_one_database_is_synced_alone(database):
    declare("Here", SOURCE)
    declare("There", SOURCE, database="warehouse")
    sync_views(databases=["warehouse"])
    assert database.views() == {}
    assert states("warehouse") == {"there": State.SYNCED}


def test_what_is_wrong_in_the_first_database_leaves_the_second_alone(database):
    declare("Here", "SELECT nowhere FROM shop_parcel")
    declare("There", SOURCE, database="warehouse")
    with pytest.raises(InvalidViewError):
        sync_views()
    assert database.views() == {}


def test_what_a_view_reads_comes_with_it_if_only_the_view_is_asked_for(database):
    chain()
    declare("Apart", SOURCE)
    assert [target for _, target in done(views=["middle"])] == ["views.bottom", "views.middle"]
    assert states()["apart"] is State.MISSING


def test_a_view_that_nobody_has_cannot_be_asked_for(database):
    declare("One", SOURCE)
    with pytest.raises(UnknownViewError, match="nobody"):
        sync_views(views=["nobody"])
    assert database.views() == {}


def test_the_last_views_are_dropped_only_if_that_is_asked_for(database, undeclare):
    view = declare("One", SOURCE)
    sync_views()
    undeclare(view)
    with pytest.raises(DropAllRefusedError):
        sync_views()
    assert database.has(view)
    assert done(allow_drop_all=True) == [("drop", "views.one")]
    assert not database.has(view)


def test_orphans_are_dropped_before_what_they_read(database, undeclare):
    keep, bottom = declare("Keep", SOURCE), declare("Bottom", SOURCE)
    top = declare("Top", "SELECT id FROM views.bottom")
    sync_views()
    undeclare(bottom)
    undeclare(top)
    assert done() == [("drop", "views.top"), ("drop", "views.bottom")]
    assert database.has(keep)


def test_a_view_of_somebody_else_stays(database):
    mine = declare("One", SOURCE)
    sync_views()
    database.run("CREATE VIEW of_others AS SELECT 1 AS one")
    assert done() == []
    assert done(force=True) != []
    assert database.run("SELECT * FROM of_others") == [(1,)]
    assert database.has(mine)
    database.run("DROP VIEW of_others")


def test_a_view_that_somebody_created_as_the_class_says_is_taken_over(database):
    view = declare("One", "SELECT 1 AS one")
    database.create(view, "SELECT 1 AS one")
    assert states()["one"] is State.CHANGED
    ((action, target),) = done()
    assert action in {"adopt", "replace"}
    assert target == "views.one"
    assert states()["one"] is State.SYNCED


def test_a_drop_by_hand_beneath_a_reader_is_repaired(database):
    chain()
    sync_views()
    cascade = " CASCADE" if database.spelling.abilities.schemas else ""
    database.run(f"DROP VIEW {database.place(ViewName('views', 'bottom'))}{cascade}")
    assert states()["bottom"] is State.MISSING
    sync_views()
    assert len(database.rows(ViewName("views", "top"))) == 2
    assert set(states().values()) == {State.SYNCED}


def test_a_detail_knows_columns_and_what_reads_what(database):
    chain()
    sync_views()
    detail = get_detail("default", ViewName("views", "middle"))
    assert [column.name for column in detail.columns] == ["id", "shelf", "weight"]
    assert [name.name for name in detail.reads] == ["bottom"]
    assert [name.name for name in detail.read_by] == ["top"]


def test_a_detail_of_a_missing_view_has_the_columns_that_it_would_have(database):
    declare("One", SOURCE)
    detail = get_detail("default", ViewName("views", "one"))
    assert [column.name for column in detail.columns] == ["id", "weight", "shelf"]
    assert database.views() == {}


def test_the_status_of_one_view_is_that_of_all(database):
    chain()
    sync_views(views=["bottom"])
    for name, state in states().items():
        assert get_status("default", ViewName("views", name)).state is state
    with pytest.raises(UnknownViewError):
        get_status("default", ViewName("views", "nobody"))


def test_signals_tell_of_a_sync_and_of_one_that_fails(database):
    told = []
    listeners = [
        (signal, lambda signal, **about: told.append(about))
        for signal in (signals.views_sync_started, signals.views_synced, signals.views_sync_failed)
    ]
    for signal, listener in listeners:
        signal.connect(listener)
    declare("One", SOURCE)
    sync_views()
    started, synced = told
    assert started["request"] == synced["request"]
    assert changes([synced["result"].plan]) == [("create", "views.one")]
    declare("One", "SELECT nowhere FROM shop_parcel")
    with pytest.raises(InvalidViewError) as refused:
        sync_views()
    assert told[-1]["error"] is refused.value
    assert told[-1]["committed"] is None


def test_progress_is_told_of_every_step_in_order(database):
    chain()
    begun, ended, planned = [], [], []
    progress = Progress(on_step=begun.append, on_done=ended.append)
    (result,) = sync_views(on_plan=planned.append, progress=progress)
    assert planned == [result.plan]
    assert begun == [each.step for each in result.steps] == list(result.plan.steps)
    assert ended == list(result.steps)


def test_a_sync_that_stops_half_way_leaves_what_its_plan_says(database):
    chain()
    (plan,) = plan_views(["default"])

    class StoppedError(Exception):
        pass

    def stop(result):
        if result.step.action is not Action.SCHEMA:
            raise StoppedError

    with pytest.raises(StoppedError):
        sync_views(progress=Progress(on_done=stop))
    is_there = {ViewName("views", "bottom")} if plan.warnings else set()
    assert {view for view in map(partial(ViewName, "views"), states()) if database.has(view)} == is_there
    assert len(done()) == 3 - len(is_there)
    assert len(database.rows(ViewName("views", "top"))) == 2
    assert done() == []


def test_a_schema_that_no_class_places_views_in_any_more_keeps_its_views(database, settings):
    declare("One", SOURCE)
    sync_views()
    settings.ORM_VIEWS = {"SCHEMA": "moved"}
    (plan,) = plan_views(["default"])
    assert [str(step.name) for step in plan.steps if step.name.name] == ["moved.one"]
    assert any(str(warning).startswith("views.one: made by a sync, in a schema") for warning in plan.warnings)
    sync_views()
    assert database.has(ViewName("views", "one"))
    assert database.has(ViewName("moved", "one"))


def test_a_plan_says_if_its_engine_commits_each_view_by_itself(database):
    declare("One", SOURCE)
    (plan,) = plan_views(["default"])
    assert bool(plan.warnings) is not database.spelling.abilities.atomic
    assert all("commits each view by itself" in str(warning) for warning in plan.warnings)


def test_a_plan_of_nothing_warns_of_nothing(database):
    declare("One", SOURCE)
    sync_views()
    (plan,) = plan_views(["default"])
    assert plan.is_empty
    assert not plan.warnings


def test_every_kind_at_once_is_one_sync_and_then_none(database):
    for i, kind in enumerate(KINDS):
        kind.declare(class_name=f"Kind{i}", name=f"kind{i}")
    found = [each for alias in ("default", "warehouse") for each in done(databases=[alias])]
    assert len([target for _, target in found if "kind" in target]) == len(KINDS)
    assert done() == []
    for i, kind in enumerate(KINDS):
        kind.declare(Version.OTHER, class_name=f"Kind{i}", name=f"kind{i}")
    assert len(done()) == len(KINDS)
    assert done() == []


def test_a_column_of_a_table_that_is_not_read_may_go(database, whole_parcels):
    view = declare("One", "SELECT id, weight FROM shop_parcel")
    sync_views()
    if database.vendor != "postgresql":  # which drops what reads the table, whatever it reads of it
        database.remake(Parcel, "height")
        assert states() == {"one": State.SYNCED}
    assert done() == []
    assert database.has(view)
