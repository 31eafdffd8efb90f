"""The sync state in a comment: an attacker writes one, or something like one, on views of his own."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import threading
import time
import uuid
from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orm_views_admin.models import Run
from orm_views_admin.runs import reconcile
from orm_views_core.database.sync_state import SyncState, split_comment
from orm_views_core.engines.postgresql.locking.advisory_locks import try_refresh_lock
from orm_views_core.names import ViewName
from orm_views_core.refresh import refresh_views
from orm_views_core.refresh.results import Outcome
from orm_views_core.status import State, get_statuses, read_sync_states
from orm_views_core.sync import plan_views, sync_views
from tests.admin.browse import declare, declare_materialised
from tests.core.database.json_states import as_json
from tests.core.database.test_sync_state import ODD

from .attacker import LAIR, Attacker, connect_as, query
from .conftest import WHOLE
from .everywhere import everything_works, statuses

pytestmark = pytest.mark.django_db(transaction=True)

NOW = dt.datetime.now(dt.timezone.utc)
FORGED = SyncState(
    database="default",
    code="0" * 16,
    installed="0" * 16,
    synced=NOW,
    refreshed=NOW + dt.timedelta(days=3650),
    seconds=424242.0,
    indexes=("v_index",),
    options=("security_barrier",),
    granted=("public",),
    changes=1,
)

#: Where an attacker may have something with a comment: the statement that makes it, and what it is called.
PLACES = {
    "TEMP view": ("CREATE TEMP VIEW forged AS SELECT 1 AS id", "VIEW forged"),
    "TEMP view called as ours": ("CREATE TEMP VIEW ours AS SELECT 1 AS id", "VIEW ours"),
    "TEMP view on ours": ("CREATE TEMP VIEW forged AS SELECT * FROM views.ours", "VIEW forged"),
    "TEMP table": ("CREATE TEMP TABLE forged AS SELECT 1 AS id", "TABLE forged"),
    "view": (f"CREATE VIEW {LAIR}.forged AS SELECT 1 AS id", f"VIEW {LAIR}.forged"),
    "view on ours": (f"CREATE VIEW {LAIR}.forged AS SELECT * FROM views.ours", f"VIEW {LAIR}.forged"),
    "materialised view": (
        f"CREATE MATERIALIZED VIEW {LAIR}.forged AS SELECT 1 AS id",
        f"MATERIALIZED VIEW {LAIR}.forged",
    ),
    "view in our schema": ("CREATE VIEW views.forged AS SELECT 1 AS id", "VIEW views.forged"),
    "view in our schema on ours": (
        "CREATE VIEW views.forged AS SELECT * FROM views.ours",
        "VIEW views.forged",
    ),
    "materialised view in our schema": (
        "CREATE MATERIALIZED VIEW views.forged AS SELECT 1 AS id",
        "MATERIALIZED VIEW views.forged",
    ),
    "table in our schema": ("CREATE TABLE views.forged (id int)", "TABLE views.forged"),
    "sequence in our schema": ("CREATE SEQUENCE views.forged", "SEQUENCE views.forged"),
    "type in our schema": ("CREATE TYPE views.forged AS (id int)", "TYPE views.forged"),
    "column in our schema": ("CREATE VIEW views.forged AS SELECT 1 AS id", "COLUMN views.forged.id"),
    "rule in our schema": ("CREATE VIEW views.forged AS SELECT 1 AS id", 'RULE "_RETURN" ON views.forged'),
}


@pytest.fixture
def ours(attacker: Attacker) -> None:
    """A view of ours, a materialised one, and a schema in which the attacker may create."""
    declare("Ours", "SELECT 1 AS id")
    declare_materialised("Stored", "SELECT 1 AS id", pk_field="id")
    sync_views()
    query(f"GRANT USAGE, CREATE ON SCHEMA views TO {attacker.role}")
    query(f"GRANT SELECT ON ALL TABLES IN SCHEMA views TO {attacker.role}")


def forge(attacker: Attacker, place: str, comment: str) -> str:
    """Have the attacker make something and write a comment on it; return its name."""
    make, what = PLACES[place]
    attacker.run(make)
    attacker.run(f"COMMENT ON {what} IS %s", [comment])
    return make.split(" AS ")[0].split(" (")[0].split()[-1]


def is_there(attacker: Attacker, name: str) -> bool:
    return attacker.run("SELECT coalesce(to_regclass(%s), to_regtype(%s)::oid) IS NOT NULL", [name] * 2)[0][0]


@pytest.mark.parametrize("place", PLACES)
def test_a_forged_sync_state_makes_no_orphan(place: str, attacker: Attacker, ours: None) -> None:
    """A valid sync state, written by an attacker on something of his, is no reason to drop it or to stop."""
    name = forge(attacker, place, FORGED.dump())
    assert [(step.name, step.action) for plan in plan_views() for step in plan.steps] == []
    (result,) = sync_views()
    assert not result.plan.problems
    assert is_there(attacker, name)
    found = {status.name: status.state for database in get_statuses() for status in database.views}
    assert found.pop(ViewName("views", "ours")) is found.pop(ViewName("views", "stored")) is State.SYNCED
    assert set(found.values()) <= {State.UNMANAGED}
    assert all(view.schema == "views" for view in found if view)


@pytest.mark.parametrize("place", PLACES)
def test_a_forged_sync_state_refuses_no_drop_of_all(place: str, attacker: Attacker, registered: Any) -> None:
    """With no view registered, a forged sync state neither stops a sync nor is it dropped."""
    query(f"CREATE SCHEMA views; GRANT USAGE, CREATE ON SCHEMA views TO {attacker.role}")
    query("CREATE VIEW views.ours AS SELECT 1 AS id")
    query(f"GRANT SELECT ON views.ours TO {attacker.role}")
    name = forge(attacker, place, FORGED.dump())
    sync_views()
    sync_views(allow_drop_all=True)
    assert is_there(attacker, name)


@pytest.mark.parametrize("place", [place for place in PLACES if "column" not in place])
def test_a_forged_sync_state_is_read_nowhere(place: str, attacker: Attacker, ours: None) -> None:
    """Each command and page does its work beside a forged sync state, and shows nothing that it claims."""
    name = forge(attacker, place, FORGED.dump())
    schema, _, relation = name.rpartition(".")
    views = [ViewName(schema, relation)] if schema == "views" and " VIEW " in PLACES[place][0] else []
    said = everything_works(ViewName("views", "stored"), *views)
    assert "424242" not in said
    assert str(FORGED.refreshed.year) not in said  # type: ignore[union-attr]
    assert is_there(attacker, name)


#: Comments that crashed commands and pages, and others of their kind.
COMMENTS = [
    *(as_json(FORGED).replace('"changes": 1', f'"{name}": {odd}') for name in
      ("refreshed", "seconds", "changes", "indexes", "database", "text_by_hand") for odd in ODD
      if len(odd) < 200_000),
    '{"orm_views": ' + "[" * 100_000,
    '{"orm_views": 1, "later": ' + '{"a":' * 100_000,
    '{"orm_views":' * 100_000,
    '{"orm_views":\n' + "[1,\n" * 2_000,
    as_json(FORGED).replace('"0000000000000000"', '["x"]', 1),
    as_json(FORGED).replace("default", "x" * 2_000_000),
    as_json(FORGED).replace("default", "\N{RIGHT-TO-LEFT OVERRIDE}\N{PILE OF POO}"),
    *(f"{FORGED.dump()[:-1]} {odd}]" for odd in
      ("rzzzzzzzzzzzzzz", "r-1", "tnan", "t1e999", "t-1", "czzzzzzzzzzzzz", "c-1", "dother", "d%00",
       "i%00,%ff", "d" + "x" * 2_000_000, "i" + "a," * 500_000, "s1 " * 300_000, "d%E2%80%AE%F0%9F%92%A9")),
    "[orm_views " * 100_000 + "]" * 100_000,
]  # fmt: skip
COMMENTS = [
    comment for comment in COMMENTS if "\0" not in comment and not re.search("[\ud800-\udfff]", comment)
]
#: From here on they are of other kinds than the many before.
_LATER = len(COMMENTS) - 22
#: Which of them to try together: all at once find whatever breaks; few at a time, and the later ones one at a
#: time, find what another one hides.
TOGETHER = [
    range(0, len(COMMENTS), 1 if WHOLE else 9),
    *([range(_LATER, len(COMMENTS))] if WHOLE else []),
    *(range(n, min(n + 10, _LATER)) for n in range(0, _LATER, 10) if WHOLE),
    *([number] for number in range(_LATER, len(COMMENTS)) if WHOLE),
]
together = pytest.mark.parametrize("numbers", TOGETHER, ids=lambda numbers: f"{min(numbers)}-{max(numbers)}")


def named(prefix: str, numbers: Iterable[int]) -> list[ViewName]:
    """Return the views whose own pages are opened: some of those that have the numbers."""
    last = _LATER
    return [ViewName("views", f"{prefix}{n}") for n in numbers if WHOLE or n % 25 == 0 or n >= last]


@together
def test_odd_comments_on_views_of_his_in_our_schema(
    numbers: Iterable[int], attacker: Attacker, ours: None
) -> None:
    """Comments like sync states, with brackets, numbers or times that break a parser, stop nobody."""
    for n in numbers:
        attacker.run(f"CREATE MATERIALIZED VIEW views.odd{n} AS SELECT 1 AS id")
        attacker.run(f"COMMENT ON MATERIALIZED VIEW views.odd{n} IS %s", [COMMENTS[n]])
    everything_works(ViewName("views", "stored"), *named("odd", numbers))


@together
def test_odd_comments_on_registered_views_of_his(
    numbers: Iterable[int], attacker: Attacker, ours: None
) -> None:
    """The same on registered views that were handed to the attacker."""
    for n in numbers:
        declare_materialised(f"Odd{n}", "SELECT 1 AS id", pk_field="id", refresh_every=dt.timedelta(hours=1))
    sync_views()
    for n in numbers:
        query(f"ALTER MATERIALIZED VIEW views.odd{n} OWNER TO {attacker.role}")
        attacker.run(f"COMMENT ON MATERIALIZED VIEW views.odd{n} IS %s", [COMMENTS[n]])
    everything_works(*named("odd", numbers))
    for n in numbers:
        ((comment,),) = query(f"SELECT obj_description('views.odd{n}'::regclass, 'pg_class')")
        assert comment == COMMENTS[n], "nothing was written"


@together
def test_odd_comments_of_a_trusted_owner(numbers: Iterable[int], ours: None) -> None:
    """The same on registered views of ours, by somebody who may: the next sync records them again."""
    for n in numbers:
        declare_materialised(f"Odd{n}", "SELECT 1 AS id", pk_field="id", refresh_every=dt.timedelta(hours=1))
    sync_views()
    for n in numbers:
        query(f"COMMENT ON MATERIALIZED VIEW views.odd{n} IS %s", [COMMENTS[n]])
    everything_works(*named("odd", numbers))
    for n in numbers:
        ((comment,),) = query(f"SELECT obj_description('views.odd{n}'::regclass, 'pg_class')")
        assert split_comment(comment)[1] is not None


_fields = [field.name for field in dataclasses.fields(SyncState)]
_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=8,
)


def test_random_comments(attacker: Attacker, ours: None) -> None:
    """Random JSON for a sync state, on a view of ours and on one of the attacker's: nobody is stopped."""
    forge(attacker, "materialised view in our schema", "")

    @given(st.dictionaries(st.sampled_from(_fields), _any), st.booleans())
    @settings(
        max_examples=200 if WHOLE else 4,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        database=None,
    )
    def attack(values: dict[str, Any], is_whole: bool) -> None:
        comment = json.dumps({**(json.loads(as_json(FORGED)) if is_whole else {"orm_views": 1}), **values})
        query("COMMENT ON MATERIALIZED VIEW views.stored IS %s", [comment])
        attacker.run("COMMENT ON MATERIALIZED VIEW views.forged IS %s", [comment])
        everything_works(ViewName("views", "stored"), ViewName("views", "forged"))

    attack()


