"""What people do to views at a psql prompt: each takes three numbers that pick what it is done to.

Some of it a sync puts back (drift); the rest it has to leave as it is, and :class:`World` remembers that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import connections

from .code import Resolved, View
from .edits import pick
from .facts import HERE, query

if TYPE_CHECKING:
    from .world import World

ByHand = Callable[["World", int, int, int], "str | None"]


def _installed(
    world: World, number: int, *, materialised: bool | None = None
) -> tuple[View, list[Resolved]] | tuple[None, None]:
    """Pick a view that is in the database as its class was at the last sync."""
    views = [
        view
        for view in world.installed.views.values()
        if view.name not in world.renamed and materialised in (None, view.materialised)
    ]
    view = pick(views, number)
    return (None, None) if view is None else (view, world.installed_columns[view.name])


def _number(world: World) -> int:
    return world.code.number()


# What a sync puts back.


def drift_definition(world: World, a: int, b: int, c: int) -> str | None:
    """Give a plain view another SELECT with the same columns."""
    view, _ = _installed(world, a, materialised=False)
    if view is None:
        return None
    ((sql,),) = query(HERE, "SELECT rtrim(pg_get_viewdef(%s::regclass), ';')", [f"views.{view.name}"])
    sql = f"SELECT q.* FROM ({sql}) q WHERE q.id % {c + 2} = 0"
    world.unmake(view.name, "option")  # CREATE OR REPLACE takes those away that it does not repeat
    return world.drift(view.name, f"CREATE OR REPLACE VIEW views.{view.name} AS {sql}")


def drift_column(world: World, a: int, b: int, c: int) -> str | None:
    """Rename a column; what reads it follows, and what was made on it as well."""
    view, columns = _installed(world, a)
    if view is None or columns is None or len(columns) < 2:
        return None
    old, new = columns[1 + b % (len(columns) - 1)].name, f"h{_number(world)}"
    world.renamed.add(view.name)
    world.doubt(view.name, old)
    kind = "MATERIALIZED VIEW" if view.materialised else "VIEW"
    return world.drift(view.name, f"ALTER {kind} views.{view.name} RENAME COLUMN {old} TO {new}")


def drift_option(world: World, a: int, b: int, c: int) -> str | None:
    """Take away an option that a class sets."""
    view, _ = _installed(world, a, materialised=False)
    if view is None or not view.barrier:
        return None
    how = "SET (security_barrier = false)" if c % 2 else "RESET (security_barrier)"
    return world.drift(view.name, f"ALTER VIEW views.{view.name} {how}")


def drop_by_hand(world: World, a: int, b: int, c: int) -> str | None:
    """Drop a view, and with it what reads it."""
    view, _ = _installed(world, a)
    if view is None:
        return None
    gone = world.installed.read_by(view.name)
    kind = "MATERIALIZED VIEW" if view.materialised else "VIEW"
    said = world.drift(view.name, f"DROP {kind} views.{view.name} CASCADE")
    world.forget(gone)
    return said


def drop_index_by_hand(world: World, a: int, b: int, c: int) -> str | None:
    """Drop an index that a class says."""
    view, columns = _installed(world, a, materialised=True)
    if view is None or columns is None or view.name in world.without_index:
        return None
    world.without_index.add(view.name)
    return world.drift(view.name, f"DROP INDEX views.{view.name}_id_key")


def rename_base_column(world: World, a: int, b: int, c: int) -> str | None:
    """Rename a column of a table, as a migration does; the classes that name it are edited."""
    table = list(world.code.tables)[a % 2]
    columns = world.code.tables[table]
    i = 1 + b % (len(columns) - 1)
    new = Resolved(columns[i].key, f"b{_number(world)}", columns[i].type)
    said = world.on_tables(f"ALTER TABLE {table} RENAME COLUMN {columns[i].name} TO {new.name}")
    for code in (world.code, world.installed):
        code.tables[table][i] = new
    return said


# What a sync leaves as it is.

_PRIVILEGES = ("SELECT", "INSERT", "SELECT, UPDATE", "TRIGGER", "DELETE")


def grant(world: World, a: int, b: int, c: int) -> str | None:
    """Grant to a role, or to everybody, perhaps with grant option."""
    view, _ = _installed(world, a)
    if view is None:
        return None
    role = (world.ann, world.bob, "PUBLIC")[b % 3]
    option = " WITH GRANT OPTION" if c % 2 and role != "PUBLIC" else ""
    return world.make(view.name, f"GRANT {_PRIVILEGES[c % 5]} ON views.{view.name} TO {role}{option}")


def grant_further(world: World, a: int, b: int, c: int) -> str | None:
    """Let somebody with grant option grant to somebody else."""
    view, _ = _installed(world, a)
    if view is None:
        return None
    privilege = ("SELECT", "DELETE")[b % 2]
    return world.make(
        view.name,
        f"GRANT {privilege} ON views.{view.name} TO {world.ann} WITH GRANT OPTION; SET ROLE {world.ann}; "
        f"GRANT {privilege} ON views.{view.name} TO {world.bob}; RESET ROLE",
    )


def grant_on_column(world: World, a: int, b: int, c: int) -> str | None:
    """Grant on one column."""
    view, columns = _installed(world, a)
    column = columns and pick(columns, b)
    if view is None or not column:
        return None
    privilege, option = ("SELECT", "UPDATE")[c % 2], " WITH GRANT OPTION" if c % 3 == 0 else ""
    sql = f"GRANT {privilege} ({column.name}) ON views.{view.name} TO {world.bob}{option}"
    return world.make(view.name, sql, columns=[column.name])


def index(world: World, a: int, b: int, c: int) -> str | None:
    """Index a materialised view, perhaps clustering on it or with a comment."""
    view, columns = _installed(world, a, materialised=True)
    column = columns and pick(columns, b)
    if view is None or not column:
        return None
    name = f"by_hand_{_number(world)}"
    sql = f"CREATE INDEX {name} ON views.{view.name} ({column.name} DESC, id)"
    if c % 3 == 1:
        sql += f"; ALTER MATERIALIZED VIEW views.{view.name} CLUSTER ON {name}"
    if c % 3 == 2:
        sql += f"; COMMENT ON INDEX views.{name} IS 'for the report of month {c}'"
    return world.make(view.name, sql, columns=[column.name], materialised=True)


def comment_on_column(world: World, a: int, b: int, c: int) -> str | None:
    """Comment on a column."""
    view, columns = _installed(world, a)
    column = columns and pick(columns, b)
    if view is None or not column:
        return None
    sql = f"COMMENT ON COLUMN views.{view.name}.{column.name} IS 'it''s number {c}'"
    return world.make(view.name, sql, columns=[column.name])


def tune(world: World, a: int, b: int, c: int) -> str | None:
    """Set a storage parameter or a statistics target of a materialised view."""
    view, columns = _installed(world, a, materialised=True)
    column = columns and pick(columns, b)
    if view is None or not column:
        return None
    alter = f"ALTER MATERIALIZED VIEW views.{view.name}"
    if c % 2 == 0:
        return world.make(view.name, f"{alter} SET (fillfactor = {50 + c})", materialised=True)
    sql = f"{alter} ALTER COLUMN {column.name} SET STATISTICS {100 + c}"
    return world.make(view.name, sql, columns=[column.name], materialised=True)


def extended_statistics(world: World, a: int, b: int, c: int) -> str | None:
    """Make extended statistics on two columns of a materialised view."""
    view, columns = _installed(world, a, materialised=True)
    column = columns and pick(columns[1:], b)
    if view is None or not column:
        return None
    sql = f"CREATE STATISTICS views.by_hand_{_number(world)} ON id, {column.name} FROM views.{view.name}"
    return world.make(view.name, sql, columns=[column.name], materialised=True)


def alter_plain(world: World, a: int, b: int, c: int) -> str | None:
    """Give a plain view an option, a trigger, a rule, or a column's default."""
    view, columns = _installed(world, a, materialised=False)
    column = columns and pick(columns, b)
    if view is None or not column:
        return None
    name = f"by_hand_{_number(world)}"
    if c % 4 == 0:
        if connections["default"].pg_version < 150000:
            return None  # which has no security_invoker
        sql = f"ALTER VIEW views.{view.name} SET (security_invoker = {bool(b % 2)})"
        return world.make(view.name, sql, materialised=False)
    if c % 4 == 1:
        sql = (
            f"CREATE TRIGGER {name} INSTEAD OF INSERT ON views.{view.name} "
            "FOR EACH ROW EXECUTE FUNCTION base.ignore()"
        )
        return world.make(view.name, sql, materialised=False)
    if c % 4 == 2:
        sql = f"CREATE RULE {name} AS ON DELETE TO views.{view.name} DO INSTEAD NOTHING"
        return world.make(view.name, sql, materialised=False)
    sql = f"ALTER VIEW views.{view.name} ALTER COLUMN {column.name} SET DEFAULT '{c}'"
    return world.make(view.name, sql, columns=[column.name], types=True, materialised=False)


