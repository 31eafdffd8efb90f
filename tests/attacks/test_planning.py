"""Planning and building run nobody else's code, whoever owns what reads our views."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from django.core.management import CommandError, call_command

from orm_views_core.views.registry import registry
from tests.core.keeping import declare
from tests.sampling import sample

from . import views
from .attacker import LAIR, Attacker, query

pytestmark = pytest.mark.django_db(transaction=True)

READ = "SELECT id, city FROM views.people"


@pytest.fixture
def project(attacker: Attacker) -> Iterator[None]:
    """The views, which the attacker may read."""
    views.begin(attacker.role)
    yield
    views.end()


def _sync(*arguments: str) -> str:
    """Rebuild ``views.people``; return what is said, also when it stops."""
    try:
        return views.sync(views.REBUILT, *arguments)
    except CommandError as error:
        return str(error)


#: What the attacker puts on a materialised view of its own.
ON_A_MATERIALISED_VIEW = {
    "index of an expression": f"CREATE INDEX ON {LAIR}.m (({LAIR}.evil(1)))",
    "predicate of an index": f"CREATE INDEX ON {LAIR}.m (id) WHERE {LAIR}.evil(1) > 0",
    "unique index": f"CREATE UNIQUE INDEX ON {LAIR}.m (id, ({LAIR}.evil(id)))",
    "included column": f"CREATE INDEX ON {LAIR}.m (({LAIR}.evil(2))) INCLUDE (city)",
    "extended statistics": f"CREATE STATISTICS {LAIR}.s ON id, ({LAIR}.evil(id)) FROM {LAIR}.m",
    "query": "",
}


@pytest.mark.parametrize("way", ["--plan", "--check", ""])
@pytest.mark.parametrize("what", ON_A_MATERIALISED_VIEW)
def test_on_a_materialised_view(attacker: Attacker, project: None, what: str, way: str) -> None:
    """A function in what belongs to a materialised view of the attacker that reads ours."""
    attacker.function(f"{LAIR}.evil(integer)", "integer", "$1")
    called = f", {LAIR}.evil(7) AS e" if what == "query" else ""
    attacker.run(f"CREATE MATERIALIZED VIEW {LAIR}.m AS SELECT id, city{called} FROM views.people")
    attacker.run(ON_A_MATERIALISED_VIEW[what] or "SELECT 1")
    attacker.run(f"ANALYZE {LAIR}.m")
    said = _sync(*([way] if way else []))
    assert attacker.struck() == set()
    assert f"{LAIR}.m" in said or way == "--check", said
    if not way:
        owner = (
            f"SELECT relowner::regrole::text, count(*) OVER () FROM pg_class WHERE oid = '{LAIR}.m'::regclass"
        )
        assert query(owner) == [(attacker.role, 1)]
        assert query("SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass", [f"{LAIR}.m"]) == [
            (1 if "INDEX" in ON_A_MATERIALISED_VIEW[what] else 0,)
        ]


#: Types that run a function of the attacker when a constant of them is parsed.
TYPES = {
    "composite": f"CREATE TYPE {LAIR}.t AS (d {LAIR}.dom)",
    "array": f"CREATE DOMAIN {LAIR}.t AS {LAIR}.dom[]",
    "range": f"CREATE TYPE {LAIR}.t AS RANGE (SUBTYPE = {LAIR}.dom)",
    "domain": f"CREATE DOMAIN {LAIR}.t AS {LAIR}.dom",
}
CONSTANTS = {"composite": "(1)", "array": "{1}", "range": "[1,2]", "domain": "1"}

#: Where the constant is: the query, or what is on the view.
PLACES = {
    "query": (f"CREATE VIEW {LAIR}.v AS SELECT id, {{constant}} AS c FROM views.people",),
    "condition": (f"CREATE VIEW {LAIR}.v AS {READ} WHERE {{constant}} IS NOT NULL",),
    "materialised": (f"CREATE MATERIALIZED VIEW {LAIR}.v AS SELECT id, {{constant}} AS c FROM views.people",),
    "index": (
        f"CREATE MATERIALIZED VIEW {LAIR}.v AS {READ}",
        f"CREATE INDEX ON {LAIR}.v (id) WHERE {{constant}} IS NOT NULL",
    ),
    "rule": (
        f"CREATE VIEW {LAIR}.v AS {READ}",
        f"CREATE RULE r AS ON DELETE TO {LAIR}.v WHERE {{constant}} IS NOT NULL DO INSTEAD NOTHING",
    ),
    "default": (
        f"CREATE VIEW {LAIR}.v AS {READ}",
        f"ALTER VIEW {LAIR}.v ALTER COLUMN id SET DEFAULT CASE WHEN {{constant}} IS NOT NULL THEN 1 END",
    ),
}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("place", sample(PLACES, 3))
def test_constants_that_run_a_function_when_they_are_parsed(
    attacker: Attacker, project: None, kind: str, place: str
) -> None:
    """A constant of a type whose domain checks by a function: PostgreSQL runs that while it parses."""
    attacker.function(f"{LAIR}.evil(integer)", "boolean", "true")
    attacker.run(f"CREATE DOMAIN {LAIR}.dom AS integer CHECK ({LAIR}.evil(VALUE))")
    attacker.run(TYPES[kind])
    for statement in PLACES[place]:
        attacker.run(statement.format(constant=f"'{CONSTANTS[kind]}'::{LAIR}.t"))
    said = _sync()
    assert attacker.struck() == set()
    assert f"{LAIR}.v" in said
    assert "TRUSTED_OWNERS" in said
    assert query(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'views.people'::regclass AND attnum > 0"
    ) == [(3,)]
    _sync("--drop-dependents")
    assert attacker.struck() == set()
    assert query(f"SELECT to_regclass('{LAIR}.v')") == [(None,)]


def test_objects_in_the_staging_schema(attacker: Attacker, project: None) -> None:
    """A function that runs while the attacker's copy is filled puts an operator into our staging schema."""
    attacker.run(
        f"CREATE FUNCTION {LAIR}.plant() RETURNS integer LANGUAGE plpgsql AS $$"
        "DECLARE stage text; BEGIN "
        "FOR stage IN SELECT nspname FROM pg_namespace WHERE nspname LIKE 'orm_views%' LOOP "
        "BEGIN EXECUTE format('CREATE FUNCTION %I.lower(varchar) RETURNS text LANGUAGE sql IMMUTABLE AS "
        f"''SELECT {LAIR}.strike()::text''', stage); EXCEPTION WHEN insufficient_privilege THEN NULL; END; "
        "END LOOP; RETURN 1; END$$"
    )
    attacker.run(f"CREATE MATERIALIZED VIEW {LAIR}.m AS SELECT id, {LAIR}.plant() AS p FROM views.people")
    said = _sync()
    assert f"{LAIR}.m" in said
    assert attacker.struck() == set()
    assert query(
        "SELECT count(*) FROM pg_proc WHERE pronamespace::regnamespace::text LIKE 'orm_views%%'"
    ) == [(0,)]
    assert query(f"SELECT count(*) FROM {LAIR}.m") == [(50,)]


