"""After a dump and restore nothing is rebuilt, although PostgreSQL writes its own texts otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Index, Q

from orm_views_core.database.sync_state import split_comment
from orm_views_core.refresh import refresh_views
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = pytest.mark.django_db

TABLE = """
CREATE TABLE public.parcels
    (id int PRIMARY KEY, status varchar(12), weight numeric(8, 2), sent date, city text, lost boolean)
"""
#: SELECTs whose text changes when PostgreSQL parses it once more.
UNSETTLED = {
    "a list of words": "SELECT id, status FROM parcels WHERE status IN ('sent', 'lost')",
    "no list of words": "SELECT id, status FROM parcels WHERE status NOT IN ('sent', 'lost')",
    "a leading range": "SELECT id, city FROM parcels WHERE id BETWEEN 3 AND 9 AND city <> 'Leeds'",
    "ranges in ranges": (
        "SELECT id, city FROM parcels WHERE (id BETWEEN 1 AND 2 AND weight BETWEEN 3 AND 4) AND NOT lost"
    ),
    "a word in a case": (
        "SELECT id, CASE WHEN status IN ('sent', 'lost') THEN 1 ELSE 0 END AS gone, city FROM parcels"
    ),
}


@pytest.fixture(autouse=True)
def parcels(execute):
    execute(TABLE)


def declare(name, sql, *, materialised=True, **attributes):
    bases = (PostgresMaterialisedViewMixin,) if materialised else ()
    return type(name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def restore(execute, *names: str) -> None:
    """Drop views, those that read others first, and create them from PostgreSQL's texts as a dump does."""
    found = []
    for name in names:
        ((kind, text, comment),) = execute(
            "SELECT relkind, pg_get_viewdef(oid), obj_description(oid, 'pg_class') FROM pg_class"
            f" WHERE oid = 'views.{name}'::regclass"
        )
        kind = "MATERIALIZED VIEW" if kind == "m" else "VIEW"
        indexes = execute(
            f"SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'views.{name}'::regclass"
        )
        execute(f"DROP {kind} views.{name}")
        found.append((name, kind, text, comment, indexes))
    for name, kind, text, comment, indexes in reversed(found):
        execute(f"CREATE {kind} views.{name} AS {text}")
        for (index,) in indexes:
            execute(index)
        execute(f"COMMENT ON {kind} views.{name} IS $comment${comment}$comment$")


def text_of(execute, name: str) -> str:
    return execute(f"SELECT pg_get_viewdef('views.{name}'::regclass)")[0][0]


def oids(execute, names: Iterable[str]):
    return {name: execute(f"SELECT 'views.{name}'::regclass::oid")[0][0] for name in names}


def steps():
    (plan,) = plan_views(["default"])
    return [(step.action.verb, step.target, step.reason) for step in plan.steps]


ADOPTED = ("adopt", "views.v", "it was restored from a dump; PostgreSQL's definition is the same")


@pytest.mark.parametrize("materialised", [True, False], ids=["materialised", "plain"])
@pytest.mark.parametrize("sql", UNSETTLED.values(), ids=list(UNSETTLED))
def test_a_restored_view_is_only_recorded_anew(sql, materialised, execute):
    declare("V", sql, materialised=materialised)
    sync_views()
    before = text_of(execute, "v")
    restore(execute, "v")
    assert text_of(execute, "v") != before
    assert steps() == [ADOPTED]
    there = oids(execute, ["v"])
    sync_views()
    assert oids(execute, ["v"]) == there
    assert steps() == []


def test_what_a_restored_view_reads_and_what_reads_it_stay_too(execute):
    declare("V", UNSETTLED["a list of words"], pk_field="id")
    declare("W", "SELECT * FROM views.v WHERE status NOT IN ('sent', 'held')", materialised=False)
    declare("X", "SELECT w.*, w AS whole FROM views.w WHERE id BETWEEN 1 AND 5 AND status IN ('a', 'b')")
    sync_views()
    names = ("x", "w", "v")
    restore(execute, *names)
    assert {(verb, reason) for verb, _, reason in steps()} == {(ADOPTED[0], ADOPTED[2])}
    there = oids(execute, names)
    sync_views()
    assert oids(execute, names) == there
    assert steps() == []


def test_a_restored_index_is_not_created_again(execute):
    index = Index(fields=["city"], condition=Q(status__in=["sent", "lost"]), name="gone")
    declare("V", "SELECT id, status, city FROM parcels", indexes=[index], pk_field="id")
    sync_views()
    restore(execute, "v")
    ((plain,),) = execute("SELECT 'views.gone'::regclass::oid")
    assert steps() == [ADOPTED]
    sync_views()
    assert execute("SELECT 'views.gone'::regclass::oid") == [(plain,)]
    assert steps() == []


def test_a_view_that_was_restored_long_ago_is_not_rebuilt_when_another_one_changes(execute):
    """The text of a restored view stays another one than that of its class, also after the sync."""
    below = declare("V", "SELECT id, status, city FROM parcels", materialised=False)
    declare("W", "SELECT id, city FROM views.v WHERE status IN ('sent', 'lost')", materialised=False)
    sync_views()
    restore(execute, "w")
    sync_views()
    below.sql = "SELECT id, status, city, lost FROM parcels"
    assert [step[:2] for step in steps()] == [("replace", "views.v")]


