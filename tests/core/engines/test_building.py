"""PostgreSQL's settings for builds and refreshes: in force there only, refused before anything changes."""

from __future__ import annotations

import pytest
from django.core.checks import ERROR, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from orm_views_core.exceptions import InvalidViewError, PlanBlockedError, RefreshError, SyncFailedError
from orm_views_core.refresh import refresh_views
from orm_views_core.sync import plan_views, refresh_materialized_view, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from tests.core.gates import query

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

SEEN = "SELECT current_setting('work_mem') AS mem, current_setting('statement_timeout') AS limit"
SLOW = "SELECT 1 AS id FROM (SELECT pg_sleep(10)) AS slow"
MEMORY = {"build_settings": {"work_mem": "9MB"}}


def declare(sql=SEEN, *, class_name="Seen", materialised=True, **attributes):
    bases = (PostgresMaterialisedViewMixin,) if materialised else ()
    return type(class_name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def seen():
    return query('SELECT mem, "limit" FROM views.seen')[0]


def in_session():
    return query("SELECT current_setting('work_mem'), current_setting('statement_timeout')")[0]


def test_settings_are_in_force_for_builds_and_refreshes_only(registered, settings):
    before = in_session()
    settings.ORM_VIEWS = {"WORK_MEM": "7MB", "BUILD_TIMEOUT": 90}
    with registered.isolated():
        declare()
        sync_views()
        assert seen() == ("7MB", "90s")
    with registered.isolated():
        declare(f"{SEEN}, 1 AS one", build_settings={"work_mem": "9MB"})  # rebuilt
        sync_views()
        assert seen()[0] == "9MB"
    with registered.isolated():
        view = declare(f"{SEEN}, 1 AS one", build_settings={"work_mem": "10MB", "statement_timeout": "2h"})
        assert plan_views()[0].is_empty, "settings are not part of a view"
        refresh_views()
        assert seen() == ("10MB", "2h")
        settings.ORM_VIEWS = {}
        refresh_materialized_view(view)
        assert seen() == ("10MB", "2h")
    declare(f"{SEEN}, 1 AS one")
    refresh_views()
    assert seen() == before
    assert in_session() == before


def test_a_build_in_the_swap_and_an_index_have_the_settings(registered):
    with registered.isolated():
        declare("SELECT 1 AS id", class_name="Low")
        declare(f"{SEEN}, 1 AS id", **MEMORY)
        sync_views()
    with registered.isolated():
        low = declare("SELECT 2 AS id", class_name="Low")
        # It depends on the other one without naming it, so it is built when that is in its place.
        declare(f"{SEEN}, 2 AS id", view_dependencies=[low], build_settings={"work_mem": "11MB"})
        (result,) = sync_views()
        assert [step.name.name for step in result.plan.steps if step.deferred] == ["seen"]
        assert seen()[0] == "11MB"


@pytest.mark.parametrize("is_build", [True, False])
def test_build_timeout_ends_a_build_and_says_so(settings, is_build):
    settings.ORM_VIEWS = {"BUILD_TIMEOUT": 0.5}
    said = r"Seen \(.*: computing its rows took longer than the 0\.5 s of ORM_VIEWS\['BUILD_TIMEOUT'\]"
    declare(SLOW, with_data=is_build)
    if is_build:
        with pytest.raises(SyncFailedError, match=said):
            sync_views()
        assert query("SELECT to_regclass('views.seen')") == [(None,)]
        return
    sync_views()
    with pytest.raises((RefreshError, SyncFailedError), match=said):
        refresh_views()


def test_a_time_limit_of_the_class_is_told_as_such():
    declare(SLOW, build_settings={"statement_timeout": "500ms"})
    with pytest.raises(SyncFailedError, match=r"longer than the 0\.5 s of its build_settings"):
        sync_views()


def test_build_timeout_is_longer_than_the_limit_of_the_session(settings):
    settings.ORM_VIEWS = {"BUILD_TIMEOUT": 30}
    query("SET statement_timeout = '900ms'")
    try:
        declare("SELECT 1 AS id FROM (SELECT pg_sleep(1.5)) AS slow")
        sync_views()
        assert in_session()[1] == "900ms"
    finally:
        query("RESET statement_timeout")


@pytest.mark.parametrize(
    ("wrong", "problem", "hint"),
    [
        ("256MB", "its build_settings is '256MB', not a dict.", "Write {'work_mem': '256MB'}."),
        ({"work_mem": 4}, "its build_settings has 'work_mem': 4.", "Give a size from 64kB on"),
        ({"work_mem": "1kB"}, "its build_settings has 'work_mem': '1kB'.", "Give a size from 64kB on"),
        ({"work_mem": "9MB; DROP TABLE x"}, "'9MB; DROP TABLE x'.", "Give a size"),
        (
            {"role": "postgres"},
            "its build_settings has 'role', which no view can set.",
            "It can have ",
        ),
        ({"search_path": "x"}, "its build_settings has 'search_path'", "It can have"),
        ({"jit": "off"}, "its build_settings has 'jit': 'off'.", "Give True or False."),
        ({"statement_timeout": 4}, "'statement_timeout': 4.", "Give a time with its unit"),
        ({"random_page_cost": True}, "'random_page_cost': True.", "Give a number from 0 on."),
    ],
)
def test_e012_wrong_build_settings(wrong, problem, hint):
    declare("SELECT 1 AS id", build_settings=wrong)
    (message,) = run_checks(tags=["orm_views"], databases=[])
    assert (message.id, message.level) == ("orm_views_core.E012", ERROR)
    assert "Seen (" in message.msg
    assert problem in message.msg
    assert message.hint.startswith(hint)
    with pytest.raises(InvalidViewError, match=r"Seen \(.*build_settings"):
        sync_views()
    assert query("SELECT to_regnamespace('views')") == [(None,)]


def test_e012_a_plain_view_is_not_built():
    declare("SELECT 1 AS id", materialised=False, **MEMORY)
    (message,) = run_checks(tags=["orm_views"], databases=[])
    assert message.id == "orm_views_core.E012"
    assert "only materialised views are built" in message.msg
    with pytest.raises(InvalidViewError, match="only materialised views are built"):
        sync_views()


@pytest.mark.parametrize(
    ("key", "value"), [("WORK_MEM", "lots"), ("WORK_MEM", 64), ("BUILD_TIMEOUT", 0), ("BUILD_TIMEOUT", "1h")]
)
def test_e001_wrong_settings_of_the_project(settings, key, value):
    settings.ORM_VIEWS = {key: value}
    (message,) = run_checks(tags=["orm_views"], databases=[])
    assert message.id == "orm_views_core.E001"
    assert message.msg == f"ORM_VIEWS[{key!r}] is {value!r}."
    assert message.hint.endswith(", or None.")
    with pytest.raises(ImproperlyConfigured):
        sync_views()


def test_a_value_that_only_postgresql_refuses_is_a_problem_of_the_plan(settings, capsys):
    declare("SELECT 1 AS id", class_name="Another", **MEMORY)
    declare("SELECT 1 AS id", build_settings={"work_mem": "9MB", "hash_mem_multiplier": 5000})
    (plan,) = plan_views()
    (problem,) = plan.problems
    assert "Seen (" in problem
    assert "PostgreSQL refuses hash_mem_multiplier = '5000': 5000 is outside the valid range" in problem
    with pytest.raises(PlanBlockedError):
        sync_views()
    assert query("SELECT to_regnamespace('views')") == [(None,)]
    call_command("sync_views", "--plan")
    assert f"! {problem}" in capsys.readouterr().out


def test_a_refresh_with_a_refused_value_says_which(registered):
    with registered.isolated():
        declare()
        sync_views()
    before = seen()
    declare(build_settings={"hash_mem_multiplier": 5000})
    with pytest.raises((RefreshError, SyncFailedError), match="refuses hash_mem_multiplier = '5000'"):
        refresh_views()
    assert seen() == before