@pytest.mark.parametrize("where", ["public", "views"])
def test_operators_that_capture_the_attackers_neighbour(
    attacker: Attacker, project: None, make_login: Callable[..., str], where: str
) -> None:
    """An operator in a schema of the search path, for the copy of a third person's view."""
    third = make_login("third")
    query(
        "CREATE SCHEMA theirs; GRANT USAGE ON SCHEMA views TO PUBLIC; GRANT SELECT ON views.people TO PUBLIC"
    )
    query(f"GRANT CREATE, USAGE ON SCHEMA theirs, public, views TO {third}, {attacker.role}")
    query(f"ALTER ROLE {query('SELECT current_user')[0][0]} SET search_path = public, views")
    try:
        query(
            "CREATE VIEW theirs.v AS SELECT id, id || city AS c FROM views.people;"
            f"ALTER VIEW theirs.v OWNER TO {third}"
        )
        attacker.function(f"{where}.join_them(integer, text)", "text", "'captured'")
        attacker.run(
            f"CREATE OPERATOR {where}.|| (LEFTARG = integer, RIGHTARG = text, FUNCTION = {where}.join_them)"
        )
        before = query("SELECT pg_get_viewdef('theirs.v'::regclass)")
        query("SET search_path = public, views")
        _sync()
        query("RESET search_path")
        assert query("SELECT pg_get_viewdef('theirs.v'::regclass)") == before
        assert query("SELECT DISTINCT c FROM theirs.v WHERE id = 1") == [("1c1",)]
        assert attacker.struck() == set()
    finally:
        query(f"ALTER ROLE {query('SELECT current_user')[0][0]} RESET search_path; RESET search_path")
        query("DROP SCHEMA theirs CASCADE")
        query(f"DROP OWNED BY {attacker.role} CASCADE")


