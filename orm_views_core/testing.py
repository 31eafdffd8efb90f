"""Materialised views in the tests of a project: with the rows that follow from the test's data.

The refreshes are part of the test's transaction and are rolled back with it. They do not run concurrently:
REFRESH … CONCURRENTLY needs a populated view, and no other session reads the view. On engines without
materialised views there is nothing to refresh: the same tests run there too.
https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import SimpleTestCase, TestCase, TransactionTestCase

from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.definitions.lookup import select_views
from orm_views_core.engines.connections import get_connection
from orm_views_core.engines.postgresql import ddl
from orm_views_core.engines.postgresql.catalog.dependencies import read_view_reads
from orm_views_core.engines.postgresql.roles import as_sync_role
from orm_views_core.sentences import Sentence
from orm_views_core.spelling import spelling_on
from orm_views_core.views.base import PostgresMaterialisedViewMixin
from orm_views_core.views.identity import label_of, name_of
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.registry import registry

from .conf import get_settings
from .exceptions import RefreshError, UnknownViewError
from .graph import closure, creation_order
from .names import ViewKind, ViewName

if TYPE_CHECKING:
    _Base = TransactionTestCase
else:
    _Base = object


def refresh_for_test(
    *views: type | str, databases: str | Collection[str] = (DEFAULT_DB_ALIAS,)
) -> list[ViewName]:
    """Refresh materialised views from what the current transaction sees, each after those that it reads.

    It sends no signal, and it does not change the sync states of the views. Where a database has no
    materialised views, as on SQLite, their rows are computed when they are read, and nothing is done.

    Args:
        views: classes, names (``loan_book``, ``views.loan_book``) or labels (``lending.LoanBook``). The
            materialised views that they read are refreshed before them. When none is given, all views of
            the databases.
        databases: the aliases that the test may use, or ``"__all__"``.

    Returns:
        the names of the views that were refreshed, in their order.

    Raises:
        UnknownViewError: when one of ``views`` is not a registered materialised view of these databases.
        RefreshError: when a view is not in the database, or PostgreSQL refuses. The transaction stays usable.

    Example:
        >>> from lending.models import Loan
        >>> from lending.postgres_views import LoanBook
        >>> from orm_views_core.testing import refresh_for_test
        >>> Loan.objects.update(channel="broker")
        200
        >>> [str(name) for name in refresh_for_test(LoanBook)]
        ['views.loan_book']
        >>> LoanBook.objects.filter(channel="broker").count()
        200
    """
    aliases = aliases_of(databases)
    chosen = _choose(views, aliases)
    refreshed: list[ViewName] = []
    for alias in (alias for alias in aliases if spelling_on(alias).abilities.materialised):
        if wanted := [definition for definition in chosen if definition.database == alias]:
            refreshed += _refresh(get_connection(alias), wanted)
    return refreshed


def aliases_of(databases: str | Collection[str]) -> list[str]:
    """Return the aliases that a test may use, in the order of DATABASES."""
    return [alias for alias in connections if databases == "__all__" or alias in databases]


class RefreshedViewsMixin(_Base):
    """Refreshes the materialised views for a test case. Put it in front of ``TestCase``.

    In a ``TestCase`` they are refreshed once, after ``setUpTestData``, and rolled back with its data. A
    ``TransactionTestCase`` empties its tables after each test, so there they are refreshed before each test
    and after the last.

    Example:
        >>> from django.test import TestCase
        >>> from lending.models import Loan
        >>> from lending.postgres_views import LoanBook
        >>> from orm_views_core.testing import RefreshedViewsMixin
        >>> class LoanBookTests(RefreshedViewsMixin, TestCase):
        ...     def test_a_loan_that_is_late(self):
        ...         Loan.objects.update(status="late")
        ...         self.refresh_views(LoanBook)
        ...         self.assertFalse(LoanBook.objects.exclude(status="late").exists())
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        order = cls.__mro__
        if SimpleTestCase in order and order.index(SimpleTestCase) < order.index(RefreshedViewsMixin):
            raise TypeError(
                f"{cls.__module__}.{cls.__qualname__}: RefreshedViewsMixin comes after its test case, so it "
                "is never called. Put it in front: class …(RefreshedViewsMixin, TestCase)."
            )

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        if not issubclass(cls, TestCase):
            return
        try:
            cls.refresh_views()
        except BaseException:
            super().tearDownClass()  # unittest does not call it after a setUpClass that fails.
            raise

    def setUp(self) -> None:
        super().setUp()
        if not isinstance(self, TestCase):
            self.refresh_views()

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        if not issubclass(cls, TestCase):
            cls.refresh_views()  # The tables are empty again, and earlier refreshes were committed.

    @classmethod
    def refresh_views(cls, *views: type | str) -> list[ViewName]:
        """Refresh again, after the test has changed data, in the ``databases`` of the test.

        Args:
            *views: those of :func:`refresh_for_test`.

        Returns:
            the names of the views that were refreshed, in their order.

        Raises:
            UnknownViewError: when one of ``views`` is not a registered materialised view of these databases.
            RefreshError: when a view is not in the database, or PostgreSQL refuses.
        """
        return refresh_for_test(*views, databases=cls.databases)


