"""A database whose schema `public` has whatever could capture a statement of ours, and a watch on that.

`HOSTILE=1` makes the databases of the whole suite so. PostgreSQL has operators and functions for some types
of arguments only; for others it takes the one that fits best. `public` gets one that fits better for each of
those, of every name that our SQL may call. It returns what PostgreSQL's own would, and sends a notice. A
watch on every connection fails the test in which a statement of our packages called one. The SQL of views
runs along the project's path, and so does what Django's ORM sends: what these call is no capture.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (ROOT / "orm_views_core", ROOT / "orm_views_admin")

#: The types of what our statements compare; varchar, of the columns of Django's tables, is not among them.
TYPES = (
    *("int2", "int4", "int8", "float8", "numeric", "text", "name", '"char"', "oid", "regclass", "bool"),
    *("json", "jsonb", "timestamptz", "interval", "xid", "aclitem"),
    *("int2[]", "int4[]", "int8[]", "oid[]", "int2vector", "oidvector"),
)
#: The types of functions of three arguments, of which there would be too many.
FEW = ("int4", "int8", "text", "name", '"char"', "oid", "bool")
OPERATORS = (
    *("=", "<>", "<", ">", "<=", ">=", "+", "-", "*", "/", "%", "^", "||", "<<", ">>", "&", "|", "->", "->>"),
    *("#>>", "~~", "!~~", "~~*", "!~~*", "~", "!~", "~*", "!~*", "@>", "<@", "&&", "?"),
)

_NOTE = """
CREATE FUNCTION public.hostile_note(called regprocedure, what text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog AS $note$
BEGIN
    RAISE NOTICE 'hostile: % used=%', what, EXISTS (
        SELECT FROM pg_depend d
        JOIN (SELECT 'pg_proc'::regclass::oid, called::oid
              UNION ALL
              SELECT 'pg_operator'::regclass, oid FROM pg_operator WHERE oprcode = called
        ) AS found(class, oid) ON d.refclassid = found.class AND d.refobjid = found.oid
        WHERE d.classid IN ('pg_rewrite'::regclass, 'pg_class'::regclass, 'pg_attrdef'::regclass,
                            'pg_constraint'::regclass, 'pg_statistic_ext'::regclass));
END $note$;
"""

# The subquery has no row, so the expression is resolved and never evaluated.
_INSTALL = """
DO $install$
DECLARE
    types text[] := %(types)s::text[];
    few text[] := %(few)s::text[];
    name text; one text; two text; three text; result text; suffix text; made int := 0;
BEGIN
    FOREACH name IN ARRAY %(operators)s::text[] LOOP
        FOREACH one IN ARRAY types LOOP
            FOREACH two IN ARRAY types LOOP
                CONTINUE WHEN NOT %(exact)s
                    AND to_regoperator(format('pg_catalog.%%s(%%s,%%s)', name, one, two)) IS NOT NULL;
                result := pg_temp.resolve(
                    format('NULL::%%s OPERATOR(pg_catalog.%%s) NULL::%%s', one, name, two));
                suffix := '';
                IF result IS NULL AND one = two AND %(literals)s THEN
                    result := pg_temp.resolve(format('NULL::%%s OPERATOR(pg_catalog.%%s) NULL', one, name));
                    suffix := '::pg_catalog.text';
                END IF;
                CONTINUE WHEN result IS NULL;
                made := made + 1;
                PERFORM pg_temp.make('hostile_' || made, ARRAY[one, two], result, name,
                                     format('$1 OPERATOR(pg_catalog.%%s) $2%%s', name, suffix));
                EXECUTE format('CREATE OPERATOR public.%%s (LEFTARG = %%s, RIGHTARG = %%s, FUNCTION = %%s)',
                               name, one, two, 'public.hostile_' || made);
            END LOOP;
        END LOOP;
    END LOOP;
    FOREACH name IN ARRAY %(functions)s::text[] LOOP
        PERFORM pg_temp.shadow(name, '{}');
        FOREACH one IN ARRAY types LOOP
            PERFORM pg_temp.shadow(name, ARRAY[one]);
            CONTINUE WHEN pg_temp.most_arguments(name) < 2;
            FOREACH two IN ARRAY types LOOP
                PERFORM pg_temp.shadow(name, ARRAY[one, two]);
            END LOOP;
        END LOOP;
        CONTINUE WHEN pg_temp.most_arguments(name) < 3;
        FOREACH one IN ARRAY few LOOP
            FOREACH two IN ARRAY few LOOP
                FOREACH three IN ARRAY few LOOP
                    PERFORM pg_temp.shadow(name, ARRAY[one, two, three]);
                END LOOP;
            END LOOP;
        END LOOP;
    END LOOP;
    FOREACH one IN ARRAY types LOOP
        CONTINUE WHEN one LIKE '%%[]' OR one LIKE '%%vector';
        PERFORM pg_temp.make('hostile_append', ARRAY[one || '[]', one], one || '[]', 'array_agg',
                             'pg_catalog.array_append($1, $2)');
        EXECUTE format('CREATE AGGREGATE public.array_agg(%%s) (SFUNC = public.hostile_append, STYPE = %%s)',
                       one, one || '[]');
        PERFORM pg_temp.make('unnest', ARRAY[one || '[]'], 'SETOF ' || one, 'unnest',
                             'pg_catalog.unnest($1)');
    END LOOP;
    PERFORM pg_temp.make('hostile_concat', ARRAY['text', 'name', 'text'], 'text', 'string_agg',
                         'pg_catalog.concat_ws($3, $1, $2)');
    CREATE AGGREGATE public.string_agg(name, text) (SFUNC = public.hostile_concat, STYPE = text);
    FOREACH one IN ARRAY ARRAY['text', 'regclass', 'oid', 'name', 'int4', 'float8', 'jsonb'] LOOP
        EXECUTE format('CREATE TYPE public.%%s AS ENUM (''hostile'')', one);
    END LOOP;
END $install$
"""

_HELPERS = """
CREATE FUNCTION pg_temp.resolve(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE 'SELECT pg_typeof(q.x) FROM (SELECT) AS one LEFT JOIN (SELECT ' || expression
            || ' AS x WHERE false) AS q ON true' INTO result;
    RETURN result;
EXCEPTION WHEN OTHERS THEN RETURN NULL;
END $$;

CREATE FUNCTION pg_temp.most_arguments(name text) RETURNS int LANGUAGE sql AS $$
    SELECT max(CASE WHEN provariadic > 0 THEN 100 ELSE pronargs END)::int FROM pg_proc WHERE proname = $1
$$;

CREATE FUNCTION pg_temp.make(name text, types text[], result text, what text, body text)
RETURNS void LANGUAGE plpgsql AS $make$
DECLARE
    signature text := format('public.%%I(%%s)', name, array_to_string(types, ','));
BEGIN
    EXECUTE format('CREATE FUNCTION %%s RETURNS %%s LANGUAGE plpgsql IMMUTABLE AS $f$BEGIN '
                   'PERFORM public.hostile_note(%%L::pg_catalog.regprocedure, %%L); %%s %%s; END$f$',
                   signature, result, signature, format('%%s(%%s)', what, array_to_string(types, ',')),
                   CASE WHEN result = 'void' THEN 'PERFORM'
                        WHEN result LIKE 'SETOF %%' THEN 'RETURN QUERY SELECT' ELSE 'RETURN' END, body);
END $make$;

CREATE FUNCTION pg_temp.shadow(name text, types text[]) RETURNS void LANGUAGE plpgsql AS $shadow$
DECLARE
    nulls text := coalesce((SELECT string_agg('NULL::' || t, ', ') FROM unnest(types) t), '');
    given text := coalesce((SELECT string_agg('$' || n, ', ') FROM generate_subscripts(types, 1) n), '');
    result text;
BEGIN
    IF %(exact)s OR to_regprocedure(format('pg_catalog.%%I(%%s)', name, array_to_string(types, ','))) IS NULL
    THEN
        result := pg_temp.resolve(format('pg_catalog.%%I(%%s)', name, nulls));
        IF result IS NOT NULL THEN
            PERFORM pg_temp.make(name, types, result, name, format('pg_catalog.%%I(%%s)', name, given));
        END IF;
    END IF;
END $shadow$;
"""

# Functions that return one value and are no aggregates; those have other rules.
_CALLED = """
SELECT DISTINCT proname::text FROM pg_proc
WHERE proname = ANY(%s) AND NOT proretset AND pronamespace = 'pg_catalog'::regnamespace
  AND proname NOT IN (SELECT proname FROM pg_proc WHERE prokind <> 'f' OR proretset)
"""


def install(
    connection: BaseDatabaseWrapper,
    *,
    schema: str = "public",
    types: Sequence[str] = TYPES,
    few: Sequence[str] = FEW,
    exact: bool = False,
    literals: bool = False,
    note: str = _NOTE,
) -> None:
    """Create everything hostile in a database.

    Args:
        connection: the database, as the role to which all belongs.
        schema: where.
        types: the types of arguments of operators and functions.
        few: the types of functions of three arguments.
        exact: also what has the types of PostgreSQL's own, and wins where the search path names this schema
            before ``pg_catalog``.
        literals: also the operators that take a literal for a value of the other operand's type. Most
            literals are none, so the statement fails.
        note: creates the function that all others call.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname::text FROM pg_proc WHERE proname = 'hostile_note'")
        if cursor.fetchone():  # the database was kept from an earlier run
            return
        cursor.execute("SET search_path = pg_catalog, pg_temp")  # else the block would capture itself
        cursor.execute(_CALLED, [sorted(_words())])
        functions = [name for (name,) in cursor.fetchall()]
        params = {"types": types, "few": few, "operators": OPERATORS, "functions": functions}
        # A DO block has no parameters.
        arrays = {name: "'{" + ",".join(map(_element, value)) + "}'" for name, value in params.items()}
        install = (_INSTALL % {**arrays, "exact": exact, "literals": literals}).replace("%%", "%")
        for sql in (note, _HELPERS % {"exact": exact}, install):
            cursor.execute(sql.replace("public.", f"{schema}."))
        cursor.execute("RESET search_path")


def _element(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def _words() -> set[str]:
    """Return the words before a bracket in all strings of our packages: what their SQL may call."""
    found: set[str] = set()
    for path in (path for package in PACKAGES for path in package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"\b([a-z_0-9]+)\(", node.value))
    return found


#: What is wrong with statements of ours: who sent them, what they called or may call, and their SQL.
captured: list[str] = []


class Watch:
    """Runs the statements of one connection, and notes which of ours called or may call something hostile."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.notices: list[str] = []

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        sender = _sender() if _is_ours(str(sql)) else ""
        if sender and (found := unqualified(str(sql))) and not self._finds_nothing():
            captured.append(f"{sender} does not qualify {', '.join(found)}: {sql}")
        self._take()
        try:
            return execute(sql, params, many, context)
        finally:
            called = {text for text in self._take() if "hostile: " in text and "used=f" in text}
            if called and sender:
                what = ", ".join(sorted(text.partition("hostile: ")[2].strip() for text in called))
                captured.append(f"{sender} called {what}: {sql}")

    def _finds_nothing(self) -> bool:
        """Return whether the search path leads to nothing of others."""
        with self.connection.connection.cursor() as cursor:
            cursor.execute("SHOW search_path")
            return bool(cursor.fetchone()[0] == "pg_catalog, pg_temp")

    def hear(self, diagnostic: Any) -> None:
        """Keep a notice: psycopg 3 hands them to a function."""
        self.notices.append(diagnostic.message_primary)

    def _take(self) -> list[str]:
        """Return the notices since the last call: psycopg2 keeps them on the connection."""
        kept = getattr(self.connection.connection, "notices", self.notices)
        taken = list(kept)
        del kept[:]
        return taken


def _sender() -> str:
    """Return the file and line of ours that sends the present statement; "" when it is somebody else."""
    frame = sys._getframe(2)
    while frame is not None:
        path = frame.f_code.co_filename
        if not any(
            part in path for part in ("django/db/backends", "django/db/utils", "contextlib", "hostile.py")
        ):
            ours = any(Path(path).is_relative_to(package) for package in PACKAGES)
            return f"{Path(path).relative_to(ROOT)}:{frame.f_lineno}" if ours else ""
        frame = frame.f_back
    return ""


def _is_ours(sql: str) -> bool:
    """Return whether we wrote a statement: one that creates or fills a view has the SQL of a class."""
    return sql.lstrip().upper().startswith(("SELECT", "WITH", "DO", "EXPLAIN"))


#: What looks like a function, or like a type that is looked up, and is part of PostgreSQL's grammar.
_GRAMMAR = {
    *("select", "from", "where", "and", "or", "as", "in", "any", "all", "exists", "array", "values", "on"),
    *("by", "extract", "coalesce", "greatest", "least", "case", "when", "then", "else", "filter", "over"),
    *("int", "bigint", "boolean", "numeric", "double", "materialized", "explain"),
}


def unqualified(sql: str) -> list[str]:
    """Return the functions, operators and types in a statement that are looked up along the search path."""
    sql = re.sub(r"--[^\n]*|'(?:[^']|'')*'", " ", sql)  # comments and literals
    sql = re.sub(r'"(?:[^"]|"")*"', '"', sql)  # quoted names, which are of tables and columns
    sql = re.sub(r'%s|%\(\w+\)s|OPERATOR\([\w"]+\.[^)]+\)|:=|\bFOR \w+ IN\b|\*(?=\)|\s+FROM\b)', " ", sql)
    functions = re.findall(r'(?<![.\w"])([a-z_]\w*)\s*\(', sql, re.IGNORECASE)
    types = re.findall(r"::\s*([a-z_]\w*)(?![\w.])", sql, re.IGNORECASE)
    # IN and the like are looked up as the operator = or ~~. A comparison with NULL is no operator.
    words = r"IN|I?LIKE|SIMILAR|BETWEEN|NULLIF|DISTINCT FROM(?! NULL)"
    operators = re.findall(rf"[-+*/<>=~!@#%^&|?]+|\b(?:{words})\b", sql)
    return [*(word for word in (*functions, *types) if word.lower() not in _GRAMMAR), *operators]


def watch(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Put a watch on a connection that was just opened."""
    found = [wrapper for wrapper in connection.execute_wrappers if isinstance(wrapper, Watch)]
    watcher = found[0] if found else Watch(connection)
    if not found:
        connection.execute_wrappers.append(watcher)
    if hasattr(connection.connection, "add_notice_handler"):
        connection.connection.add_notice_handler(watcher.hear)


_installed: set[str] = set()


@pytest.fixture(autouse=True)
def nothing_is_captured(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Make the databases hostile before the first test, and fail each test in which we were captured."""
    with django_db_blocker.unblock():
        # pytest-django creates those that the chosen tests use, and renames only these.
        created = {a for a, database in connections.settings.items() if database["NAME"].startswith("test_")}
        for alias in created - _installed:
            _installed.add(alias)
            connection = connections.create_connection(alias)
            install(connection)
            connection.close()
    captured.clear()
    yield
    assert not captured, "\n".join(captured)
