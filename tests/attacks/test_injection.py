"""Names and comments of others become SQL and lines of output: neither can be forged with them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import CommandError

from tests.sampling import sample

from . import views
from .attacker import LAIR, Attacker, query

pytestmark = pytest.mark.django_db(transaction=True)

#: Names that end a literal or an identifier, or stand for something where they are put together.
NAMES = [
    "x'; CREATE TABLE public.pwned (); --",
    'x"; CREATE TABLE public.pwned (); --',
    "x\\'; CREATE TABLE public.pwned (); --",
    "$$; CREATE TABLE public.pwned (); --",
    "x\x01y\x02z",
    "%s %(oids)s %% {0} {}",
    "x\n  - drop views.people\n",
    "x\x1b[2Jy",
    "' TO views.people ON views.people ",
    "n" * 63,
]


@pytest.fixture
def project(attacker: Attacker) -> Iterator[None]:
    """The views, which the attacker may read."""
    views.begin(attacker.role)
    yield
    views.end()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _everything(name: str, mark: str) -> list[str]:
    """Return the statements that use a name, and a mark in comments, wherever a view of the attacker can."""
    view, plain, column = f"{LAIR}.{_quoted(name)}", f"{LAIR}.{_quoted('p' + name[:60])}", _quoted(name)
    literal = "E'" + mark.replace("\\", "\\\\").replace("'", "''") + "'"
    index = _quoted("i" + name[:60])
    return [
        f"CREATE MATERIALIZED VIEW {view} AS SELECT id AS {column}, city FROM views.people",
        f"CREATE VIEW {plain} AS SELECT id AS {column}, city FROM views.people",
        f"CREATE INDEX {index} ON {view} ({column})",
        f"COMMENT ON INDEX {LAIR}.{index} IS {literal}",
        f"COMMENT ON COLUMN {view}.{column} IS {literal}",
        f"COMMENT ON MATERIALIZED VIEW {view} IS {literal}",
        f"CREATE RULE {column} AS ON DELETE TO {plain} DO INSTEAD NOTHING",
        f"COMMENT ON RULE {column} ON {plain} IS {literal}",
        f"CREATE FUNCTION {LAIR}.{column}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        f"CREATE TRIGGER {column} BEFORE UPDATE OF {column} ON {plain} EXECUTE FUNCTION {LAIR}.{column}()",
        f"COMMENT ON TRIGGER {column} ON {plain} IS {literal}",
        f"CREATE STATISTICS {LAIR}.{_quoted('s' + name[:60])} ON {column}, city FROM {view}",
        f"COMMENT ON STATISTICS {LAIR}.{_quoted('s' + name[:60])} IS {literal}",
    ]


@pytest.mark.parametrize("mark", ["\x01", "\x02.\x01", "plain"], ids=["table", "both", "plain"])
@pytest.mark.parametrize("name", sample(NAMES, 3), ids=sample(range(len(NAMES)), 3))
def test_names_and_comments(attacker: Attacker, project: None, name: str, mark: str) -> None:
    """Names that break out of quotes, and marks in comments, in all that belongs to views of the attacker."""
    for statement in _everything(name, mark):
        attacker.run(statement)
    before = _kept(attacker)
    assert len(before) > 10
    try:
        said = views.sync(views.REBUILT)
    except CommandError as error:
        said = str(error)
    assert query("SELECT to_regclass('public.pwned')") == [(None,)]
    assert _kept(attacker) == before
    assert not any(line.startswith("  - drop") for line in said.splitlines())
    assert "\x1b" not in said
    assert query(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'views.people'::regclass AND attnum > 0"
    ) == [(2,)]


def _kept(attacker: Attacker) -> list[tuple[str, ...]]:
    """Return everything in the lair as PostgreSQL describes it, with its comments and definitions."""
    return query(
        f"""
        SELECT c.relname, c.relkind::text, obj_description(c.oid, 'pg_class'), pg_get_userbyid(c.relowner)
        FROM pg_class c WHERE relnamespace = '{LAIR}'::regnamespace AND relkind IN ('v', 'm', 'i')
        UNION ALL SELECT c.relname, a.attname, col_description(c.oid, a.attnum), ''
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE relnamespace = '{LAIR}'::regnamespace AND relkind IN ('v', 'm')
        UNION ALL SELECT 'rule', pg_get_ruledef(r.oid), obj_description(r.oid, 'pg_rewrite'), ''
        FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class
        WHERE relnamespace = '{LAIR}'::regnamespace AND rulename <> '_RETURN'
        UNION ALL SELECT 'trigger', pg_get_triggerdef(t.oid), obj_description(t.oid, 'pg_trigger'), ''
        FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = '{LAIR}'::regnamespace
        UNION ALL SELECT 'statistics', pg_get_statisticsobjdef(s.oid),
               obj_description(s.oid, 'pg_statistic_ext'), pg_get_userbyid(stxowner)
        FROM pg_statistic_ext s WHERE stxnamespace = '{LAIR}'::regnamespace
        UNION ALL SELECT 'index', pg_get_indexdef(indexrelid), obj_description(indexrelid, 'pg_class'), ''
        FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE relnamespace = '{LAIR}'::regnamespace
        ORDER BY 1, 2, 3
        """
    )
