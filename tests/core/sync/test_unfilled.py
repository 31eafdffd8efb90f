"""A view that reads a materialised view without rows: foreseen by plans, statuses and refreshes."""

from __future__ import annotations

import json

import pytest
from django.core.management import CommandError, call_command

from orm_views_core.exceptions import PlanBlockedError, RefreshError
from orm_views_core.names import ViewName
from orm_views_core.output.plans import plan_as_dict, plan_lines
from orm_views_core.output.refreshes import planned_refresh_as_dict, refresh_plan_lines
from orm_views_core.refresh import plan_refresh, refresh_views
from orm_views_core.status import State, get_detail, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = pytest.mark.django_db

NO_ROWS = "it reads views.low, which has no rows"


def declare(class_name, sql="SELECT 1 AS id", *, materialised=True, **attributes):
    bases = (PostgresMaterialisedViewMixin,) if materialised else ()
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def declare_chain(**of_up):
    declare("Low", with_data=False)
    declare("Middle", "SELECT id FROM views.low", materialised=False)
    declare("Up", "SELECT id FROM views.middle", **of_up)
    declare("Top", "SELECT id FROM views.up")
    declare("Aside")


def statuses():
    (database,) = get_statuses(["default"])
    return {view.name.name: view for view in database.views}


def steps(plan):
    return {step.name.name: step for step in plan.steps if step.name.name}


def test_a_first_sync_creates_without_rows_what_cannot_be_filled(execute):
    declare_chain()
    (plan,) = plan_views()
    assert not plan.problems
    assert {name: step.no_rows for name, step in steps(plan).items()} == {
        "low": "",
        "middle": "",
        "up": NO_ROWS,
        "top": "it reads views.up, which has no rows",
        "aside": "",
    }
    assert f"      gets no rows: {NO_ROWS}; then: refresh_views views.up --upstream" in list(plan_lines(plan))
    said = {step["view"]: step["no_rows"] for step in plan_as_dict(plan)["steps"]}
    assert (said["views.up"], said["views.aside"]) == (NO_ROWS, None)
    sync_views()
    assert dict(execute("SELECT relname, relispopulated FROM pg_class WHERE relkind = 'm'")) == {
        "low": False,
        "up": False,
        "top": False,
        "aside": True,
    }
    assert plan_views()[0].is_empty
    refresh_views(["top"], upstream=True)
    assert execute("SELECT id FROM views.top") == [(1,)]


def test_a_sync_says_what_it_creates_without_rows(capsys):
    declare_chain()
    call_command("sync_views")
    assert (
        f"views.up gets no rows: {NO_ROWS}. Then: refresh_views views.up --upstream"
        in capsys.readouterr().out
    )


def test_a_later_view_that_reads_one_without_rows_is_created_without(execute):
    declare("Low", with_data=False)
    sync_views()
    declare("Up", "SELECT id FROM views.low")
    (result,) = sync_views()
    assert steps(result.plan)["up"].no_rows == NO_ROWS
    refresh_views(["low"])
    declare("Another", "SELECT id FROM views.low")
    (result,) = sync_views()
    assert steps(result.plan)["another"].no_rows == ""
    assert execute("SELECT id FROM views.another") == [(1,)]


def test_a_view_with_rows_is_not_emptied_by_a_rebuild(registered, execute):
    with registered.isolated():
        declare_chain()
        sync_views()
        refresh_views(["top"], upstream=True)
    execute("REFRESH MATERIALIZED VIEW views.low WITH NO DATA")
    declare("Low", with_data=False)
    declare("Middle", "SELECT id FROM views.low", materialised=False)
    declare("Up", "SELECT id + 1 AS id FROM views.middle")
    declare("Top", "SELECT id FROM views.up")
    declare("Aside")
    with pytest.raises(
        PlanBlockedError, match=rf"views\.up has to be rebuilt .*{NO_ROWS}\. Refresh it first"
    ):
        sync_views()
    assert execute("SELECT id FROM views.up") == [(1,)]
    refresh_views(["low"])
    sync_views()
    assert execute("SELECT id FROM views.top") == [(2,)]


def test_a_status_says_which_view_has_no_rows():
    declare_chain()
    sync_views()
    found = statuses()
    assert (found["middle"].state, found["middle"].reason, found["middle"].advice) == (
        State.UNREADABLE,
        "It cannot be read: views.low has no rows.",
        "Refresh views.low.",
    )
    assert found["up"].reason == "It has no rows yet and cannot be read. views.low, which it reads, has none."
    assert "--upstream" in found["up"].advice
    assert found["aside"].state is State.SYNCED
    for name, status in found.items():  # the page of one view says what the list says
        alone = get_detail("default", ViewName("views", name)).status
        assert (alone.state, alone.reason, alone.advice) == (status.state, status.reason, status.advice)
    refresh_views(["up"], upstream=True)
    found = statuses()
    assert {found[name].state for name in ("low", "middle", "up")} == {State.SYNCED}


def test_a_refresh_that_cannot_succeed_is_foreseen():
    declare_chain()
    sync_views()
    (planned,) = plan_refresh(["up"])
    assert list(refresh_plan_lines([planned])) == [
        f"  1. views.up (cannot be refreshed: {NO_ROWS}; refresh it first, or use --upstream)"
    ]
    assert planned_refresh_as_dict(planned)["no_rows"] == ["views.low"]
    assert [each.no_rows for each in plan_refresh(["up"], upstream=True)] == [(), ()]
    top = {each.definition.name.name: each.no_rows for each in plan_refresh(["up", "top"])}
    assert {name: list(map(str, empty)) for name, empty in top.items()} == {
        "up": ["views.low"],
        "top": ["views.up"],
    }


def test_a_refresh_that_fails_for_want_of_rows_offers_upstream(capsys):
    declare_chain()
    sync_views()
    said = (
        f"views.up in database 'default' could not be refreshed: {NO_ROWS}; refresh it first, or use "
        "--upstream."
    )
    with pytest.raises(RefreshError) as failure:
        refresh_views(["up"])
    assert (str(failure.value), failure.value.summary) == (said, said)
    capsys.readouterr()
    with pytest.raises(CommandError):
        call_command("refresh_views", "up", "--json")
    assert json.loads(capsys.readouterr().out)[0]["error"] == said