def _choose(views: Sequence[type | str], aliases: Sequence[str]) -> list[ViewDefinition]:
    if not views:
        usable = [view for alias in aliases for view in registry.views(alias)]
        return [_as_definition(view) for view in usable if issubclass(view, PostgresMaterialisedViewMixin)]
    registered = [_as_definition(view) for view in registry.views()]
    chosen: list[ViewDefinition] = []
    for view in views:
        text, candidates = view, registered
        if isinstance(view, type):
            candidates = [definition for definition in registered if definition.view is view]
            if not candidates:
                where = f"{view.__module__}.{view.__qualname__}"
                raise UnknownViewError(
                    Sentence(
                        f"{where} is not registered as a view. Pass a view class, or the name of a view."
                    )
                )
            text = candidates[0].label
        matches = select_views(candidates, [str(text)], kind=ViewKind.MATERIALISED_VIEW)
        here = [definition for definition in matches if definition.database in aliases]
        if not here:
            raise UnknownViewError(
                Sentence(
                    f"{matches[0].where} is in database {matches[0].database!r}, which this test does not "
                    f"use. It uses {', '.join(map(repr, aliases)) or 'none'}; add the alias to its databases."
                )
            )
        chosen += here
    return chosen


def _as_definition(view: Any) -> ViewDefinition:
    """Return a definition without SQL, because a compilation would take longer than the refresh."""
    materialised = issubclass(view, PostgresMaterialisedViewMixin)
    return ViewDefinition(
        label=label_of(view),
        source=ViewOptions(view).source,
        database=ViewOptions(view).database,
        name=name_of(view),
        kind=ViewKind.MATERIALISED_VIEW if materialised else ViewKind.VIEW,
        sql="",
        view=view,
    )


def _refresh(connection: BaseDatabaseWrapper, wanted: Sequence[ViewDefinition]) -> list[ViewName]:
    reads, plain, _ = read_view_reads(connection)
    for definition in wanted:
        if definition.name not in reads or definition.name in plain:
            raise RefreshError(Sentence(_why_missing(connection, definition)))
    needed = closure(reads, [definition.name for definition in wanted]) - plain
    order = [view for view in creation_order(reads) if view in needed]
    with (
        transaction.atomic(using=connection.alias),
        as_sync_role(connection),
        connection.cursor() as cursor,
    ):
        for view in order:
            try:
                cursor.execute(ddl.refresh(view, concurrently=False))
            except DatabaseError as error:
                raise RefreshError(
                    Sentence(
                        f"{view} in database {connection.alias!r} could not be refreshed: "
                        f"{str(error).strip()}"
                    )
                ) from error
    return order


def _why_missing(connection: BaseDatabaseWrapper, definition: ViewDefinition) -> str:
    if mirrored := connection.settings_dict["TEST"]["MIRROR"]:
        advice = (
            f"In tests the alias {connection.alias!r} mirrors {mirrored!r}, and Django does not migrate a "
            "mirror. Sync its views where you set up the test databases."
        )
    elif get_settings().SYNC_ON_MIGRATE:
        advice = (
            "The test database was kept from an earlier run without the view. Create it again: leave out "
            "--keepdb, or use --create-db with pytest."
        )
    else:
        advice = "Set ORM_VIEWS['SYNC_ON_MIGRATE'] to True in the settings of your tests."
    return (
        f"{definition.where}: {definition.name} is not a materialised view in database "
        f"{connection.alias!r} ({connection.settings_dict['NAME']}). {advice}"
    )


__all__ = ["RefreshedViewsMixin", "refresh_for_test"]
