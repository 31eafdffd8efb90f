"""The states of a view, each made real, and two of them at once: the worst is first, and all are said."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orm_views_core.names import ViewName
from orm_views_core.status import State, ViewStatus, get_detail, get_statuses
from orm_views_core.sync import sync_views
from tests.core.status.scenes import (
    SCENES,
    declare,
    stored,
    with_an_owner_who_may_not_read,
)
from tests.translations.spoken import untranslated

pytestmark = pytest.mark.django_db

Make = Callable[[Callable[..., Any]], None]


def status_of(name: str = "v") -> ViewStatus:
    (database,) = get_statuses(["default"])
    return next(view for view in database.views if view.name and view.name.name == name)


def states(name: str = "v") -> list[State]:
    return [condition.state for condition in status_of(name).conditions]


@pytest.mark.parametrize("make", SCENES, ids=lambda make: make.__name__)
def test_a_view_is_in_all_its_states_and_the_worst_is_first(make, execute, registered, capsys):
    make(execute)
    wanted = SCENES[make]
    assert states() == wanted
    status = status_of()
    assert (status.state, status.reason) == (wanted[0], status.conditions[0].reason)
    detail = get_detail("default", ViewName("views", "v")).status
    assert detail.conditions == status.conditions
    assert untranslated(status.conditions) == []

    call_command("show_views", "v")
    said = capsys.readouterr().out
    (line,) = (line for line in said.splitlines() if line[:2] == " [")
    assert line[5:].startswith(wanted[0].value)
    if wanted != [State.SYNCED]:
        for condition in status.conditions:
            assert condition.reason in said
    call_command("show_views", "v", "--json")
    ((view,),) = (database["views"] for database in json.loads(capsys.readouterr().out))
    assert (view["state"], view["reason"], view["advice"]) == (wanted[0].value, status.reason, status.advice)
    assert [also["state"] for also in view["also"]] == [state.value for state in wanted[1:]]


def test_every_state_of_a_view_whose_database_answers_is_tried_here():
    """What shows personal data has tests of its own."""
    assert {state for found in SCENES.values() for state in found} == {*State} - {State.EXPOSES}


def test_what_cannot_be_read_cannot_be_read(execute):
    with_an_owner_who_may_not_read(execute)
    reason = "It cannot be read: views.v belongs to analyst, who may not read public.lending_customer."
    assert (status_of().reason, status_of().advice) == (
        reason,
        'GRANT SELECT ON "public"."lending_customer" TO "analyst";',
    )
    with pytest.raises(Exception, match="permission denied"):
        execute("SELECT * FROM views.v")


def test_a_view_of_an_owner_who_may_read_its_columns_can_be_read(execute):
    with_an_owner_who_may_not_read(execute)
    execute("GRANT SELECT (city) ON lending_customer TO analyst")
    execute("SELECT * FROM views.v")
    assert State.UNREADABLE not in states()


@pytest.mark.skipif("connection.pg_version < 150000", reason="security_invoker is new in PostgreSQL 15")
@pytest.mark.parametrize("written", ["true", "on", "1"])
def test_a_view_that_is_read_with_its_readers_rights_has_no_owner_whose_rights_matter(execute, written):
    with_an_owner_who_may_not_read(execute)
    execute(f"ALTER VIEW views.v SET (security_invoker = {written})")
    execute("SELECT * FROM views.v")
    assert State.UNREADABLE not in states()


def test_a_table_that_is_only_named_need_not_be_readable(execute):
    declare("V", "SELECT 'lending_customer'::regclass AS named")
    sync_views()
    execute("GRANT USAGE, CREATE ON SCHEMA views TO analyst; ALTER VIEW views.v OWNER TO analyst")
    execute("SELECT * FROM views.v")
    assert State.UNREADABLE not in states()


def test_only_what_a_sync_would_change_is_tried(execute):
    declare("Kept", "SELECT id FROM lending_customer")
    sync_views()
    with CaptureQueriesContext(connection) as quiet:
        assert states("kept") == [State.SYNCED]
    declare("New", "SELECT absent FROM lending_customer")
    with CaptureQueriesContext(connection) as trying:
        assert states("new") == [State.INVALID, State.MISSING]
    created = [
        [query["sql"] for query in queries if query["sql"].startswith("CREATE VIEW")]
        for queries in (quiet, trying)
    ]
    assert [len(statements) for statements in created] == [0, 1]
    assert execute("SELECT to_regclass('views.new')") == [(None,)]


@pytest.mark.parametrize("count", [3, 40])
def test_views_that_postgresql_accepts_are_tried_at_once(count):
    for number in range(count):
        declare(f"New{number}", f"SELECT {number} AS id FROM lending_customer")
    declare("Reader", "SELECT id FROM views.new0")
    with CaptureQueriesContext(connection) as queries:
        assert states("reader") == [State.MISSING]
    created = [query["sql"] for query in queries if "CREATE VIEW" in query["sql"]]
    assert len(created) == 1
    assert created[0].count("CREATE VIEW") == count + 1


def test_one_that_postgresql_refuses_is_found_among_others():
    for number in range(5):
        declare(f"New{number}", f"SELECT {number} AS id FROM lending_customer")
    declare("Wrong", "SELECT absent FROM views.new3")
    declare("Reader", "SELECT * FROM views.wrong")
    assert states("wrong") == states("reader") == [State.INVALID, State.MISSING]
    assert states("new3") == states("new4") == [State.MISSING]


@pytest.mark.parametrize("sql", ["SELECT 'a", "SELECT 1 /* a", 'SELECT 1 AS "a', "SELECT $$a"])
def test_sql_that_has_no_end_does_not_swallow_what_is_sent_with_it(sql):
    declare("First", sql)
    declare("Second", "SELECT b' AS x")
    declare("Third", "SELECT 1 AS id")
    assert states("first")[0] is states("second")[0] is State.INVALID
    assert states("third") == [State.MISSING]


def test_a_view_that_our_role_may_not_try_keeps_the_states_that_can_be_seen(execute, registered):
    declare("V", "SELECT absent FROM lending_customer")
    execute("SET LOCAL ROLE analyst")
    assert states() == [State.MISSING]
    execute("RESET ROLE")
    assert states() == [State.INVALID, State.MISSING]


@pytest.mark.parametrize("make", [make for make, found in SCENES.items() if State.INVALID in found])
def test_a_sync_is_refused_for_a_view_that_is_called_invalid(make, execute):
    make(execute)
    assert State.INVALID in states()
    with pytest.raises(CommandError, match=r"tests\.(V|Source)\b|views\.v\b"):
        call_command("sync_views")


@pytest.mark.django_db(databases=["default", "warehouse"])
def test_the_views_of_a_database_that_does_not_answer_cannot_be_read(misdirect, capsys):
    declare("Here", "SELECT 1 AS id")
    declare("V", "SELECT 1 AS id", database="warehouse")
    stored("Stored", "SELECT 1 AS id", database="warehouse")
    declare("Nameless", "SELECT 1 AS id", database="warehouse", name=5)
    misdirect("warehouse", {"HOST": "/nowhere"})
    _, there = sorted(get_statuses(), key=lambda database: database.database)
    assert {(str(view.name), view.state) for view in there.views} == {
        ("views.v", State.UNREADABLE),
        ("views.stored", State.UNREADABLE),
        ("None", State.UNREADABLE),
    }
    assert there.error is not None
    assert {view.reason for view in there.views} == {str(there.error)}
    with pytest.raises(CommandError, match="does not answer"):
        call_command("show_views", "--json")
    databases = {found["database"]: found for found in json.loads(capsys.readouterr().out)}
    assert {view["state"] for view in databases["warehouse"]["views"]} == {"cannot be read"}
    assert {view["state"] for view in databases["default"]["views"]} == {"missing"}