@pytest.mark.parametrize("way", ["--plan", ""])
def test_a_role_that_is_no_member_of_the_owner(
    attacker: Attacker,
    make_login: Callable[..., str],
    connected_as: Callable[[str], AbstractContextManager[None]],
    way: str,
) -> None:
    """The attacker's functions, planned by an owner of views that is no member of the attacker's role."""
    owner = make_login("owner")
    query(f"CREATE SCHEMA views AUTHORIZATION {owner}; CREATE SCHEMA base AUTHORIZATION {owner}")
    query(f"GRANT CREATE ON DATABASE {query('SELECT current_database()')[0][0]} TO {owner}")
    try:
        with connected_as(owner):
            query("CREATE TABLE base.people AS SELECT 1 AS id, 'c' AS city, 1960 AS born")
            _sync_base("id, city, born")
            query(f"GRANT USAGE ON SCHEMA views TO {attacker.role}")
            query(f"GRANT SELECT ON views.people TO {attacker.role}")
            attacker.function(f"{LAIR}.evil(integer)", "integer", "$1")
            attacker.run(f"CREATE MATERIALIZED VIEW {LAIR}.m AS {READ}")
            attacker.run(f"CREATE INDEX ON {LAIR}.m (({LAIR}.evil(1)))")
            said = _sync_base("id, city", *([way] if way else []))
        assert attacker.struck() == set()
        assert f"{LAIR}.m" in said
        assert attacker.role in said
        assert query(f"SELECT count(*) FROM {LAIR}.m") == [(1,)]
    finally:
        query("DROP SCHEMA base CASCADE")


def _sync_base(columns: str, *arguments: str) -> str:
    out = io.StringIO()
    with registry.isolated():
        declare("People", f"SELECT {columns} FROM base.people")
        try:
            call_command("sync_views", *arguments, stdout=out, stderr=out)
        except CommandError as error:
            return out.getvalue() + str(error)
    return out.getvalue()


def test_a_staging_schema_that_is_there_already(attacker: Attacker, project: None) -> None:
    """A schema with the name that our staging schema would have, and views in it."""
    query(f"GRANT CREATE ON DATABASE {query('SELECT current_database()')[0][0]} TO {attacker.role}")
    attacker.run(
        "CREATE SCHEMA orm_views_staging_0; CREATE VIEW orm_views_staging_0.people AS SELECT 1 AS id"
    )
    try:
        with views.declared(views.REBUILT, materialised=True):
            call_command("sync_views", stdout=io.StringIO())
        assert attacker.run("SELECT id FROM orm_views_staging_0.people") == [(1,)]
        assert query("SELECT relkind::text FROM pg_class WHERE oid = 'views.people'::regclass") == [("m",)]
    finally:
        query("DROP SCHEMA orm_views_staging_0 CASCADE")


@pytest.mark.parametrize(
    "kind", ["BEFORE UPDATE OF city", "BEFORE UPDATE OF id, city", "AFTER UPDATE OF city"]
)
def test_a_trigger_on_columns_of_our_view(attacker: Attacker, project: None, kind: str) -> None:
    """A trigger for UPDATE OF a column of our own view: it is kept, and not in the way."""
    attacker.run(
        f"CREATE FUNCTION {LAIR}.on_update() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN PERFORM {LAIR}.strike(); RETURN NULL; END$$; GRANT ALL ON SCHEMA {LAIR} TO PUBLIC"
    )
    attacker.run(f"CREATE TRIGGER theirs {kind} ON views.people EXECUTE FUNCTION {LAIR}.on_update()")
    said = views.sync(views.REBUILT, "--plan")
    assert "trigger theirs" in said
    assert "depends on it" not in said
    _sync()
    assert query("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'views.people'::regclass") == [(1,)]
    assert attacker.struck() == set()


@pytest.mark.parametrize("way", ["--plan", ""])
def test_a_condition_of_a_trigger_on_our_view(attacker: Attacker, project: None, way: str) -> None:
    """A constant that runs a function when it is parsed, in the condition of a trigger on our own view."""
    attacker.function(f"{LAIR}.evil(integer)", "boolean", "true")
    attacker.run(f"CREATE DOMAIN {LAIR}.dom AS integer CHECK ({LAIR}.evil(VALUE))")
    attacker.run(f"CREATE TYPE {LAIR}.t AS (d {LAIR}.dom)")
    attacker.run(
        f"CREATE FUNCTION {LAIR}.on_update() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
    )
    attacker.run(
        f"CREATE TRIGGER theirs BEFORE UPDATE ON views.people FOR EACH STATEMENT "
        f"WHEN ('(1)'::{LAIR}.t IS NOT NULL) EXECUTE FUNCTION {LAIR}.on_update()"
    )
    said = _sync(*([way] if way else []))
    assert attacker.struck() == set()
    assert "views.people has a trigger" in said
    assert f"{LAIR}.t" in said
    query("DROP TRIGGER theirs ON views.people")
    _sync()
    assert query(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'views.people'::regclass AND attnum > 0"
    ) == [(2,)]
