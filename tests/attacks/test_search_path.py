"""Capturing our own statements by what others create where PostgreSQL looks names up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace as replaced
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations import Migration
from django.test import Client

from orm_views_core.engines.postgresql.locking.advisory_locks import SYNC_LOCK
from orm_views_core.exceptions import LockNotAvailableError, OrmViewsError
from orm_views_core.names import ViewName
from orm_views_core.refresh import plan_refresh, refresh_views
from orm_views_core.refresh_locks import cancel, find_running
from orm_views_core.sql.alterations import read_script
from orm_views_core.status import get_detail, get_statuses, read_sync_states
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.sync.executor import Progress
from orm_views_core.testing import refresh_for_test
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from orm_views_core.views.registry import registry
from orm_views_core.with_migrations.api import migrate_views
from orm_views_core.with_migrations.foresee import ForeseenMigration, Foresight
from orm_views_core.with_migrations.options import MigrateOptions
from orm_views_core.with_migrations.steps import Steps
from tests.admin.browse import forget
from tests.hostile import install

from .attacker import LAIR, Attacker, query
from .conftest import WHOLE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed_views")]

A, M, R = (ViewName("views", name) for name in "amr")

# What the operators and functions call.
NOTE = f"""
CREATE FUNCTION public.hostile_note(called regprocedure, what text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog AS $note$ BEGIN PERFORM {LAIR}.strike(); END $note$
"""


def declare(name: str, sql: str, *bases: type, **attributes: Any) -> None:
    type(name, (*bases, PostgresViewFromSQL), {"sql": sql, "__module__": __name__, **attributes})


def declare_materialised(name: str, sql: str, **attributes: Any) -> None:
    declare(name, sql, PostgresMaterialisedViewMixin, **attributes)


@contextmanager
def held(sql: str) -> Iterator[Callable[..., None]]:
    """Another session that has run SQL in an open transaction; the yielded function ends that."""
    other = connections.create_connection("default")
    other.inc_thread_sharing()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute(sql)
    try:
        yield lambda *_: other.rollback()
    finally:
        other.close()


def create() -> None:
    declare("New", "SELECT id FROM views.m")
    declare_materialised("Filled", "SELECT id FROM views.new", pk_field="id")
    sync_views()


def nothing() -> None:
    sync_views()
    sync_views(grant_select_permissions_to_user="public")


def plan() -> None:
    declare("A", "SELECT 2::bigint AS id, 'b' AS title")
    assert plan_views()[0].steps


def replace() -> None:
    declare("A", "SELECT 1 AS id, 'a' AS title, 2 AS more", updatable=True)
    sync_views()


def rebuild() -> None:
    declare("A", "SELECT 2::bigint AS id, 'b' AS title")
    sync_views()


def reindex_and_drop(registered: Any) -> None:
    forget(registered, "R")
    declare_materialised("M", "SELECT id, title FROM views.a")
    sync_views(drop_dependents=True)


def adopt() -> None:
    query("COMMENT ON VIEW views.a IS NULL; COMMENT ON MATERIALIZED VIEW views.m IS 'by hand'")
    sync_views()


def swap_again(settings: Any) -> None:
    settings.ORM_VIEWS |= {"LOCK_TIMEOUT": 0.05}
    declare("A", "SELECT 2::bigint AS id, 'b' AS title")
    waits: list[str] = []
    with held("SELECT FROM views.m") as release:
        sync_views(progress=Progress(on_wait=lambda what: (waits.append(what), release())))
    assert waits


def give_up(settings: Any) -> None:
    settings.ORM_VIEWS |= {"LOCK_TIMEOUT": 0.05, "LOCK_WAIT": 0.2}
    declare("A", "SELECT 2::bigint AS id, 'b' AS title")
    with held("SELECT FROM views.m"):
        with pytest.raises(LockNotAvailableError):
            sync_views()
        with pytest.raises(OrmViewsError):
            refresh_views(["m"], concurrently=False)


def wait_for_a_sync() -> None:
    waits: list[str] = []
    with held(f"SELECT pg_catalog.pg_advisory_xact_lock({SYNC_LOCK})") as release:
        sync_views(progress=Progress(on_wait=lambda what: (waits.append(what), release())))
    assert waits


def wait_for_a_refresh() -> None:
    waits: list[str] = []
    oid = query("SELECT 'views.m'::pg_catalog.regclass::pg_catalog.oid")[0][0]
    with held(f"SELECT pg_catalog.pg_advisory_xact_lock({int.from_bytes(b'ormr', 'big')}, {oid})") as release:
        refresh_views(on_wait=lambda start, what: (waits.append(what), release()))
    assert waits


def refresh() -> None:
    refresh_views(concurrently=False)


def refresh_concurrently() -> None:
    refresh_views(["m"], concurrently=True)
    refresh_views(jobs=2)


def refresh_due() -> None:
    plan_refresh(due=True, downstream=True, upstream=True)
    refresh_views(due=True)
    refresh_for_test()


def look() -> None:
    get_statuses()
    for name in (A, M, R):
        get_detail("default", name)
    read_sync_states("default", [A, M])


def check() -> None:
    call_command("check", databases=["default"])


def commands(capsys: Any) -> None:
    call_command("show_views", "--json")
    call_command("sync_views", "--plan")
    call_command("inspect_view", "a")
    call_command("refresh_views", "--plan")


MIGRATIONS = (
    "DO $$ BEGIN ALTER TABLE public.app_t ALTER size TYPE pg_catalog.int8; END $$",
    "ALTER TABLE public.app_t ALTER id TYPE pg_catalog.int8",
    "ALTER TABLE public.app_t DROP COLUMN gone CASCADE",
    "ALTER TABLE public.app_t RENAME COLUMN size TO width",
)


def migrate_with_views() -> None:
    query(
        "CREATE TABLE public.app_t "
        "(id pg_catalog.int4 PRIMARY KEY, size pg_catalog.int4, gone pg_catalog.text);"
        "INSERT INTO public.app_t VALUES (1, 2, 'c')"
    )
    try:
        declare("B", "SELECT id, size, gone FROM public.app_t")
        declare_materialised("N", "SELECT id, size FROM public.app_t", pk_field="id")
        declare("O", "SELECT id FROM views.n")
        sync_views()
        query("CREATE VIEW public.others AS SELECT id, size FROM public.app_t")
        declare("B", "SELECT id, width FROM public.app_t")
        declare_materialised("N", "SELECT id, width FROM public.app_t", pk_field="id")
        # The registry has the later class of each name only.
        later = {view.__name__: view for view in registry.views()}
        for view in registry.views():
            if later[view.__name__] is not view:
                registry.unregister(view)
        _migrate()
        assert query("SELECT width FROM views.n") == [(2,)]
        assert query("SELECT size FROM public.others") == [(2,)]
    finally:
        query("DROP VIEW IF EXISTS public.others; DROP TABLE public.app_t CASCADE")


def _migrate() -> None:
    migration = Migration("0001", "app")
    foreseen = ForeseenMigration(migration, False, tuple(map(read_script, MIGRATIONS)))
    names = ViewName("views", "b"), ViewName("views", "n"), ViewName("public", "others")
    standing = dict.fromkeys(names, foreseen.scripts[1].alterations[0])

    def work(steps: Steps) -> None:
        steps.before(migration)
        for statement in MIGRATIONS:
            query(statement)
        steps.after(migration)

    foresight = Foresight((replaced(foreseen, standing=standing),))
    migrate_views("default", work, MigrateOptions(), foresight=foresight)


def find_and_cancel() -> None:
    from orm_views_core.engines.postgresql.cancellation import cancel_work
    from orm_views_core.engines.postgresql.locking.blocking import find_blockers
    from orm_views_core.engines.postgresql.locking.sessions import find_backends, own_backend

    own = own_backend("default")
    with held(f"SELECT pg_catalog.pg_advisory_xact_lock({SYNC_LOCK}), pg_catalog.pg_sleep(0)"):
        (running,) = find_running("default")
        (backend,) = find_backends("default", [running.pid]).values()
        find_blockers("default", running.pid)
        assert not cancel("default", own.pid)
        assert not cancel_work("default", running.pid, own.started, M)
        assert cancel("default", running.pid)
        assert cancel_work("default", running.pid, backend.started, None)


def browse(admin_client: Client) -> None:
    declare("A", "SELECT 2::bigint AS id, 'b' AS title")
    for page in ("sync/", "refresh/", "runs/"):
        assert admin_client.get(f"/admin/orm-views/{page}").status_code == 200, page


SCENARIOS = [
    *(create, nothing, plan, replace, rebuild, reindex_and_drop, adopt, swap_again, give_up),
    *(wait_for_a_sync, wait_for_a_refresh, refresh, refresh_concurrently, commands, find_and_cancel),
    migrate_with_views,
]
#: Those whose statements have no better match, but may call what is found first.
READING = [look, check, refresh_due, browse]


def scenarios(everything: list[Any], sample: list[Any]) -> pytest.MarkDecorator:
    """Parametrize a test with all scenarios, or with those that send most of our statements."""
    chosen = everything if WHOLE else sample
    return pytest.mark.parametrize("scenario", chosen, ids=lambda each: each.__name__)


@pytest.fixture
def attack(request: pytest.FixtureRequest, attacker: Attacker) -> Iterator[Callable[..., None]]:
    """A function that syncs three views with extras, has the attacker prepare, and then runs a scenario."""
    query("GRANT CREATE ON SCHEMA public TO PUBLIC")  # as PostgreSQL 14 has it
    attacker.run(f"ALTER FUNCTION {LAIR}.strike() SET search_path = pg_catalog, pg_temp")

    def run(scenario: Callable[..., None], prepare: Callable[[], Any]) -> None:
        declare("A", "SELECT 1 AS id, 'a' AS title")
        declare_materialised("M", "SELECT id, title FROM views.a", pk_field="id")
        declare("R", "SELECT id FROM views.m")
        sync_views()
        query(
            "CREATE INDEX by_hand ON views.m (title); COMMENT ON INDEX views.by_hand IS 'mine';"
            "CREATE STATISTICS views.both (ndistinct) ON id, title FROM views.m;"
            "CREATE VIEW public.external AS SELECT id FROM views.r; GRANT SELECT (id) ON views.m TO PUBLIC;"
            "CREATE RULE ignored AS ON INSERT TO views.a DO INSTEAD NOTHING"
        )
        prepare()
        wanted = scenario.__code__.co_varnames[: scenario.__code__.co_argcount]
        scenario(*map(request.getfixturevalue, wanted))
        query("SET search_path = pg_catalog, pg_temp")
        assert attacker.struck() == set()

    yield run
    query("RESET search_path; DROP SCHEMA IF EXISTS views CASCADE; DROP VIEW IF EXISTS public.external")
    query(f"REVOKE CREATE ON SCHEMA public FROM PUBLIC; DROP OWNED BY {attacker.role} CASCADE")
    connections["default"].close()  # the temporary schema ends with the session


def prepare_better_matches(attacker: Attacker, **arguments: Any) -> None:
    types = ("int4", "text", "name", '"char"', "oid", "numeric", "interval")
    install(attacker._connection, types=types, few=(), literals=True, note=NOTE, **arguments)


@scenarios(SCENARIOS, SCENARIOS[::5])
def test_better_matches(attack: Any, attacker: Attacker, scenario: Callable[..., None]) -> None:
    """Operators and functions in public fit our statements better than those of PostgreSQL."""
    attack(scenario, lambda: prepare_better_matches(attacker))


@scenarios(SCENARIOS, [rebuild, refresh_concurrently])
def test_better_matches_in_our_schema(attack: Any, attacker: Attacker, scenario: Any) -> None:
    """The same in the schema of our views, which is in the search path."""

    def prepare() -> None:
        query("GRANT USAGE, CREATE ON SCHEMA views TO PUBLIC; SET search_path = views, public")
        prepare_better_matches(attacker, schema="views")

    attack(scenario, prepare)


# Pages also send what Django's ORM writes, along the project's path.
@scenarios(
    [*SCENARIOS, *READING[:-1]],
    [swap_again, look],
)
@pytest.mark.parametrize("path", ["public, pg_catalog", '"$user", public, pg_temp, pg_catalog'])
def test_a_path_with_public_before_pg_catalog(
    attack: Any, attacker: Attacker, scenario: Any, path: str, settings: Any
) -> None:
    """The search path names public before pg_catalog, so that equal functions and types of others win."""

    # psycopg 3 gives lists a type.
    settings.ORM_VIEWS = {**settings.ORM_VIEWS, "TRUSTED_OWNERS": [attacker.role + "_friend"]}

    def prepare() -> None:
        query(f"SET search_path = {path}")
        types = ("text", "name", '"char"', "oid", "regclass")
        install(attacker._connection, types=types, few=("text", "oid"), note=NOTE, exact=True)

    attack(scenario, prepare)


@scenarios([*SCENARIOS, *READING], [rebuild, migrate_with_views, look])
def test_temporary_types_with_the_names_of_types(attack: Any, attacker: Attacker, scenario: Any) -> None:
    """Temporary domains, named like the types that we cast to, have checks that run functions of others."""

    def prepare() -> None:
        for name in ("text", "regclass", "oid", "name", "float8", "int4", "int8", "bool", "jsonb", "json"):
            base = f"pg_catalog.{name}"
            query(f"CREATE DOMAIN pg_temp.{name} AS {base} CHECK ({LAIR}.strike())")
            query(f"CREATE DOMAIN pg_temp._{name}_ AS {base}[]")

    attack(scenario, prepare)
