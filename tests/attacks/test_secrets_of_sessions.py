"""What other sessions do is never quoted: a query may have a password, and a name may forge lines."""

from __future__ import annotations

import io
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections
from django.test import Client

from orm_views_admin.models import Run
from orm_views_core.engines.postgresql.locking.advisory_locks import REFRESH_LOCK, SYNC_LOCK
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.refresh_locks import find_running
from orm_views_core.sync import Progress, sync_views
from tests.admin.browse import LIST, declare, declare_materialised, key, url
from tests.admin.slow import wait_for
from tests.sampling import sample

from .attacker import connect_as, query
from .staff import log_in

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "hunter2_of_the_boss"

#: What the other session sends last. pg_stat_activity has all of it.
LAST_QUERIES = {
    "the password of a role": f"ALTER ROLE {{role}} PASSWORD '{SECRET}'",
    "a comment in front": f"/* {SECRET} */ SELECT 1",
    "a line of comment in front": f"--{SECRET}\nSELECT 1",
    "a literal": f"SELECT '{SECRET}'",
    "the first word, with which it fails": SECRET,
    "a setting": f"SET LOCAL my.setting = '{SECRET}'",
    "a statement after another": f"SELECT 1; SELECT '{SECRET}'",
    "a statement in brackets": f"((SELECT '{SECRET}'))",
}

#: Names that would end a line, colour a terminal, turn the text round, or be a tag or a formula.
FORGED = {
    "a line": "x\nINFO all is well",
    "a carriage return": "x\rINFO all is well",
    "an escape sequence": "x\x1b[2J",
    "backspaces": "x\b\b\b\b",
    "a control character of Latin 1": "x\x9b31m",
    "a change of direction": "x\u202eEVIL",
    "a line separator": "x\u2028INFO all is well",
    "a tag": "<script>alert(1)</script>",
}


@pytest.fixture(autouse=True)
def unrecorded() -> None:
    """Here the receivers of the admin record what happens."""


@pytest.fixture(autouse=True)
def view(transactional_db: None, settings: Any) -> Iterator[None]:
    """A materialised view, which cannot be refreshed while somebody reads it."""
    settings.ORM_VIEWS = {"LOCK_WAIT": 0.2, "LOCK_TIMEOUT": 0.05}
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "inline"}
    declare_materialised("Ages", "SELECT 1 AS age")
    sync_views()
    Run.objects.all().delete()
    yield
    query("DROP SCHEMA IF EXISTS views CASCADE")


