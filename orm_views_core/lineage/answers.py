"""Answers what views are made of, and what hangs on views, tables and their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.database.lineage import ViewLineage
from orm_views_core.definitions.registered import registered_views
from orm_views_core.engines.connections import get_connection, staging_databases, view_databases
from orm_views_core.exceptions import UnknownNameError
from orm_views_core.names import ViewName
from orm_views_core.sentences import says
from orm_views_core.views.identity import label_of

from .api import read_lineage
from .asked import Asked, find_asked
from .questions import downstream, upstream

#: What needs PostgreSQL.
LINEAGE = says("The lineage of views")


@dataclass(frozen=True)
class Answer:
    """What is known of the views of one database, or of what somebody asked about.

    Attributes:
        database: the alias.
        asked: what was asked about; None for all views.
        upstream: what the view is made of, or every view when none was asked about; None when that was not
            asked for.
        downstream: what hangs on it, by view; None when that was not asked for.
        labels: the classes of the registered views. A view that has none is somebody else's.
    """

    database: str
    asked: Asked | None = None
    upstream: tuple[ViewLineage, ...] | None = None
    downstream: tuple[ViewLineage, ...] | None = None
    labels: Mapping[ViewName, str] = field(default_factory=dict)


def ask(
    name: str | None = None,
    *,
    databases: Sequence[str] | None = None,
    up: bool | None = None,
    down: bool | None = None,
) -> list[Answer]:
    """Return what a view is made of, what hangs on a view or a table, or what all views are made of.

    Args:
        name: a view, a model or a table, or a column or a field of one: ``lending.LoanBook``,
            ``loan_book.city``, ``public.lending_loan``. All views when None.
        databases: aliases. When None, those with registered views, and the default database; of these, those
            that are PostgreSQL.
        up: whether to follow what it is made of, to the columns of tables.
        down: whether to follow what hangs on it. When neither is given, both for a view, and only this for a
            table.

    Returns:
        an answer for each database; with a name, for each database that has it.

    Raises:
        UnknownNameError: no database has the name, or it stands for several things in one of them.
        OrmViewsError: a database does not answer.

    Example:
        >>> from orm_views_core.lineage import ask
        >>> [answer] = ask("lending.LoanBook.age_band", up=True)
        >>> [view] = answer.upstream
        >>> sorted(map(str, view.column("age_band").computed_from))
        ['public.lending_customer.date_of_birth', 'public.lending_loan.opened_on']
    """
    connections = [get_connection(alias, LINEAGE) for alias in staging_databases(databases)]
    if name is None:
        return [_all(connection) for connection in connections]
    try:
        found = find_asked(connections, name)
    except UnknownNameError:
        if databases is None:
            _refuse_elsewhere(name)
        raise
    return [
        _answer(connection, found[connection.alias], up, down)
        for connection in connections
        if connection.alias in found
    ]


def _refuse_elsewhere(name: str) -> None:
    """Raise an error if a class declares a view of that name in a database that has no lineage.

    Raises:
        UnsupportedDatabaseError: one does.
    """
    for alias in view_databases():
        if name in registered_views(alias).by_handle:
            get_connection(alias, LINEAGE)


def _all(connection: BaseDatabaseWrapper) -> Answer:
    lineage = read_lineage(connection)
    views = tuple(view for _, view in sorted(lineage.views.items()))
    return Answer(connection.alias, upstream=views, labels=_labels(connection))


def _answer(connection: BaseDatabaseWrapper, asked: Asked, up: bool | None, down: bool | None) -> Answer:
    if not (up or down):
        up, down = asked.is_view, True
    lineage = read_lineage(connection, None if down else [asked.relation])
    of_view = upstream(lineage, asked.relation, asked.column)
    return Answer(
        connection.alias,
        asked,
        (() if of_view is None else (of_view,)) if up else None,
        downstream(lineage, asked.relation, asked.column) if down else None,
        _labels(connection),
    )


def _labels(connection: BaseDatabaseWrapper) -> dict[ViewName, str]:
    by_name = registered_views(connection.alias).by_name
    return {name: label_of(classes[0]) for name, classes in by_name.items()}
