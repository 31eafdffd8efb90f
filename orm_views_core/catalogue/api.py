"""Reads the views that a role may read, and writes them as a site that needs no server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orm_views_core.engines.connections import staging_databases

from .addresses import JSON
from .as_json import as_json
from .files import Written, write_files
from .pages import render
from .reader import read_database
from .values import Catalogue


def read_catalogue(
    databases: Sequence[str] | None = None,
    *,
    role: str | None = None,
    sql: bool = False,
    times: bool = True,
) -> Catalogue:
    """Return what a catalogue says. No row of any view is read.

    Args:
        databases: aliases; when None, the default database and every database with registered views, if it is
            PostgreSQL.
        role: the role whose rights decide which views and columns there are. ``public`` stands for what
            every role may read. When None, the role that Django connects as.
        sql: whether to read the SQL of the views.
        times: whether to say as of which time the rows of materialised views are.

    Raises:
        OrmViewsError: a database cannot be read, or has no such role.
    """
    aliases = staging_databases(databases)
    read = tuple(read_database(alias, role, sql=sql, times=times) for alias in aliases)
    return Catalogue(read, role, sql)


def write_catalogue(directory: Path, catalogue: Catalogue) -> Written:
    """Write a catalogue into a directory: pages, what they have in common, and ``catalogue.json``.

    Args:
        directory: is created if it is missing. Otherwise it is empty, or has an earlier catalogue: what that
            wrote and is no longer wanted is removed, and nothing else.

    Raises:
        CatalogueError: the directory has other files, or the system refuses.
    """
    return write_files(directory, {**render(catalogue), JSON: as_json(catalogue)})