@contextmanager
def reading(role: str, last: str = "SELECT 1", *locks: str) -> Iterator[None]:
    """Another session, which reads the view, takes advisory locks, and then sends one more query."""
    query(f"GRANT USAGE ON SCHEMA views TO {_quoted(role)}; GRANT SELECT ON views.ages TO {_quoted(role)}")
    connection = connect_as(role)
    try:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
            # In the savepoint, a statement that fails leaves the locks where they are.
            for statement in (*locks, "SELECT * FROM views.ages", "SAVEPOINT a", last):
                with suppress(DatabaseError):  # pg_stat_activity has a query that has failed, too
                    cursor.execute(statement)
            time.sleep(0.1)
            yield
    finally:
        connection.close()
        wait_for(lambda: not query("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]))


def _quoted(role: str) -> str:
    return '"' + role.replace('"', '""') + '"'


def said_by_functions() -> str:
    """Return what a sync and a refresh say, which cannot have their locks."""
    said: list[str] = []
    with pytest.raises(OrmViewsError) as caught:
        sync_views(force=True, progress=Progress(on_wait=said.append))
    return "\n".join([str(caught.value), *said])


def said_by_commands() -> str:
    """Return what the commands print."""
    out = io.StringIO()
    for command, options in (
        ("sync_views", {"force": True, "verbosity": 2}),
        ("refresh_views", {"verbosity": 2}),
        ("refresh_views", {"json": True}),
    ):
        with pytest.raises(CommandError) as caught:
            call_command(command, stdout=out, stderr=out, no_color=True, **options)
        out.write(str(caught.value))
    return out.getvalue()


def stored() -> str:
    """Return all that is stored in runs and in the log of Django's admin."""
    rows = [*Run.objects.values_list(), *LogEntry.objects.values_list("object_repr", "change_message")]
    return "\n".join(str(value) for row in rows for value in row)


def shown(client: Client, *, files: bool = True) -> str:
    """Return all pages about runs, and the files."""
    run = f"{LIST}runs/{Run.objects.latest('pk').request}/"
    paths = [LIST, url("detail", "ages"), f"{LIST}runs/", run]
    if files:
        paths += [f"{run}state/", f"{LIST}runs/export/csv/", f"{LIST}runs/export/json/"]
    texts = []
    for path in paths:
        response = client.get(path)
        assert response.status_code == 200, path
        texts.append(response.getvalue().decode() + str(response.headers))
    return "\n".join(texts)


@pytest.mark.parametrize("last", sample(LAST_QUERIES.values(), 3), ids=sample(LAST_QUERIES, 3))
def test_a_query_of_another_session(last: str, make_login: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever reads errors, progress, runs, pages, files or logs sees the query of another session."""
    role = make_login("boss")
    with reading(role, last.format(role=role)):
        said = [said_by_functions(), said_by_commands()]
    said += [stored(), shown(log_in("view")), shown(log_in()), caplog.text]
    assert all(f"({role}" in text for text in said[:4])
    assert [SECRET in text for text in said] == [False] * 6


@pytest.mark.parametrize("verbs", [("view", "refresh"), ("view", "cancel", "refresh"), ()], ids=str)
def test_a_query_while_a_run_waits(verbs: tuple[str, ...], make_login: Any, settings: Any) -> None:
    """Whoever may start a refresh makes it wait for the boss, and reads the query on the page of the run."""
    settings.ORM_VIEWS = {"LOCK_WAIT": 20, "LOCK_TIMEOUT": 0.05}
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "thread"}
    client, role = log_in(*verbs), make_login("boss")
    with reading(role, LAST_QUERIES["the password of a role"].format(role=role)):
        client.post(f"{LIST}refresh/", {"view": key("ages"), "confirm": "yes"})
        run = wait_for(lambda: Run.objects.exclude(waiting_for="").first())
        said = [stored(), shown(client)]
    wait_for(lambda: not Run.objects.get(pk=run.pk).is_active)
    for thread in threading.enumerate():
        if thread.name.startswith("orm-views"):
            thread.join(20)
    assert all(role in text for text in said)
    assert [SECRET in text for text in said] == [False] * 2


def test_a_query_of_a_session_that_waits_in_the_server(make_login: Any, settings: Any) -> None:
    """The run waits in PostgreSQL for a lock that somebody took, and the page names the query."""
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "thread"}
    client, role = log_in("view", "refresh"), make_login("boss")
    lock = f"SELECT pg_advisory_xact_lock({REFRESH_LOCK}, 'views.ages'::regclass::oid::int)"
    with reading(role, LAST_QUERIES["the password of a role"].format(role=role), lock):
        client.post(f"{LIST}refresh/", {"view": key("ages"), "confirm": "yes"})
        wait_for(lambda: Run.objects.exclude(waiting_for="").exists())
        text = shown(client)
        assert "waits for a lock" in text
    wait_for(lambda: not Run.objects.latest("pk").is_active)
    assert role in text
    assert SECRET not in text


@pytest.mark.parametrize("forged", sample(FORGED.values(), 3), ids=sample(FORGED, 3))
def test_the_name_of_a_role(forged: str, make_login: Any, caplog: Any) -> None:
    """A role whose name is a line, an escape sequence or a tag forges what terminals, logs and pages show."""
    name = connections["default"].settings_dict["NAME"]
    role = make_login("boss")
    odd = f"{name}{forged}"[:60]
    query(f"DROP ROLE IF EXISTS {_quoted(odd)}; ALTER ROLE {role} RENAME TO {_quoted(odd)}")
    try:
        query(f"ALTER ROLE {_quoted(odd)} PASSWORD 'no-secret'")
        lock = f"SELECT pg_advisory_xact_lock({REFRESH_LOCK}, 'views.ages'::regclass::oid::int)"
        with reading(odd, "SELECT 1", lock):
            running = [str(session) for session in find_running("default")]
        with reading(odd):
            said = [*running, said_by_functions(), said_by_commands()]
        said += [stored(), caplog.text]
        pages = shown(log_in("view"), files=False)
    finally:
        query(f"ALTER ROLE {_quoted(odd)} RENAME TO {role}")
    assert running
    assert [_is_forged(text, odd) for text in said] == [False] * len(said)
    assert "<script>alert" not in pages


@pytest.mark.parametrize("forged", sample(FORGED.values(), 2), ids=sample(FORGED, 2))
def test_the_name_of_a_relation(forged: str, attacker: Any) -> None:
    """The relations that a session holds have names that forge what terminals, logs and pages show."""
    odd = forged[:60]
    attacker.run(f"CREATE VIEW lair.{_quoted(odd)} AS SELECT 1 AS one")
    with reading(attacker.role, f"SELECT * FROM lair.{_quoted(odd)}", locking_a_source(attacker.role)):
        said = [said_by_functions(), stored()]
    assert all("lair." in text for text in said)
    assert [_is_forged(text, odd) for text in said] == [False] * 2
    assert "<script>alert" not in shown(log_in("view"), files=False)


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_the_name_of_a_view(forged: str, attacker: Any) -> None:
    """A view in our schema, or one that reads ours, forges what commands and plans print."""
    role, odd = _quoted(attacker.role), _quoted(forged[:60])
    query(f"GRANT USAGE, CREATE ON SCHEMA views TO {role}; GRANT SELECT ON views.ages TO {role}")
    attacker.run(f"CREATE VIEW views.{odd} AS SELECT 1 AS one")
    attacker.run(f"CREATE VIEW lair.{odd} AS SELECT age FROM views.ages")
    out = io.StringIO()
    for command, options in (
        ("show_views", {}),
        ("show_views", {"json": True}),
        ("sync_views", {"plan": True, "force": True, "verbosity": 1}),
        ("sync_views", {"plan": True, "force": True, "drop_dependents": True, "verbosity": 1}),
    ):
        with suppress(CommandError):
            call_command(command, stdout=out, stderr=out, no_color=True, **options)
    said = out.getvalue()
    attacker.run(f"DROP VIEW views.{odd}, lair.{odd}")
    assert "views.x" in said or "<script>" in said
    assert not _is_forged(said, forged[:60])


def test_very_many_relations(attacker: Any) -> None:
    """A session that holds a thousand relations makes every message about it long."""
    attacker.run(
        "DO $$ BEGIN FOR n IN 1..1000 LOOP EXECUTE format('CREATE VIEW lair.%I AS SELECT 1 AS one', "
        "repeat('x', 50) || n); END LOOP; END $$"
    )
    lock = "DO $$ DECLARE v regclass; BEGIN FOR v IN SELECT oid FROM pg_class WHERE relname LIKE 'xxxxxx%' "
    lock += "LOOP EXECUTE 'SELECT * FROM ' || v; END LOOP; END $$"
    with reading(attacker.role, lock, locking_a_source(attacker.role)):
        text = said_by_functions()
    assert "lair.xxxxxx" in text
    assert len(text) < 3000


def locking_a_source(role: str) -> str:
    """Return the statement that keeps a new view from being created. All that its session reads is named."""
    query("CREATE TABLE IF NOT EXISTS views.source (n int)")
    query(f"GRANT ALL ON views.source TO {_quoted(role)}")
    declare("Reader", "SELECT n FROM views.source")
    return "LOCK TABLE views.source IN ACCESS EXCLUSIVE MODE"


@pytest.mark.parametrize("application", ["x\nINFO all is well", "<script>alert(1)</script>", "x" * 1000])
def test_the_name_of_an_application(application: str, make_login: Any) -> None:
    """The application_name, which anybody sets to anything, forges what terminals and pages show."""
    role = make_login("boss")
    setting = "SET application_name = '" + application + "'"
    lock = f"SELECT pg_advisory_xact_lock({SYNC_LOCK})"
    with reading(role, "SELECT 1", setting, lock):
        running = [str(session) for session in find_running("default")]
    with reading(role, "SELECT 1", setting):
        said = said_by_functions()
        with suppress(CommandError):
            call_command("refresh_views", stdout=io.StringIO())
    for text in (*running, said, stored()):
        assert not _is_forged(text, application)
        assert "x" * 100 not in text
    assert "<script>alert" not in shown(log_in("view"), files=False)


def _is_forged(text: str, name: str) -> bool:
    """Return whether a text has a name as it is, or a character that controls a terminal."""
    odd = {character for character in name if unicodedata.category(character)[0] in "CZ"} - {" "}
    return (bool(odd) and name in text) or any(each in text for each in odd - {"\n", "\r"})
