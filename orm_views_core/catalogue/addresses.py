"""The names of a catalogue's files: of any view, on any file system, and the same each time. Pure."""

from __future__ import annotations

import hashlib
import re

from orm_views_core.names import ViewName

INDEX, JSON = "index.html", "catalogue.json"
#: The folders of the pages.
VIEWS, TABLES = "views", "tables"

_DEFAULT = "default"
_PLAIN = re.compile(r"[a-z0-9_]{1,63}")
#: Windows takes these for devices, whatever follows after a dot.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
_LONGEST = 60


def view_page(database: str, view: ViewName) -> str:
    """Return the path of the page of a view."""
    return f"{VIEWS}/{_file_name(database, view)}.html"


def table_page(database: str, table: ViewName) -> str:
    """Return the path of the page of a table."""
    return f"{TABLES}/{_file_name(database, table)}.html"


def column_anchor(column: str) -> str:
    """Return the id of a column's row on the page of its view or table."""
    return f"column-{_slug(column)}"


def _file_name(database: str, name: ViewName) -> str:
    """Return a name of ASCII letters, digits, dots, underscores and hyphens.

    The name of a relation of the default database has no alias in front: it stays the same when a project
    gets a second database.
    """
    return _slug(*([] if database == _DEFAULT else [database]), *name)


def _slug(*parts: str) -> str:
    """Return names with dots in between. Where they would not fit or be ambiguous, a hash makes them unique.

    A plain name has no hyphen and no capital, so that no two files differ in their case only.
    """
    if all(map(_PLAIN.fullmatch, parts)) and parts[0] not in _DEVICES:
        return ".".join(parts)
    words = re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")[:_LONGEST].strip("-") or "name"
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]
    return f"{words}-{digest}"
