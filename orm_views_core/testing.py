"""Materialised views in the tests of a project: with the rows that the test's own data gives.

The refreshes belong to the test's transaction and are rolled back with it. They are plain ones: a concurrent
refresh needs rows to compare with, and nobody else reads.
https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import SimpleTestCase, TestCase, TransactionTestCase

from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.definitions.lookup import select_views
from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.catalog import queries
from orm_views_core.engines.postgresql.catalog.fetch import fetch
from orm_views_core.views.base import PostgresMaterialisedViewMixin
from orm_views_core.views.identity import label_of, name_of
from orm_views_core.views.registry import registry

from .conf import get_settings
from .exceptions import RefreshError, UnknownViewError
from .graph import closure, creation_order
from .names import ViewKind, ViewName, declared

if TYPE_CHECKING:
    _Base = TransactionTestCase
else:
    _Base = object


def refresh_for_test(
    *views: type | str, databases: str | Collection[str] = (DEFAULT_DB_ALIAS,)
) -> list[ViewName]:
    """Refresh materialised views with what the present transaction sees, each after those that it reads.

    No signal is sent, and the views do not remember it: nothing has happened that anybody has to know.

    Args:
        views: classes, names (``loan_book``, ``views.loan_book``) or labels (``lending.LoanBook``). The
            materialised views that they read are refreshed before them. All of the databases when none is
            given.
        databases: the aliases that the test may use, or ``"__all__"``.

    Returns:
        the names of the views that were refreshed, in their order.

    Raises:
        UnknownViewError: when one of ``views`` is not a registered materialised view of these databases.
        RefreshError: when a view is not in the database, or PostgreSQL refuses; the transaction goes on.
    """
    aliases = [alias for alias in connections if databases == "__all__" or alias in databases]
    chosen = _choose(views, aliases)
    return [
        name
        for alias in aliases
        if (of_alias := [definition for definition in chosen if definition.database == alias])
        for name in _refresh(get_connection(alias), of_alias)
    ]


class RefreshedViewsMixin(_Base):
    """Refreshes the materialised views for a test case. Put it in front of ``TestCase``.

    In a ``TestCase`` they are refreshed once, after ``setUpTestData``, and rolled back with what it made. In
    a ``TransactionTestCase``, whose data goes after each test, before each test and after the last.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        order = cls.__mro__
        if SimpleTestCase in order and order.index(SimpleTestCase) < order.index(RefreshedViewsMixin):
            raise TypeError(
                f"{cls.__module__}.{cls.__qualname__}: RefreshedViewsMixin stands behind its test case, "
                "where it is never asked. Put it in front: class …(RefreshedViewsMixin, TestCase)."
            )

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        if not issubclass(cls, TestCase):
            return
        try:
            cls.refresh_views()
        except BaseException:
            super().tearDownClass()  # unittest does not call it after a setUpClass that fails
            raise

    def setUp(self) -> None:
        super().setUp()
        if not isinstance(self, TestCase):
            self.refresh_views()

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        if not issubclass(cls, TestCase):
            cls.refresh_views()  # the tables are empty again, and these are not rolled back

    @classmethod
    def refresh_views(cls, *views: type | str) -> list[ViewName]:
        """Refresh again, after the test has made or changed data.

        Args:
            views: classes, names or labels, before which the materialised views that they read are
                refreshed too; all of the test's ``databases`` when none is given.

        Returns:
            the names of the views that were refreshed, in their order.

        Raises:
            UnknownViewError: when one of ``views`` is not a registered materialised view of these databases.
            RefreshError: when a view is not in the database, or PostgreSQL refuses.
        """
        return refresh_for_test(*views, databases=cls.databases)


def _choose(views: Sequence[type | str], aliases: Sequence[str]) -> list[ViewDefinition]:
    if not views:
        return [
            _as_definition(view)
            for alias in aliases
            for view in registry.views(alias)
            if issubclass(view, PostgresMaterialisedViewMixin)
        ]
    registered = [_as_definition(view) for view in registry.views()]
    chosen: list[ViewDefinition] = []
    for view in views:
        matches = select_views(
            _of_class(view, registered) if isinstance(view, type) else registered,
            [view if isinstance(view, str) else label_of(view)],
            kind=ViewKind.MATERIALISED_VIEW,
        )
        here = [definition for definition in matches if definition.database in aliases]
        if not here:
            raise UnknownViewError(
                f"{matches[0].where} is in database {matches[0].database!r}, which this test does not use. "
                f"It uses {', '.join(map(repr, aliases)) or 'none'}; add the alias to its databases."
            )
        chosen += here
    return chosen


def _of_class(view: type, registered: Sequence[ViewDefinition]) -> list[ViewDefinition]:
    found = [definition for definition in registered if definition.view is view]
    if not found:
        raise UnknownViewError(
            f"{view.__module__}.{view.__qualname__} is not registered as a view. Pass a view class, or the "
            "name of a view."
        )
    return found


def _as_definition(view: Any) -> ViewDefinition:
    """Say what a class is called. Its SQL is not compiled: that would take longer than the refresh."""
    materialised = issubclass(view, PostgresMaterialisedViewMixin)
    return ViewDefinition(
        label=label_of(view),
        source=vars(view).get("_view_source"),
        database=declared(view, "database", DEFAULT_DB_ALIAS),
        name=name_of(view),
        kind=ViewKind.MATERIALISED_VIEW if materialised else ViewKind.VIEW,
        sql="",
        view=view,
    )


def _refresh(connection: BaseDatabaseWrapper, wanted: Sequence[ViewDefinition]) -> list[ViewName]:
    reads: defaultdict[ViewName, list[ViewName]] = defaultdict(list)
    materialised = set()
    with connection.cursor() as cursor:
        for schema, name, is_materialised, read_schema, read_name in fetch(cursor, queries.VIEW_READS, {}):
            view = ViewName(schema, name)
            reads[view] += [ViewName(read_schema, read_name)] if read_name else []
            if is_materialised:
                materialised.add(view)
    for definition in wanted:
        if definition.name not in materialised:
            raise RefreshError(_not_there(connection, definition))
    needed = closure(reads, {definition.name for definition in wanted})
    order = [view for view in creation_order(reads) if view in needed & materialised]
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for view in order:
            try:
                cursor.execute(ddl.refresh(view, concurrently=False))
            except DatabaseError as error:
                raise RefreshError(
                    f"{view} in database {connection.alias!r} could not be refreshed: {str(error).strip()}"
                ) from error
    return order


def _not_there(connection: BaseDatabaseWrapper, definition: ViewDefinition) -> str:
    mirrored = connection.settings_dict["TEST"]["MIRROR"]
    if mirrored:
        advice = (
            f"In tests the alias {connection.alias!r} mirrors {mirrored!r}, and Django migrates no mirror: "
            "sync its views where you set up the test databases."
        )
    elif get_settings().SYNC_ON_MIGRATE:
        advice = (
            "The test database was kept from an earlier run without it. Make it anew: leave --keepdb away, "
            "or with pytest, say --create-db."
        )
    else:
        advice = "Set ORM_VIEWS['SYNC_ON_MIGRATE'] to True in the settings of your tests."
    return (
        f"{definition.where}: {definition.name} is no materialised view in database "
        f"{connection.alias!r} ({connection.settings_dict['NAME']}). {advice}"
    )


__all__ = ["RefreshedViewsMixin", "refresh_for_test"]
