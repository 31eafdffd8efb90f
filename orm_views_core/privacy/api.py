"""What is personal in a database as it is: for checks, commands and pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import is_role_list
from orm_views_core.database.lineage import RelationColumn
from orm_views_core.definitions.compiler import compile_definitions
from orm_views_core.definitions.definition import Definitions
from orm_views_core.definitions.registered import registered_views
from orm_views_core.engines.postgresql.catalog.search_path import catalog_cursor
from orm_views_core.engines.postgresql.rules.catalog import read_stored
from orm_views_core.engines.postgresql.rules.known import read_selects
from orm_views_core.engines.postgresql.rules.readers import read_readers
from orm_views_core.lineage.api import safe_functions
from orm_views_core.names import ViewName
from orm_views_core.views.options import ViewOptions

from .exposures import Exposure
from .guard import Finding, Findings
from .judging import follow_to_ends, judge_stored
from .marks import are_used
from .personal_columns import read_marked, read_personal


def judge_views(
    connection: BaseDatabaseWrapper,
    views: Collection[ViewName] | None = None,
    definitions: Definitions | None = None,
) -> Findings:
    """Return what the guard finds in a database: the views that show what is personal, and to whom.

    Without anything personal, nothing is sent to the database. Classes that do not compile declare nothing.

    Args:
        connection: the database.
        views: the views; all when None. Of the others only those are read that these read, and nothing is
            found of them.
        definitions: what the classes say, at least those of the views, if they are compiled already.

    Raises:
        PersonalFieldError: what is marked as personal is no field with a column.

    Example:
        >>> from django.db import connections
        >>> from orm_views_core.privacy.api import judge_views
        >>> [str(finding) for finding in judge_views(connections["default"]).problems]
        []
    """
    if not are_used():
        return Findings()
    if definitions is None:
        definitions = compile_definitions(connection, anew=False, only=views)
    ends = set() if views is None else _not_personal(connection.alias)
    with catalog_cursor(connection, savepoint=True) as cursor:
        personal, missing = read_marked(cursor)
        if not personal:
            return Findings(warnings=missing)
        readers = read_readers(cursor)
        readable = [name for name, each in readers.items() if each.is_anybody]
        names = [name for name in readable if views is None or name in views]
        stored = read_stored(cursor, names, safe_functions())
        findings = judge_stored(
            cursor,
            stored,
            {},
            personal,
            definitions,
            readers,
            further_ends=ends,
            selects=read_selects(stored),
        )
    findings = replace(findings, warnings=(*missing, *findings.warnings))
    return findings if views is None else findings.about(views)


def find_personal_columns(
    connection: BaseDatabaseWrapper,
    views: Collection[ViewName] | None = None,
    twins: Mapping[ViewName, ViewName] | None = None,
) -> dict[ViewName, dict[str, Exposure]]:
    """Return the columns of views that are personal, whoever may read them.

    A column that its class declares to be no longer personal is not among them, unless it shows a personal
    column as it is. Without anything personal, nothing is sent to the database.

    Args:
        connection: the database.
        views: the views; all when None. Of the others only those are read that these read.
        twins: the view of a class, by the staged view that stands for it. What the class declares of the one
            is said of the other too.

    Returns:
        for each view with such columns, these by name.

    Raises:
        PersonalFieldError: what is marked as personal is no field with a column.

    Example:
        >>> from django.db import connections
        >>> from orm_views_core.privacy.api import find_personal_columns
        >>> with connections["default"].cursor() as cursor:
        ...     cursor.execute("CREATE VIEW mailing AS SELECT id, email FROM lending_customer")
        >>> for view, columns in find_personal_columns(connections["default"]).items():
        ...     print(view, *columns)
        public.mailing email
    """
    if not are_used():
        return {}
    ends = _not_personal(connection.alias)
    for staged, name in (twins or {}).items():
        ends |= {RelationColumn(staged, end.column) for end in ends if end.relation == name}
    with catalog_cursor(connection, savepoint=True) as cursor:
        personal = read_personal(cursor)
        if not personal:
            return {}
        stored = read_stored(cursor, views, safe_functions())
        exposures = follow_to_ends(stored, personal, ends, selects=read_selects(stored)).exposures
    found = {
        name: {c: each for c, each in columns.items() if each.is_shown or each.column not in ends}
        for name, columns in exposures.items()
        if views is None or name in views
    }
    return {name: columns for name, columns in found.items() if columns}


def _not_personal(database: str) -> set[RelationColumn]:
    """Return the columns that classes declare to be no longer personal, without compiling them."""
    return {
        RelationColumn(name, column)
        for name, classes in registered_views(database).by_name.items()
        for view in classes
        if is_role_list(columns := ViewOptions(view).not_personal)
        for column in columns
    }


__all__ = ["Exposure", "Finding", "Findings", "find_personal_columns", "judge_views"]