def test_a_restored_view_that_was_changed_is_put_back(execute):
    declare("V", "SELECT id, status FROM parcels WHERE status IN ('sent', 'lost')")
    sync_views()
    ((comment,),) = execute("SELECT obj_description('views.v'::regclass, 'pg_class')")
    execute("DROP MATERIALIZED VIEW views.v")
    execute("CREATE MATERIALIZED VIEW views.v AS SELECT id, status FROM parcels WHERE status = 'sent'")
    execute(f"COMMENT ON MATERIALIZED VIEW views.v IS $${comment}$$")
    reason = "it was restored from a dump, and its definition differs"
    assert steps() == [("rebuild", "views.v", reason)]


def test_a_changed_class_of_a_restored_view_is_said_too(execute):
    view = declare("V", "SELECT id, status FROM parcels WHERE status IN ('sent', 'lost')")
    sync_views()
    restore(execute, "v")
    view.sql = "SELECT id, status FROM parcels"
    reason = "its class has changed, and it was restored from a dump"
    assert steps() == [("rebuild", "views.v", reason)]


def test_a_view_that_somebody_changed_is_not_called_restored(execute):
    declare("V", "SELECT id, status FROM parcels", materialised=False)
    sync_views()
    execute("CREATE OR REPLACE VIEW views.v AS SELECT id + 0 AS id, status FROM parcels")
    assert steps() == [("replace", "views.v", "it was changed in the database")]
    assert status_of("v") == (State.DRIFTED, "It was changed in the database since the last sync.")


def pretend(execute, *, server: str, name: str = "v") -> None:
    """Change the server's version, and the fingerprint, in the sync state of a view, as an upgrade would."""
    ((comment,),) = execute(f"SELECT obj_description('views.{name}'::regclass, 'pg_class')")
    changed = re.sub(r"(\[orm_views \w+ )[0-9a-f]{16}[0-9]{2}", rf"\g<1>{'0' * 16}{server}", comment)
    assert changed != comment
    execute(f"COMMENT ON MATERIALIZED VIEW views.{name} IS $comment${changed}$comment$")


def conditions_of(name):
    (found,) = get_statuses(["default"])
    return next(view.conditions for view in found.views if view.name.name == name)


def status_of(name):
    worst, *_ = conditions_of(name)
    return worst.state, worst.reason


LATER = "since the last sync. If its SQL is the same, a sync only records it."


def test_an_upgraded_server_is_named(execute):
    declare("V", "SELECT id, status FROM parcels")
    sync_views()
    pretend(execute, server="09")
    assert status_of("v") == (State.CHANGED, f"It was upgraded from PostgreSQL 9 {LATER}")
    assert steps() == [
        ("adopt", "views.v", "it was upgraded from PostgreSQL 9; PostgreSQL's definition is the same")
    ]
    restore(execute, "v")
    assert status_of("v") == (State.CHANGED, f"It was restored from a dump of PostgreSQL 9 {LATER}")


def test_a_state_of_before_tells_nothing_of_a_server(execute):
    """An update of the package makes nothing look restored, and nothing drifted."""
    declare("V", "SELECT id, status FROM parcels")
    sync_views()
    ((comment,),) = execute("SELECT obj_description('views.v'::regclass, 'pg_class')")
    before = re.sub(r"(\[orm_views \w+ [0-9a-f]{16})[0-9a-f]{6}", r"\g<1>", comment)
    assert before != comment
    execute(f"COMMENT ON MATERIALIZED VIEW views.v IS $comment${before}$comment$")
    assert status_of("v")[0] is State.SYNCED
    assert steps() == []
    execute("ALTER TABLE parcels RENAME TO sendings")
    assert [each.state for each in conditions_of("v")] == [State.INVALID, State.DRIFTED]


def test_statistics_of_another_database_are_forgotten(execute):
    declare("V", UNSETTLED["a list of words"])
    sync_views()
    refresh_views(["views.v"])
    ((comment,),) = execute("SELECT obj_description('views.v'::regclass, 'pg_class')")
    assert comment.endswith(" c0]")
    restore(execute, "v")
    (found,) = get_statuses(["default"])
    assert [view.freshness.changed_rows for view in found.views] == [None]
    sync_views()
    ((comment,),) = execute("SELECT obj_description('views.v'::regclass, 'pg_class')")
    _, state = split_comment(comment)
    assert (state.changes, bool(state.refreshed)) == (None, True)


def test_a_view_that_was_restored_without_rows_has_no_refresh(execute):
    declare("V", "SELECT id, status FROM parcels WHERE status IN ('sent', 'lost')")
    sync_views()
    restore(execute, "v")
    execute("REFRESH MATERIALIZED VIEW views.v WITH NO DATA")
    assert [verb for verb, *_ in steps()] == ["adopt"]
    sync_views()
    ((comment,),) = execute("SELECT obj_description('views.v'::regclass, 'pg_class')")
    assert "refreshed" not in comment
    assert status_of("v")[0] is State.NOT_POPULATED


def check(*arguments):
    out = StringIO()
    call_command("sync_views", "--check", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_nothing_is_out_of_step_when_only_the_sync_state_is_to_be_written(execute):
    declare("V", UNSETTLED["a list of words"])
    sync_views()
    restore(execute, "v")
    assert "Only sync states would be written" in check()
    (plan,) = json.loads(check("--json").partition("\n]")[0] + "]")
    assert [step["action"] for step in plan["steps"]] == ["adopt"]
    execute("COMMENT ON COLUMN views.v.id IS 'by hand'; GRANT SELECT ON views.v TO PUBLIC")
    declare("W", "SELECT 1 AS id")
    with pytest.raises(CommandError, match="out of step"):
        check()
