"""Stand-ins: what a view is while a migration changes the tables that it reads. Pure.

A stand-in has the columns of its view and depends on no table. That of a plain view cannot be read. Other
sessions do not see it, because the transaction puts the view back; a migration that reads it gets an error.
That of a materialised view of ours has its rows: readers go on reading them until the view is built again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from orm_views_core.database.relations import InstalledView
from orm_views_core.engines.postgresql.ddl import quote_literal
from orm_views_core.names import ViewName, quote_identifier

#: How the SELECT of a stand-in ends that cannot be read.
UNREADABLE = "::pg_catalog.text::pg_catalog.bool"
#: What the names of the functions begin with that stand-ins get their rows from.
ROWS = "orm_views_rows_"


@dataclass(frozen=True)
class StandInColumn:
    """A column of a view, as SQL.

    Attributes:
        name: its name.
        type: its type.
        collation: its collation; "" for that of its type.
        is_gone: whether the type ends with a table. The stand-in has text in its place.
    """

    name: str
    type: str
    collation: str = ""
    is_gone: bool = False

    @property
    def null(self) -> str:
        """NULL as a value of the column."""
        kind = "text" if self.is_gone else self.type
        return f"NULL::{kind}{self.collated} AS {quote_identifier(self.name)}"

    @property
    def collated(self) -> str:
        """The collation as a clause."""
        return f" COLLATE {self.collation}" if self.collation and not self.is_gone else ""


def without_rows(view: ViewName, columns: Collection[StandInColumn]) -> str:
    """Return the SELECT of a stand-in that cannot be read.

    PostgreSQL says of the text in its WHERE that it is no boolean, when a query reads it.
    """
    why = quote_literal(f"{view} is put aside until the migrations are done, so it cannot be read")
    return f"SELECT {', '.join(column.null for column in columns)} WHERE {why}{UNREADABLE}"


def rows_function(view: InstalledView) -> ViewName:
    """Return the name of the function that a stand-in gets its rows from."""
    return ViewName(view.name.schema, f"{ROWS}{view.oid}")


def create_rows_function(view: InstalledView, columns: Collection[StandInColumn], role: str) -> Sequence[str]:
    """Return the statements that create this function.

    PostgreSQL does not record what the text of a function reads, so the stand-in does not depend on the view.
    Once it has the view's name, the function reads the stand-in itself: REFRESH keeps the rows as they are.

    Args:
        view: the materialised view.
        columns: its columns.
        role: the role that syncs, which creates the function.
    """
    function = f"{rows_function(view).quoted}()"
    selected = ", ".join(f"{quote_identifier(c.name)}{'::text' if c.is_gone else ''}" for c in columns)
    body = quote_literal(f"SELECT {selected} FROM {view.name.quoted}")
    statements = [
        f"CREATE FUNCTION {function} RETURNS SETOF record LANGUAGE sql STABLE AS {body}",
        f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC",
    ]
    if view.owner != role:
        statements.append(f"GRANT EXECUTE ON FUNCTION {function} TO {quote_identifier(view.owner)}")
    return statements


def with_rows(view: InstalledView, columns: Collection[StandInColumn]) -> str:
    """Return the SELECT of a stand-in that has the rows of a materialised view."""
    typed = ", ".join(f"{quote_identifier(c.name)} {'text' if c.is_gone else c.type}" for c in columns)
    names = ", ".join(
        f"rows.{quote_identifier(c.name)}{c.collated} AS {quote_identifier(c.name)}" for c in columns
    )
    return f"SELECT {names} FROM {rows_function(view).quoted}() AS rows({typed})"