def give_away(world: World, a: int, b: int, c: int) -> str | None:
    """Give a view to another owner."""
    view, _ = _installed(world, a)
    if view is None:
        return None
    kind = "MATERIALIZED VIEW" if view.materialised else "VIEW"
    return world.make(view.name, f"ALTER {kind} views.{view.name} OWNER TO {world.owner}")


def their_view(world: World, a: int, b: int, c: int) -> str | None:
    """Somebody else makes a view that reads one of ours, in a schema of their own."""
    view, columns = _installed(world, a)
    column = columns and pick(columns, b)
    if view is None or not column:
        return None
    name = f"theirs.t{_number(world)}"
    sql = (
        f"CREATE VIEW {name} AS SELECT id AS their_id, {column.name} AS their_column FROM views.{view.name}; "
        f"COMMENT ON VIEW {name} IS 'theirs {c}'; GRANT SELECT ON {name} TO {world.bob}"
    )
    return world.make(view.name, sql, columns=["id", column.name], types=True, theirs=name)


BY_HAND: dict[str, ByHand] = {
    act.__name__: act
    for act in (
        drift_definition, drift_column, drift_option, drop_by_hand, drop_index_by_hand, rename_base_column,
        grant, grant_further, grant_on_column, index, comment_on_column, tune, extended_statistics,
        alter_plain, give_away, their_view,
    )
}  # fmt: skip
