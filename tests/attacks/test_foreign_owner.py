"""Registered views that belong to an attacker, because somebody has changed their owner."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import connections

from orm_views_core.checks.database import check_views
from orm_views_core.database.sync_state import SyncState, join_comment, split_comment
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.engines.postgresql.catalog.introspection import read_catalog
from orm_views_core.exceptions import PlanBlockedError
from orm_views_core.names import ViewName
from orm_views_core.plan.steps import Action
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views.registry import Registry
from tests.admin.browse import declare, declare_materialised
from tests.sampling import sample

from .attacker import LAIR, Attacker, Rows, query
from .everywhere import command, everything_works, log_in, statuses

pytestmark = pytest.mark.django_db(transaction=True)

Connect = Callable[[str], AbstractContextManager[None]]
LATER = dt.datetime(2099, 5, 6, 7, 8, 9, tzinfo=dt.timezone.utc)
SQL = "SELECT 1 AS id, 2 AS amount"

#: The rows of the catalogs in which something of a view is stored. A row that is written has another xmin.
_STORED = """
SELECT 'class', c.oid, c.xmin::text FROM pg_class c WHERE c.relnamespace = 'views'::regnamespace
UNION ALL
SELECT 'comment', d.objoid, d.xmin::text FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
WHERE d.classoid = 'pg_class'::regclass AND c.relnamespace = 'views'::regnamespace
UNION ALL
SELECT 'rule', r.ev_class, r.xmin::text FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relnamespace = 'views'::regnamespace
UNION ALL
SELECT 'index', i.indexrelid, i.xmin::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace = 'views'::regnamespace
ORDER BY 1, 2
"""

NAMES = {"plain": "views.plain", "stored": "views.stored", "commented": "views.commented"}


def stored() -> Rows:
    return query(_STORED)


def comment_of(name: str) -> str | None:
    return query("SELECT obj_description(%s::regclass, 'pg_class')", [name])[0][0]


def set_comment(attacker: Attacker, name: str, comment: str | None) -> None:
    kind = "MATERIALIZED VIEW" if name == "views.stored" else "VIEW"
    attacker.run(f"COMMENT ON {kind} {name} IS %s", [comment])


@pytest.fixture
def handed_over(attacker: Attacker, registered: Registry) -> dict[str, SyncState]:
    """Three registered views that belong to the attacker, and what the sync has recorded of them."""
    declare("Plain", SQL)
    declare_materialised("Stored", SQL, pk_field="id", refresh_every=dt.timedelta(hours=1))
    declare("Commented", SQL, __doc__="What it is.")
    sync_views()
    query(f"GRANT USAGE, CREATE ON SCHEMA views TO {attacker.role}")
    states = {}
    for name in NAMES.values():
        query(f"ALTER TABLE {name} OWNER TO {attacker.role}")
        state = split_comment(comment_of(name))[1]
        assert state is not None
        states[name] = state
    return states


def forgeries(state: SyncState) -> dict[str, str]:
    """What an attacker may make of a sync state, in the comment of a view without a docstring."""
    return {
        "as it was": state.dump(),
        "other code": dataclasses.replace(state, code="f" * 16).dump(),
        "other rule": dataclasses.replace(state, installed="f" * 16).dump(),
        "other database": dataclasses.replace(state, database="other").dump(),
        "other indexes": dataclasses.replace(state, indexes=("stored_other",)).dump(),
        "other options": dataclasses.replace(state, options=("security_barrier",)).dump(),
        "other grants": dataclasses.replace(state, granted=("public",)).dump(),
        "other sources": dataclasses.replace(state, sources="f" * 32).dump(),
        "a text by hand": join_comment("Written by the attacker.", state),
        "text only": "Written by the attacker.",
        "a time": dataclasses.replace(state, refreshed=LATER, seconds=424242.0).dump(),
        "brackets": '{"orm_views": ' + "[" * 100_000,
    }


FORGERIES = list(forgeries(SyncState("default", "", "", LATER)))


@pytest.mark.parametrize("forgery", sample(FORGERIES, 3))
@pytest.mark.parametrize("name", ["views.plain", "views.stored"])
def test_nothing_is_written_when_nothing_differs(
    name: str, forgery: str, attacker: Attacker, handed_over: dict[str, SyncState]
) -> None:
    """An attacker who owns a registered view writes a comment: no sync writes a row of the catalogs."""
    set_comment(attacker, name, forgeries(handed_over[name])[forgery])
    before = stored()
    assert "Nothing to do" in command("sync_views", "--check")
    said = command("sync_views")
    assert "Nothing to do" in said
    assert "TRUSTED_OWNERS" in said
    assert repr(attacker.role) in said
    assert stored() == before


def test_without_a_comment_nothing_is_written(attacker: Attacker, handed_over: dict[str, SyncState]) -> None:
    """The attacker removes the comments with the sync states: only the docstring is put back, and once."""
    for name in NAMES.values():
        set_comment(attacker, name, None)
    before = stored()
    steps = {(step.action, str(step.name)) for plan in plan_views() for step in plan.steps}
    assert steps == {(Action.COMMENT, "views.commented")}
    sync_views()
    others = {name for kind, oid, _ in before if kind == "class" for name in [oid]}
    commented = query("SELECT 'views.commented'::regclass::oid")[0][0]
    assert [row for row in stored() if row[1] in others - {commented}] == [
        row for row in before if row[1] in others - {commented}
    ]
    assert split_comment(comment_of("views.commented"))[0] == "What it is."
    before = stored()
    sync_views()
    assert stored() == before


CHANGES = {
    "other rows": "CREATE OR REPLACE VIEW views.plain AS SELECT 1 AS id, 666 AS amount",
    "another column": "CREATE OR REPLACE VIEW views.plain AS SELECT 1 AS id, 2 AS amount, 666 AS more",
    "fewer columns": "DROP VIEW views.plain; CREATE VIEW views.plain AS SELECT 1 AS id",
    "a function of his": f"""
        CREATE OR REPLACE VIEW views.plain AS
        SELECT 1 AS id, CASE WHEN {LAIR}.strike() THEN 2 END AS amount""",
    "another kind": """
        DROP VIEW views.plain;
        CREATE MATERIALIZED VIEW views.plain AS SELECT 1 AS id, 2 AS amount""",
    "other stored rows": """
        DROP MATERIALIZED VIEW views.stored;
        CREATE MATERIALIZED VIEW views.stored AS SELECT 1 AS id, 666 AS amount""",
    "no index": "DROP INDEX views.{index}",
    "another index": "DROP INDEX views.{index}; CREATE UNIQUE INDEX {index} ON views.stored (amount)",
}


def forge_all(attacker: Attacker, handed_over: dict[str, SyncState]) -> None:
    """Write sync states that are right in every point, for what is in the database now."""
    definitions = compile_definitions(connections["default"]).views
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT oid FROM pg_roles")
        everybody = [oid for (oid,) in cursor.fetchall()]
    catalog = read_catalog(connections["default"], ["views"], trusted=everybody)
    for name, definition in definitions.items():
        view = catalog.relations[name]
        state = dataclasses.replace(handed_over[str(name)], code=definition.fingerprint)
        state = dataclasses.replace(
            state, installed=dataclasses.replace(view, state=state).fingerprint or "", refreshed=LATER
        )
        set_comment(attacker, str(name), join_comment(definition.comment, state))


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found_whatever_the_sync_state_says(
    change: str, attacker: Attacker, handed_over: dict[str, SyncState]
) -> None:
    """The attacker changes a registered view and forges the sync state that hides it: it is put back."""
    index = query("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'views.stored'::regclass")
    was = {name: definition_of(name) for name in NAMES.values()}
    for statement in CHANGES[change].format(index=index[0][0].partition(".")[2]).split(";"):
        attacker.run(f"SET search_path TO views; {statement}")
    kind = "MATERIALIZED VIEW" if change == "another kind" else None
    for name, state in handed_over.items():
        if kind and name == "views.plain":
            attacker.run(f"COMMENT ON {kind} {name} IS %s", [state.dump()])
        else:
            set_comment(attacker, name, join_comment("What it is." if "comm" in name else "", state))
    if kind is None:
        forge_all(attacker, handed_over)
    assert statuses()[NAMES["stored" if "stored" in CHANGES[change] else "plain"]]["synced"] is None
    sync_views()
    assert {name: definition_of(name) for name in NAMES.values()} == was
    assert {owner_of(name) for name in NAMES.values()} == {attacker.role}, "the owner is kept"
    before = stored()
    assert "Nothing to do" in command("sync_views")
    assert stored() == before
    assert attacker.struck() == set()


def definition_of(name: str) -> Any:
    return query(
        "SELECT relkind, pg_get_viewdef(oid), ARRAY(SELECT pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid = c.oid) FROM pg_class c WHERE oid = %s::regclass",
        [name],
    )


def owner_of(name: str) -> str:
    return query("SELECT relowner::regrole::text FROM pg_class WHERE oid = %s::regclass", [name])[0][0]


@pytest.fixture
def owner(make_login: Any) -> str:
    """A role that syncs and is no superuser."""
    role = make_login("owner")
    database = connections["default"].settings_dict["NAME"]
    query(f'GRANT CREATE ON DATABASE "{database}" TO {role}; GRANT USAGE, CREATE ON SCHEMA public TO {role}')
    return role


@pytest.fixture
def synced_by_owner(owner: str, attacker: Attacker, connected_as: Connect, registered: Registry) -> str:
    """A registered view that was synced by a role that is no superuser, and handed to the attacker."""
    declare("Plain", SQL)
    with connected_as(owner):
        sync_views()
    query(f"GRANT USAGE, CREATE ON SCHEMA views TO {attacker.role}")
    query(f"ALTER VIEW views.plain OWNER TO {attacker.role}")
    return owner


def test_a_sync_that_may_not_change_the_view_says_so(
    synced_by_owner: str, attacker: Attacker, connected_as: Connect
) -> None:
    """The attacker changes a view that we may not change: the plan names him, as long as it differs."""
    with connected_as(synced_by_owner):
        before = stored()
        (result,) = sync_views()
        assert not result.steps
        assert stored() == before
    attacker.run("CREATE OR REPLACE VIEW views.plain AS SELECT 1 AS id, 666 AS amount")
    with (
        connected_as(synced_by_owner),
        pytest.raises(PlanBlockedError, match="belongs to") as caught,
    ):
        sync_views()
    assert attacker.role in str(caught.value)


def test_a_sync_that_is_a_member_puts_it_back(
    synced_by_owner: str, attacker: Attacker, connected_as: Connect
) -> None:
    """That we are a member of the attacker's role allows us to put a view back, and not to believe him."""
    query(f"GRANT {attacker.role} TO {synced_by_owner}")
    attacker.run("CREATE OR REPLACE VIEW views.plain AS SELECT 1 AS id, 666 AS amount")
    with connected_as(synced_by_owner):
        forge_all(attacker, {"views.plain": SyncState("default", "", "", LATER)})
        (result,) = sync_views()
    assert [done.step.action for done in result.steps] == [Action.REPLACE]
    assert query("SELECT amount FROM views.plain") == [(2,)]
    assert owner_of("views.plain") == attacker.role


