"""The table: what ``migrate`` does to each kind of view, and what ``migrate_views`` does.

A cell is right if afterwards the view has the types and rows that its SQL gives, and still its owner, its
privileges, its indexes and its comments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from orm_views_core.engines.postgresql.errors.diagnostics import sqlstate as sqlstate_of
from orm_views_core.exceptions import OrmViewsError
from orm_views_core.sync import sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from orm_views_core.views.registry import registry
from tests.summaries import CELLS

from .harness import apply, create_tables, make, migrate, run
from .operations import BOOK, CASES, ITEM, KIND, ORDER, TAGS, Case

KINDS = (
    "plain",
    "two levels",
    "materialised",
    "someone else's",
    "grouped by key",
    "whole row",
    "another column",
)
READERS = """
CREATE ROLE shop_reader; CREATE ROLE shop_owner; CREATE SCHEMA reports;
GRANT USAGE ON SCHEMA reports TO shop_reader; GRANT CREATE, USAGE ON SCHEMA reports TO shop_owner;
"""
BY_HAND = """
GRANT SELECT ON {view} TO shop_reader;
COMMENT ON COLUMN {view}.{column} IS 'by hand';
"""


def sql_of(kind: str, case: Case, *, after: bool) -> str:
    """The SQL of the view; "" if it has none any more."""
    table = case.table_now if after else case.table
    key = case.key_now if after else case.key
    column = case.column_now if after else case.column
    if not table:
        return ""
    if kind == "another column":
        return f"SELECT {case.other} AS shown FROM {table}"
    if kind == "whole row":
        return f"SELECT t AS shown FROM {table} AS t"
    column = column or case.other
    if kind == "grouped by key":
        return f"SELECT {key}, {column} AS shown, count(*) AS n FROM {table} GROUP BY {key}"
    return f"SELECT {column} AS shown FROM {table}"


def sqlstate(error: BaseException | None) -> str | None:
    """The SQLSTATE of an error, or of what caused it."""
    while error is not None and (code := sqlstate_of(error)) is None:
        error = error.__cause__
    return code if error is not None else None


def declare(kind: str, sql: str) -> None:
    """Declare the classes, as a release has them."""
    registry._classes.clear()
    registry._changed()
    if not sql or kind == "someone else's":
        type("Bystander", (PostgresViewFromSQL,), {"__module__": __name__, "sql": "SELECT 1 AS one"})
        return
    bases: Any = (PostgresViewFromSQL,)
    if kind == "materialised":
        bases = (PostgresMaterialisedViewMixin, PostgresViewFromSQL)
    type("Shown", bases, {"__module__": __name__, "__doc__": "What is shown.", "sql": sql})
    if kind == "two levels":
        type(
            "Upper", (PostgresViewFromSQL,), {"__module__": __name__, "sql": "SELECT shown FROM views.shown"}
        )


def names(kind: str) -> list[str]:
    if kind == "someone else's":
        return ["reports.shown"]
    return ["views.shown", "views.upper"] if kind == "two levels" else ["views.shown"]


def build(kind: str, case: Case) -> None:
    """Create the view, and what somebody adds by hand."""
    sql = sql_of(kind, case, after=False)
    declare(kind, sql)
    sync_views(databases=["default"])
    if kind == "someone else's":
        run(f"CREATE VIEW reports.shown AS {sql}; ALTER VIEW reports.shown OWNER TO shop_owner")
        run(f"GRANT SELECT ON {case.table} TO shop_owner")
    for view in names(kind):
        run(BY_HAND.format(view=view, column="shown"))
    if kind == "materialised":
        run("CREATE INDEX by_hand ON views.shown (shown)")


def picture(kind: str) -> dict[str, Any]:
    """Everything that a view has, except its rows: owner, privileges, comments, indexes."""
    found: dict[str, Any] = {}
    for view in names(kind):
        found[view] = run(
            f"""SELECT c.relkind, c.relowner::regrole::text, c.relacl::text, c.reloptions::text,
                   split_part(obj_description(c.oid, 'pg_class'), E'\\n', 1),
                   (SELECT col_description(c.oid, attnum) FROM pg_attribute
                    WHERE attrelid = c.oid AND attname = 'shown'),
                   (SELECT string_agg(pg_get_indexdef(indexrelid), ';') FROM pg_index WHERE indrelid = c.oid)
            FROM pg_class c WHERE c.oid = to_regclass('{view}')"""
        )
    return found


def types_and_rows(relation: str) -> Any:
    columns = run(
        f"""SELECT attname, format_type(atttypid, atttypmod), attcollation FROM pg_attribute
        WHERE attrelid = '{relation}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
    )
    return columns, sorted(map(str, run(f"SELECT * FROM {relation}")))


