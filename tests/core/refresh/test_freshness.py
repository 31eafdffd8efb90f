"""How old the rows are compared with what the class promises: the rule, and where it is shown."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from orm_views_core.database.sync_state import join_comment, split_comment
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.exceptions import InvalidViewError
from orm_views_core.names import ViewName
from orm_views_core.refresh import plan_refresh, refresh_views
from orm_views_core.refresh.freshness import freshness_of, how_stale, in_words
from orm_views_core.status import State, get_detail, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from tests.core.statistics import flush_statistics
from tests.core.values import MATERIALISED, define, install, state_of

HOUR = dt.timedelta(hours=1)
NOW = dt.datetime(2026, 6, 30, 12, 0, tzinfo=dt.timezone.utc)


def declare(class_name, sql="SELECT 1 AS id", materialised=True, **attributes):
    bases = (PostgresMaterialisedViewMixin,) if materialised else ()
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def fresh(every=HOUR, age=None, changes=None, **installed):
    definition = define("a", kind=MATERIALISED, refresh_every=every)
    times = {} if age is None else {"refreshed": NOW - age, "changes": 100}
    state = installed.pop("state", state_of(definition, **times))
    return freshness_of(definition, install(definition, state=state, **installed), NOW, changes)


def put_back(execute, name, time):
    """Change the sync state so that the rows of a view look older."""
    ((comment,),) = execute(f"SELECT obj_description('views.{name}'::regclass)")
    text, state = split_comment(comment)
    old = replace(state, refreshed=state.refreshed - time, synced=state.synced - time)
    comment = join_comment(text, old).replace("'", "''")
    execute(f"COMMENT ON MATERIALIZED VIEW views.{name} IS '{comment}'")


def status_of(name):
    return next(view for view in get_statuses(["default"])[0].views if view.name.name == name)


@pytest.mark.parametrize(
    ("age", "stale", "overdue"),
    [
        (dt.timedelta(minutes=59, seconds=59), False, None),
        (HOUR, True, dt.timedelta(0)),
        (3 * HOUR, True, 2 * HOUR),
        (-HOUR, False, None),
    ],
)
def test_rows_are_stale_from_the_promised_age_on(age, stale, overdue):
    found = fresh(age=age)
    assert (found.is_stale, found.overdue) == (stale, overdue)
    assert found.age == max(age, dt.timedelta(0))


def test_without_a_promise_nothing_is_ever_stale():
    found = fresh(every=None, age=1000 * HOUR)
    assert (found.is_stale, found.overdue, found.age) == (False, None, 1000 * HOUR)
    assert not fresh(every=None, populated=False).is_stale


def test_a_promise_without_rows_is_stale_and_has_no_age():
    found = fresh(populated=False, age=HOUR)
    assert (found.is_stale, found.age, found.overdue) == (True, None, None)


def test_a_view_that_was_never_refreshed_is_as_old_as_its_sync():
    definition = define("a", kind=MATERIALISED, refresh_every=HOUR)
    view = install(definition, state=state_of(definition, synced=NOW - 2 * HOUR))
    assert freshness_of(definition, view, NOW).overdue == HOUR


def test_a_view_without_a_sync_state_has_no_age_and_a_plain_view_no_freshness():
    assert (fresh(state=None).age, fresh(state=None).is_stale) == (None, False)
    plain = define("a")
    assert freshness_of(plain, install(plain), NOW) is None


@pytest.mark.parametrize(
    ("changes", "hint", "sentence"),
    [
        (None, None, "Its rows are 1 hour older than promised."),
        (100, 0, "nothing that it reads has changed since"),
        (101, 1, "about 1 row of what it reads have changed"),
        (250, 150, "about 150 rows of what it reads"),
        (99, None, "Its rows are 1 hour older than promised."),
    ],
    ids=["unknown", "none", "one", "some", "statistics were reset"],
)
def test_changed_rows_are_a_hint_in_words(changes, hint, sentence):
    found = fresh(age=2 * HOUR, changes=changes)
    assert found.changed_rows == hint
    assert sentence in how_stale(found)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "less than a second"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (61, "1 minute 1 second"),
        (3600, "1 hour"),
        (7500, "2 hours 5 minutes"),
        (3605, "1 hour"),
        (90_000, "1 day 1 hour"),
    ],
)
def test_a_length_of_time_is_shown_in_its_two_largest_units(seconds, words):
    assert in_words(dt.timedelta(seconds=seconds)) == words


@pytest.mark.django_db
@pytest.mark.parametrize("value", [dt.timedelta(0), -HOUR, 3600, True, "1h"])
def test_a_promise_is_a_timedelta_of_more_than_zero(value):
    declare("A", refresh_every=value)
    (error,) = compile_definitions(connections["default"]).errors.values()
    assert isinstance(error, InvalidViewError)
    assert re.search(r"tests\.A \(.*its refresh_every is .*\. Give a datetime\.timedelta", str(error))


@pytest.mark.django_db
def test_a_plain_view_promises_nothing():
    declare("A", materialised=False, refresh_every=HOUR)
    (error,) = compile_definitions(connections["default"]).errors.values()
    assert "it sets refresh_every, and only materialised views are refreshed" in str(error)


@pytest.mark.django_db
def test_the_setting_is_the_promise_of_classes_that_declare_none(settings):
    settings.ORM_VIEWS = {"REFRESH_EVERY": HOUR}
    declare("Silent")
    declare("Own", refresh_every=2 * HOUR)
    declare("Never", refresh_every=None)
    declare("Plain", materialised=False)
    views = compile_definitions(connections["default"]).views
    promised = {name.name: definition.refresh_every for name, definition in views.items()}
    assert promised == {"silent": HOUR, "own": 2 * HOUR, "never": None, "plain": None}


@pytest.mark.django_db
def test_another_promise_rebuilds_nothing():
    declare("A", refresh_every=HOUR)
    sync_views()
    declare("A", refresh_every=2 * HOUR)
    assert all(plan.is_empty for plan in plan_views())


@pytest.fixture
def four(execute):
    """Two stale views, one within its promise, and one without a promise that reads a stale one."""
    execute("CREATE TABLE numbers (id int)")
    declare("Stale", "SELECT id FROM numbers", refresh_every=HOUR)
    declare("Older", "SELECT id FROM numbers", refresh_every=HOUR)
    declare("Kept", "SELECT id FROM numbers", refresh_every=3 * HOUR)
    declare("Reader", "SELECT id FROM views.stale")
    sync_views()
    refresh_views()
    for name in ("stale", "kept", "reader"):
        put_back(execute, name, 2 * HOUR)
    put_back(execute, "older", 5 * HOUR)


@pytest.mark.django_db
def test_a_view_past_its_promise_is_stale_and_says_by_how_much(four, capsys):
    states = {view.name.name: view.state for view in get_statuses(["default"])[0].views}
    assert states == {
        "stale": State.STALE,
        "older": State.STALE,
        "kept": State.SYNCED,
        "reader": State.SYNCED,
    }
    assert State.STALE.needs_attention
    assert get_detail("default", ViewName("views", "older")).status.state is State.STALE
    call_command("show_views", no_color=True)
    shown = capsys.readouterr().out
    assert re.search(
        r"\[ \] stale +views\.older .* Its rows are 4 hours older than promised.*Refresh it\.", shown
    )
    (database,) = json.loads(_show(capsys, "--json"))
    found = {view["view"]: view["freshness"] for view in database["views"]}
    assert found["views.kept"]["stale"] is False
    assert found["views.reader"]["refresh_every_seconds"] is None
    assert 3600 <= found["views.stale"]["overdue_seconds"] < 3700
    assert found["views.stale"]["changed_rows_hint"] == 0


def _show(capsys, *arguments):
    call_command("show_views", *arguments, no_color=True)
    return capsys.readouterr().out


@pytest.mark.django_db
def test_due_refreshes_stale_views_and_no_others(four, execute, take_picture):
    before = take_picture()
    done = refresh_views(due=True)
    assert {result.name.name for result in done} == {"stale", "older"}
    changed = {name for name, facts in take_picture().items() if facts != before[name]}
    assert changed == {"views.stale", "views.older"}
    assert {view.state for view in get_statuses(["default"])[0].views} == {State.SYNCED}
    assert refresh_views(due=True) == []


@pytest.mark.django_db
def test_due_selects_among_the_named_views_and_downstream_adds_their_readers(four):
    assert [p.definition.name.name for p in plan_refresh(["kept", "stale"], due=True)] == ["stale"]
    planned = plan_refresh(["stale"], due=True, downstream=True)
    assert [p.definition.name.name for p in planned] == ["stale", "reader"]
    assert planned[1].waits_for == {ViewName("views", "stale")}
    assert plan_refresh(["kept"], due=True, downstream=True, upstream=True) == []


@pytest.mark.django_db
def test_the_command_says_what_is_due_and_when_nothing_is(four, capsys):
    call_command("refresh_views", "stale", "--due", "--downstream", "--plan", "--json")
    first, second = json.loads(capsys.readouterr().out)
    assert (first["view"], first["class"]) == ("views.stale", "tests.Stale")
    assert (first["installed"], first["concurrently"], first["waits_for"]) == (True, False, [])
    assert first["why_not"].startswith("it has no unique index")
    assert second["waits_for"] == ["views.stale"]
    assert isinstance(second["last_seconds"], float)
    call_command("refresh_views", "--due", verbosity=0)
    for more in ([], ["--plan"]):
        call_command("refresh_views", "--due", *more)
        assert capsys.readouterr().out == "No view is due.\n"
    for more in ([], ["--plan"]):
        call_command("refresh_views", "--due", "--json", *more)
        assert json.loads(capsys.readouterr().out) == []


@pytest.mark.django_db
def test_a_view_without_rows_is_due_if_it_promises_any(execute):
    declare("Promised", with_data=False, refresh_every=HOUR)
    declare("Free", with_data=False)
    sync_views()
    assert status_of("promised").state is State.NOT_POPULATED
    with pytest.raises(
        CommandError, match=r"Stale: views\.promised \(no rows yet\)\. Run refresh_views --due"
    ):
        call_command("show_views", "--check-freshness")
    assert [result.name.name for result in refresh_views(due=True)] == ["promised"]
    call_command("show_views", "--check-freshness")


@pytest.mark.django_db
def test_check_freshness_exits_with_1_and_names_what_is_stale(four, capsys):
    with pytest.raises(CommandError) as failure:
        call_command("show_views", "--check-freshness")
    assert failure.value.returncode == 1
    assert str(failure.value).startswith(
        "Stale: views.older (4 hours older than promised), views.stale (1 hour"
    )
    call_command("show_views", "kept", "reader", "--check-freshness")
    call_command("refresh_views", "--due")
    call_command("show_views", "--check-freshness")


@pytest.mark.django_db
def test_another_problem_is_said_behind_the_age(four, execute):
    declare("Older", "SELECT id + 1 AS id FROM numbers", refresh_every=HOUR)
    view = status_of("older")
    assert ([each.state for each in view.conditions], view.is_stale) == ([State.STALE, State.CHANGED], True)
    assert re.match(r"Its rows are 4 hours older than", view.reason)
    assert view.conditions[1].reason == "Its class has changed since the last sync."


@pytest.mark.django_db
def test_a_project_without_time_zones_has_the_same_ages(four, settings):
    settings.USE_TZ = False
    assert status_of("older").freshness.overdue >= 4 * HOUR
    done = refresh_views(due=True)
    assert all(result.asked <= result.started <= result.finished for result in done)
    assert status_of("older").state is State.SYNCED


@pytest.mark.django_db
def test_a_view_that_is_not_there_is_not_due_yet():
    declare("A", refresh_every=HOUR)
    assert refresh_views(due=True) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("committed_views")
def test_the_hint_counts_rows_changed_through_plain_views_and_partitions(execute):
    execute("CREATE TABLE parts (id int) PARTITION BY RANGE (id)")
    execute("CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100)")
    execute("CREATE TABLE elsewhere (id int)")
    try:
        declare("Between", "SELECT id FROM parts", materialised=False)
        declare("A", "SELECT id FROM views.between", refresh_every=HOUR)
        sync_views()
        assert status_of("a").freshness.changed_rows is None, "no refresh has recorded it yet"
        refresh_views()
        execute("INSERT INTO parts SELECT generate_series(1, 20); INSERT INTO elsewhere VALUES (1)")
        execute("UPDATE parts SET id = 50 WHERE id = 1; DELETE FROM parts WHERE id > 18")
        flush_statistics(execute)
        assert status_of("a").freshness.changed_rows == 20 + 1 + 3
        refresh_views()
        assert status_of("a").freshness.changed_rows == 0
    finally:
        execute("DROP SCHEMA views CASCADE; DROP TABLE parts, elsewhere")


@pytest.mark.django_db
def test_openmetrics_has_a_gauge_for_each_fact_and_ends_with_eof(four, execute, capsys):
    declare("Odd", name='a"\\b', schema="views", materialised=False)
    text = _show(capsys, "--openmetrics")
    lines = text.splitlines()
    assert lines[-1] == "# EOF"
    samples = [line for line in lines if not line.startswith("#")]
    pattern = re.compile(
        r'orm_views_[a-z_]+\{[a-z]+="(?:[^"\\]|\\.)*"(?:,[a-z]+="(?:[^"\\]|\\.)*")*\} -?[0-9.e+-]+'
    )
    assert [line for line in samples if not pattern.fullmatch(line)] == []
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(families) == len(set(families))
    assert {line.partition("{")[0] for line in samples} <= set(families)
    found = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in samples}
    older = 'database="default",view="views.older"'
    assert found['orm_views_up{database="default"}'] == 1
    assert found[f'orm_views_state{{{older},state="stale"}}'] == 1
    assert 5 * 3600 <= found[f"orm_views_age_seconds{{{older}}}"] < 5 * 3600 + 60
    assert found[f"orm_views_refresh_every_seconds{{{older}}}"] == 3600
    assert 4 * 3600 <= found[f"orm_views_overdue_seconds{{{older}}}"] < 4 * 3600 + 60
    assert found[f"orm_views_stale{{{older}}}"] == 1
    assert found['orm_views_stale{database="default",view="views.kept"}'] == 0
    assert found['orm_views_overdue_seconds{database="default",view="views.kept"}'] == 0
    assert found[f"orm_views_refresh_duration_seconds{{{older}}}"] > 0
    assert 'orm_views_overdue_seconds{database="default",view="views.reader"}' not in found
    assert 'orm_views_state{database="default",view="views.a\\"\\\\b",state="missing"}' in found


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_a_gauge_and_an_error(misdirect, capsys):
    declare("A")
    misdirect("default", {"HOST": "127.0.0.1", "PORT": 1})
    with pytest.raises(CommandError, match="does not answer"):
        call_command("show_views", "--openmetrics")
    assert 'orm_views_up{database="default"} 0' in capsys.readouterr().out