def test_what_is_said_of_it(attacker: Attacker, handed_over: dict[str, SyncState]) -> None:
    """No time, duration or age that the attacker's comment claims is shown; what to do about him is."""
    for name, state in handed_over.items():
        text = "What it is." if "comm" in name else ""
        odd = dataclasses.replace(state, synced=LATER, refreshed=LATER, seconds=424242.0)
        set_comment(attacker, name, join_comment(text, odd))
    for view in statuses().values():
        assert view["state"] == "drifted"
        assert repr(attacker.role) in view["reason"]
        assert "TRUSTED_OWNERS" in view["advice"]
        assert (view["synced"], view["refreshed"], view["seconds"]) == (None, None, None)
    said = everything_works(*(ViewName("views", name) for name in NAMES))
    assert "2099" not in said
    assert "424242" not in said
    plan = log_in().get("/admin/orm-views/sync/").content.decode()
    assert "TRUSTED_OWNERS" in plan
    warned = [m for m in check_views(None, databases=["default"]) if m.id == "orm_views_core.W018"]
    assert len(warned) == len(NAMES)
    assert all(attacker.role in message.msg and "TRUSTED_OWNERS" in message.hint for message in warned)


def test_an_orphan_of_his_is_kept(
    attacker: Attacker, handed_over: dict[str, SyncState], registered: Registry
) -> None:
    """A view that no class declares any more and that belongs to the attacker is not dropped on his word."""
    with registered.isolated():
        declare("Plain", SQL)
        assert not [step for plan in plan_views() for step in plan.steps]
        sync_views()
        assert statuses()["views.stored"]["state"] == "unmanaged"
    assert owner_of("views.stored") == attacker.role


def test_an_owner_whom_the_settings_name(
    attacker: Attacker, handed_over: dict[str, SyncState], settings: Any
) -> None:
    """The owner is believed once TRUSTED_OWNERS names him, and nobody else is."""
    settings.ORM_VIEWS = {"TRUSTED_OWNERS": ["somebody"]}
    assert {view["state"] for view in statuses().values()} == {"drifted"}
    settings.ORM_VIEWS = {"TRUSTED_OWNERS": [attacker.role]}
    assert {view["state"] for view in statuses().values()} == {"synced"}
    assert "Warning" not in command("sync_views")
    assert not [m for m in check_views(None, databases=["default"]) if m.id == "orm_views_core.W018"]