def why_wrong(kind: str, case: Case, before: dict[str, Any]) -> str:
    """Return what is wrong with the views after the migration; "" if nothing is."""
    sql = sql_of(kind, case, after=True)
    if not sql:
        left = [view for view in names(kind) if run(f"SELECT to_regclass('{view}')")[0][0]]
        return f"left: {left}" if left else ""
    if (after := picture(kind)) != before:
        return f"{before} became {after}"
    if kind == "someone else's":  # privileges on a new table are the migration's business
        run(f"GRANT SELECT ON {case.table_now} TO shop_owner")
    run(f"CREATE TEMPORARY VIEW wanted AS {sql}")
    wanted = types_and_rows("wanted")
    for view in names(kind):
        expected = wanted
        if view == "views.upper":
            run("CREATE TEMPORARY VIEW upper_wanted AS SELECT shown FROM wanted")
            expected = types_and_rows("upper_wanted")
        found = types_and_rows(view)
        if kind == "materialised" and case.only_rows:
            found, expected = found[0], expected[0]
        if found != expected:
            return f"{view} is {found}, wanted {expected}"
    return ""


def outcome(kind: str, case: Case, state: Any, *, views: bool) -> str:
    """Return what a migration does to the view: ok, an SQLSTATE, LOST, refused, or what is wrong."""
    migration = make(case.operations, atomic=case.atomic)
    with transaction.atomic():
        try:
            return _outcome(kind, case, state, migration, views=views)
        finally:
            transaction.set_rollback(True)


def _outcome(kind: str, case: Case, state: Any, migration: Any, *, views: bool) -> str:
    build(kind, case)
    before = picture(kind)
    oids = {view: run(f"SELECT to_regclass('{view}')::oid")[0][0] for view in names(kind)}
    try:
        with transaction.atomic():
            if views:
                declare(kind, sql_of(kind, case, after=True))
                migrate(state, migration)
            else:
                apply(state.clone(), migration)
                run("SET CONSTRAINTS ALL IMMEDIATE")
    except DatabaseError as error:
        return str(sqlstate(error))
    except OrmViewsError as error:
        return (sqlstate(error) if case.fails else None) or f"refused: {error}"
    if views:
        return why_wrong(kind, case, before) or "ok"
    is_lost = any(not run(f"SELECT 1 FROM pg_class WHERE oid = {oid}") for oid in oids.values())
    return "LOST" if is_lost else "ok"


@pytest.fixture(scope="module")
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    """The tables, committed: rows of the own transaction would be checked anew at each change."""
    with django_db_blocker.unblock():
        run(READERS)
        state = create_tables()
    yield state
    with django_db_blocker.unblock():
        run(f"DROP TABLE {ITEM}, {KIND}, {BOOK}, {TAGS}, {ORDER}; DROP SCHEMA reports")
        run("DROP ROLE shop_reader; DROP ROLE shop_owner")


@pytest.fixture
def state(committed: Any, db: None) -> Any:
    return committed


@pytest.mark.parametrize("case", [c for c in CASES if not c.split], ids=lambda case: case.name)
def test_an_operation(case: Case, state: Any, record_property: Any) -> None:
    cells = {}
    for kind in KINDS:
        before, now = outcome(kind, case, state, views=False), outcome(kind, case, state, views=True)
        cells[kind] = before, now
        record_property(CELLS, (case.name, {k: (b, judge(k, case, n)) for k, (b, n) in cells.items()}))
        assert judge(kind, case, now) != "WRONG", (kind, before, now)


def judge(kind: str, case: Case, now: str) -> str:
    """Say whether what migrate_views did to a view is right."""
    if case.fails:  # without a view, too
        return f"{now}, as without a view" if case.fails == now else "WRONG"
    is_gone = not (case.column_now and case.table_now) and kind == "someone else's"
    if is_gone and now.startswith("refused: reports.shown, which is not ours, stood against a migration"):
        return "refused"
    return "right" if now == "ok" and not is_gone else "WRONG"