def test_many_views_with_huge_comments(attacker: Attacker, ours: None) -> None:
    """Views of the attacker's elsewhere with huge forged sync states: nobody even looks at the comments."""
    noise = "string_agg(md5(random()::text || i), '') FROM generate_series(1, 20000) i"
    count = 1_000 if WHOLE else 50

    def pages() -> int:
        """Return how many pages of the catalogs the query of the relations touches, TOAST included."""
        with CaptureQueriesContext(connections["default"]) as queries:
            get_statuses()
        (sent,) = [q["sql"] for q in queries if "relispopulated, c.reltuples" in q["sql"]]
        with connections["default"].cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sent}")
            ((plan,),) = cursor.fetchall()[0]
        return int(plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"])

    for n in range(count):
        attacker.run(f"CREATE VIEW {LAIR}.forged{n} AS SELECT 1 AS id")
    query("ANALYZE pg_class; ANALYZE pg_description")
    before = pages()
    ((long,),) = query(f"SELECT {noise}")
    for n in range(count):
        attacker.run(f"COMMENT ON VIEW {LAIR}.forged{n} IS %s", [long + FORGED.dump()])
    assert pages() - before < 20 * count  # reading the comments would take 300 pages for each
    assert len(statuses()) == 2


@pytest.mark.parametrize("change", ["none", "forged", "future", "much later"])
def test_a_forged_time_of_refresh_ends_no_refresh(change: str, attacker: Attacker, ours: None) -> None:
    """A registered view of the attacker's claims to have been refreshed: it is refreshed all the same."""
    query(f"ALTER MATERIALIZED VIEW views.stored OWNER TO {attacker.role}")
    ((before,),) = query("SELECT obj_description('views.stored'::regclass, 'pg_class')")
    state = split_comment(before)[1]
    assert state is not None
    later = {"forged": NOW, "future": FORGED.refreshed, "much later": NOW.replace(year=2900)}.get(change)
    comment = dataclasses.replace(state, refreshed=later).dump()
    attacker.run("COMMENT ON MATERIALIZED VIEW views.stored IS %s", [comment])
    (result,) = refresh_views()
    assert result.outcome is Outcome.REFRESHED
    assert query("SELECT obj_description('views.stored'::regclass, 'pg_class')") == [(comment,)]
    assert read_sync_states("default", [ViewName("views", "stored")]) == {}


def test_a_forged_time_settles_no_run(attacker: Attacker, ours: None) -> None:
    """A run whose process has died has not succeeded because the attacker's comment says so."""
    query(f"ALTER MATERIALIZED VIEW views.stored OWNER TO {attacker.role}")
    attacker.run("COMMENT ON MATERIALIZED VIEW views.stored IS %s", [FORGED.dump()])
    long_ago = timezone.now() - dt.timedelta(hours=1)
    run = Run.objects.create(
        request=uuid.uuid4(), kind="refresh", database="default", schema="views", name="stored",
        state="running", queued_at=long_ago, claimed_at=long_ago, started_at=long_ago,
    )  # fmt: skip
    reconcile()
    run.refresh_from_db()
    assert run.state == "lost"
    run.delete()


def test_a_forged_time_is_not_joined(attacker: Attacker, ours: None) -> None:
    """While another session holds the lock of a refresh, the attacker's comment says that it is done: no."""
    query(f"ALTER MATERIALIZED VIEW views.stored OWNER TO {attacker.role}")
    other = connect_as(query("SELECT current_user")[0][0])
    other.set_autocommit(False)
    assert try_refresh_lock(other, query("SELECT 'views.stored'::regclass::oid")[0][0])
    done: list[Any] = []
    thread = threading.Thread(target=lambda: (done.extend(refresh_views()), connections.close_all()))
    thread.start()
    deadline = time.monotonic() + 30
    while not query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    attacker.run("COMMENT ON MATERIALIZED VIEW views.stored IS %s", [FORGED.dump()])
    other.close()
    thread.join()
    assert [result.outcome for result in done] == [Outcome.REFRESHED]
