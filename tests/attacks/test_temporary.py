"""Temporary views of a session that stays open, on views that a sync changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import CommandError
from django.db import connections

from . import views
from .attacker import Attacker, query

pytestmark = pytest.mark.django_db(transaction=True)

#: What a session may make of ours that lasts as long as the session.
TEMPORARY = {
    "view": "CREATE TEMP VIEW hold AS SELECT id FROM views.people",
    "row": "CREATE TEMP VIEW hold AS SELECT NULL::views.people AS held",
    "table": "CREATE TEMP TABLE hold (held views.people)",
    "array": "CREATE TEMP TABLE hold (held views.people[])",
    "view of a view": "CREATE TEMP VIEW first AS SELECT id FROM views.people; "
    "CREATE TEMP VIEW hold AS SELECT id FROM first",
}


@pytest.fixture
def project(attacker: Attacker) -> Iterator[None]:
    """The views, which the attacker may read."""
    views.begin(attacker.role)
    yield
    views.end()


@pytest.mark.parametrize("what", TEMPORARY)
def test_a_rebuild(attacker: Attacker, project: None, what: str) -> None:
    """Something temporary on a view that has to be rebuilt: it is named, with the session that has to end."""
    attacker.run(TEMPORARY[what])
    (pid,) = attacker.run("SELECT pg_backend_pid()")[0]
    for arguments in ([], ["--drop-dependents"], ["--plan"]):
        try:
            said = views.sync(views.REBUILT, *arguments)
        except CommandError as error:
            said = str(error)
        assert ".first" in said if what == "view of a view" else ".hold" in said
        assert f"pid {pid} ({attacker.role}" in said
    assert attacker.run("SELECT count(*) FROM hold") is not None
    attacker.leave()
    query("SELECT pg_terminate_backend(%s)", [pid])
    assert _until_synced() == 2


def _until_synced() -> int:
    for _ in range(200):  # what is temporary goes a moment after its session
        try:
            views.sync(views.REBUILT)
            break
        except CommandError:
            connections["default"].close()
    return int(
        query("SELECT count(*) FROM pg_attribute WHERE attrelid = 'views.people'::regclass AND attnum > 0")[
            0
        ][0]
    )


@pytest.mark.parametrize("what", [name for name in TEMPORARY if name not in {"table", "array"}])
def test_a_compatible_change(attacker: Attacker, project: None, what: str) -> None:
    """A temporary view on a view that gets another column: the change goes on, and the view stays."""
    attacker.run(TEMPORARY[what])
    views.sync(views.REPLACED)
    assert query("SELECT DISTINCT further FROM views.people") == [(1,)]
    assert attacker.run("SELECT count(*) FROM hold")[0][0] in {1, 50}


def test_another_view_changes(attacker: Attacker, project: None) -> None:
    """A temporary view on one of our views does not keep another one from being rebuilt."""
    attacker.run("CREATE TEMP TABLE mine (id int); CREATE TEMP VIEW hold AS SELECT id FROM mine")
    views.sync(views.REBUILT)
    assert attacker.run("SELECT count(*) FROM hold") == [(0,)]


def test_a_forged_sync_state_in_a_temporary_schema(attacker: Attacker, project: None) -> None:
    """A temporary view with the comment of a synced one is no orphan, and nobody tries to drop it."""
    (comment,) = query("SELECT obj_description('views.people'::regclass, 'pg_class')")[0]
    attacker.run("CREATE TEMP VIEW hold AS SELECT 1 AS id")
    attacker.run("COMMENT ON VIEW hold IS '" + comment.replace("'", "''") + "'")
    assert "hold" not in views.sync(views.BEFORE, "--plan")
    views.sync(views.REPLACED)
    assert attacker.run("SELECT * FROM hold") == [(1,)]
