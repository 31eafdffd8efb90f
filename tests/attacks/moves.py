"""What a random attacker does: it makes, alters and drops objects. What PostgreSQL refuses is no move."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError

from .attacker import LAIR, Attacker

#: Where things are made: the attacker may create in all of these.
PLACES = (LAIR, "views", "pg_temp")
OURS = ("views.adults", "views.cities", "views.top")
NAMES = ("a1", "a2", "a3", 'odd "; --', "loans", "adults_copy")
TYPES = ("integer", "text", "numeric", "name", "oid", "bigint", "boolean")
OPERATORS = ("||", "-", "*", "=", "<", ">", "~", "+")
#: Functions that statements on catalogs may call, and some of the attacker's own.
FUNCTIONS = (
    "evil",
    "lower",
    "format",
    "count",
    "strpos",
    "greatest",
    "set_config",
    "array_agg",
    "quote_ident",
)
VOLATILITIES = ("IMMUTABLE", "STABLE", "VOLATILE")

#: What a comment may claim to be.
_VALID = '"orm_views": 1, "database": "default", "code": "0", "installed": "0"'
FORGED = (
    f'{{{_VALID}, "synced": "2026-01-01T00:00:00+00:00"}}',
    f'{{{_VALID}, "synced": "0001-01-01T00:00:00+23:59"}}',
    f'{{{_VALID}, "synced": "2026-01-01T00:00:00+00:00", "seconds": 1e999, "changes": 1e30}}',
    f'{{{_VALID}, "synced": "2026-01-01T00:00:00+00:00", "refreshed": "9999-12-31T23:59:59-23:59"}}',
    f'{{{_VALID}, "synced": "x\\u0000", "indexes": ["\\ud800"]}}',
    '{"orm_views":' + "[" * 100_000,
    '{"orm_views": 1, "indexes": ' + "[" * 5_000 + "]" * 5_000 + "}",
    "[orm_views 0 0 s5]",
    "[orm_views 0 0 s5 rzzzzzzzzzz t1e999 c-1 i%00]",
)

Move = Callable[[Attacker, int, int, int], str]


def _pick(values: tuple[str, ...], number: int) -> str:
    return values[number % len(values)]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _object(a: int, b: int) -> str:
    return f"{_pick(PLACES, a)}.{_quoted(_pick(NAMES, b))}"


def make_function(_: Attacker, a: int, b: int, c: int) -> str:
    kind, volatility = _pick(TYPES, c), _pick(VOLATILITIES, a + c)
    arguments = ", ".join([kind, _pick(TYPES, b)][: 1 + c % 2])
    return (
        f"CREATE OR REPLACE FUNCTION {_pick(PLACES, a)}.{_pick(FUNCTIONS, b)}({arguments}) RETURNS {kind} "
        f"LANGUAGE plpgsql {volatility} AS $$BEGIN PERFORM {LAIR}.strike(); RETURN $1; END$$"
    )


def make_operator(_: Attacker, a: int, b: int, c: int) -> str:
    left, right = _pick(TYPES, a), _pick(TYPES, b + 1)
    result = "boolean" if _pick(OPERATORS, c) in {"=", "<", ">", "~"} else left
    function = f"{LAIR}.op_{left}_{right}_{result}"
    value = "true" if result == "boolean" else "$1"
    return (
        f"CREATE OR REPLACE FUNCTION {function}({left}, {right}) RETURNS {result} LANGUAGE plpgsql IMMUTABLE "
        f"AS $$BEGIN PERFORM {LAIR}.strike(); RETURN {value}; END$$; "
        f"CREATE OPERATOR {_pick(PLACES, a + c)}.{_pick(OPERATORS, c)} "
        f"(LEFTARG = {left}, RIGHTARG = {right}, FUNCTION = {function})"
    )


def make_domain(_: Attacker, a: int, b: int, c: int) -> str:
    name = _object(a, b)
    return (
        f"CREATE DOMAIN {name} AS integer CHECK ({LAIR}.strike()); "
        f"CREATE TYPE {LAIR}.row_{c} AS (held {name})"
    )


def make_table(_: Attacker, a: int, b: int, c: int) -> str:
    extra = f", held {_pick(OURS, c)}" if c % 3 == 0 else ""
    name = _object(a, b)
    return (
        f"CREATE TABLE {name} (id integer CHECK ({LAIR}.strike()), note text{extra}); "
        f"CREATE INDEX ON {name} ((CASE WHEN {LAIR}.strike() THEN id END)) WHERE {LAIR}.strike(); "
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY; "
        f"CREATE POLICY p ON {name} USING ({LAIR}.strike()); GRANT ALL ON {name} TO PUBLIC"
    )


def _select(b: int, c: int) -> str:
    source = _pick(OURS, c)
    return (
        f"SELECT id FROM {source}",
        f"SELECT id, {LAIR}.strike() AS struck FROM {source}",
        f"SELECT t.id, t FROM {source} t WHERE {LAIR}.strike()",
        f"SELECT 1 AS id, NULL::{source} AS held",
        f"SELECT id FROM {source} UNION ALL SELECT id FROM {LAIR}.a1",
        f"SELECT max(id) AS id, '(1)'::{LAIR}.row_{c} AS held FROM {source}",
    )[b % 6]


def make_view(_: Attacker, a: int, b: int, c: int) -> str:
    name = _object(a, c)
    return f"CREATE OR REPLACE VIEW {name} AS {_select(b, a + c)}; GRANT ALL ON {name} TO PUBLIC"


def make_materialised_view(_: Attacker, a: int, b: int, c: int) -> str:
    name = f"{_pick(PLACES[:2], a)}.{_quoted(_pick(NAMES, c))}"
    return (
        f"CREATE MATERIALIZED VIEW {name} AS {_select(b, a + c)} {'WITH NO DATA' if c % 2 else ''}; "
        f"CREATE INDEX ON {name} ((CASE WHEN {LAIR}.strike() THEN id END)) WHERE {LAIR}.strike()"
    )


def put_on_view(_: Attacker, a: int, b: int, c: int) -> str:
    name = _object(a, c)
    return (
        f"CREATE RULE r AS ON INSERT TO {name} DO INSTEAD SELECT {LAIR}.strike()",
        f"CREATE TRIGGER t INSTEAD OF INSERT ON {name} FOR EACH ROW EXECUTE FUNCTION {LAIR}.on_row()",
        f"ALTER VIEW {name} ALTER COLUMN id SET DEFAULT 1 + {LAIR}.strike()::int",
        f"ALTER VIEW {name} SET (security_barrier)",
        f"CREATE STATISTICS {LAIR}.s ON id, ({LAIR}.strike()::text) FROM {name}",
        f"CREATE INDEX ON {name} ((CASE WHEN {LAIR}.strike() THEN id END))",
        f"CLUSTER {name}",
    )[b % 7]


def forge_comment(_: Attacker, a: int, b: int, c: int) -> str:
    kind = "MATERIALIZED VIEW" if b % 3 == 0 else "VIEW"
    return f"COMMENT ON {kind} {_object(a, c)} IS 'mine\n\n{_pick(FORGED, a + b + c)}'"


def mark_comment(_: Attacker, a: int, b: int, c: int) -> str:
    column = "id" if b % 2 else "note"
    return f"COMMENT ON COLUMN {_object(a, c)}.{column} IS E'\\x01\\x02''; --'"


def drop(_: Attacker, a: int, b: int, c: int) -> str:
    kind = ("VIEW", "MATERIALIZED VIEW", "TABLE", "DOMAIN")[c % 4]
    return f"DROP {kind} {_object(a, b)} CASCADE"


def rename(_: Attacker, a: int, b: int, c: int) -> str:
    kind = ("VIEW", "MATERIALIZED VIEW", "TABLE")[c % 3]
    if a % 2:
        return f"ALTER {kind} {_object(a, b)} SET SCHEMA {_pick(PLACES, b)}"
    return f"ALTER {kind} {_object(a, b)} RENAME TO {_quoted(_pick(NAMES, b + c))}"


def grant(attacker: Attacker, a: int, b: int, c: int) -> str:
    to = ("PUBLIC", f"{attacker.role} WITH GRANT OPTION")[c % 2]
    return f"GRANT SELECT ON {(_object(a, b), _pick(OURS, b))[c % 2]} TO {to}"


def set_path(attacker: Attacker, a: int, b: int, c: int) -> str:
    return f"ALTER ROLE {attacker.role} SET search_path = {_pick(PLACES, a)}, {_pick(PLACES, b)}"


MOVES: dict[str, Move] = {
    move.__name__: move
    for move in (
        make_function,
        make_operator,
        make_domain,
        make_table,
        make_view,
        make_view,
        make_materialised_view,
        put_on_view,
        forge_comment,
        mark_comment,
        drop,
        rename,
        grant,
        set_path,
    )
}


def begin(attacker: Attacker) -> None:
    """Make what several moves need."""
    attacker.run(
        f"CREATE FUNCTION {LAIR}.on_row() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN PERFORM {LAIR}.strike(); RETURN NEW; END$$"
    )


def move(attacker: Attacker, what: str, a: int, b: int, c: int) -> str | None:
    """Make a move; return its SQL, or None when PostgreSQL refuses it."""
    sql = MOVES[what](attacker, a, b, c)
    try:
        attacker.run(sql)
    except DatabaseError:
        return None
    return sql[:300]
