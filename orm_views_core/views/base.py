"""The base classes for the view classes of a project, and their mixins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Index, Model, QuerySet
from django.utils.functional import classproperty

from orm_views_core.exceptions import InvalidViewDependencies
from orm_views_core.names import column_list, key_name, quote_identifier, written_at
from orm_views_core.sentences import listed, says

from .engines import may_be_limited, sql_on
from .guards import GuardedModel
from .options import ClassStatement, ViewOptions, find_class_statement
from .options import ParameterisedSQL as ParameterisedSQL
from .querysets import column_names, keep_types, sort_in_lists
from .readable import ReadableViewBase, is_readable
from .registry import registry

#: The module of the models that Django creates from the state of migrations.
_MIGRATION_STATE = "__fake__"


class HiddenViewMixin:
    """Makes a view ``hidden``: no role is granted SELECT on it. For views that only other views read.

    Example:
        >>> from orm_views_core.views import HiddenViewMixin, PostgresViewFromSQL
        >>> class LateLoans(HiddenViewMixin, PostgresViewFromSQL):
        ...     sql = "SELECT * FROM lending_loan WHERE status = 'late'"
    """

    hidden = True


class BasePostgresView:
    """The base class of every view.

    Attributes:
        prefix: a prefix of the name. An underscore separates them.
        view_dependencies: view classes that must be created first. Optional: references in the SQL are found
            without it.
        hidden: True means that no role is granted SELECT on the view.
        schema: the schema to create it in; ``ORM_VIEWS["SCHEMA"]`` when None. A function is called with the
            connection of the view, and returns the schema.
        grant_select_to: roles that get SELECT on this view, besides ``ORM_VIEWS["GRANT_SELECT_TO"]``.
        security_barrier: PostgreSQL's option of that name. None leaves PostgreSQL's default.
        security_invoker: likewise. It needs PostgreSQL 15.
        check_option: "local" or "cascaded", for an updatable view.
        updatable: True allows the ORM to write to a readable view. PostgreSQL must be able to update it.
        exposes: the columns that may show personal data to those who get SELECT on the view.
        not_personal: the columns that are computed from personal data and are no longer personal.
        staff: for the pages of the admin: which groups of users may do what, besides the permission that they
            need: ``{"preview": ["analysts"]}``. An action that is left out is open to all who have it.
        engines: the engines that the view is for, such as ``["postgresql"]``; every engine when None. In the
            database of another engine the view is skipped.
    """

    view_dependencies: ClassVar[Sequence[type]] = []
    prefix: ClassVar[str | None] = None
    hidden = False
    schema: ClassVar[str | Callable[[BaseDatabaseWrapper], str] | None] = None
    grant_select_to: ClassVar[Sequence[str]] = ()
    security_barrier: ClassVar[bool | None] = None
    security_invoker: ClassVar[bool | None] = None
    check_option: ClassVar[Literal["local", "cascaded"] | None] = None
    updatable: ClassVar[bool] = False
    staff: ClassVar[Mapping[str, Sequence[str]]] = {}
    engines: ClassVar[Sequence[str] | None] = None

    _view_may_be_limited: ClassVar[bool] = False
    _view_statement: ClassVar[ClassStatement | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._view_statement = find_class_statement(cls.__module__)
        if may_be_limited(cls):
            cls._view_may_be_limited = True
        databases = {ViewOptions(view).database for view in ViewOptions(cls).view_dependencies}
        if len(databases) > 1:
            raise InvalidViewDependencies(
                says(
                    "%(where)s: its view_dependencies are in more than one database (%(databases)s). A view "
                    "reads one database only.",
                    where=written_at(f"{cls.__module__}.{cls.__qualname__}", ViewOptions(cls).source),
                    databases=listed(sorted(databases)),
                )
            )

    @classproperty
    def _parameterised_sql(cls) -> ParameterisedSQL:
        """The view's SELECT. ``PostgresViewFromQueryset`` and ``PostgresViewFromSQL`` implement it."""
        raise NotImplementedError

    @classproperty
    def creation_sql(cls) -> ParameterisedSQL:
        """The statement that creates the view. The cursor fills in its parameters."""
        select = cls._parameterised_sql
        name = cls.name_with_schema + column_list(select.columns).replace("%", "%%")
        return ParameterisedSQL(f"CREATE VIEW {name} AS {select.sql};", select.params)

    @classproperty
    def name(cls) -> str:
        """The view's name: prefix and name of the class in lower case. A class may override it."""
        word = cls.__name__.replace("-", "").lower()  # type: ignore[attr-defined]
        prefix = ViewOptions(cls).prefix  # type: ignore[arg-type]
        # django-orm-views did not quote the name, so PostgreSQL folded the prefix to lower case. Existing
        # dashboards use that name.
        return word if prefix is None else f"{prefix.lower()}_{word}"

    @classproperty
    def name_with_schema(cls) -> str:
        """The view's schema and name, both quoted: ``"views"."loan_book"``."""
        return ViewOptions(cls).placed  # type: ignore[arg-type]

    @classproperty
    def schema_qry(cls) -> ParameterisedSQL:
        """A query for the view's columns and their types."""
        return ParameterisedSQL(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
            [*ViewOptions(cls).relation()],  # type: ignore[arg-type]
        )


class PostgresMaterialisedViewMixin:
    """Makes a view materialised. It must be the first of the base classes.

    Attributes:
        pk_field: the column, or the columns, that identify a row. They get a unique index. With that index
            the view can be refreshed concurrently, so that it can be read meanwhile.
        indexes: further ``models.Index`` objects.
        with_data: False creates the view without data. It cannot be read before its first refresh.
        refresh_every: the maximum age of its rows, a ``timedelta``. ``refresh_views --due`` refreshes views
            that are older. None allows any age. ``ORM_VIEWS["REFRESH_EVERY"]`` applies if no class sets it.
        build_settings: PostgreSQL's settings for its builds and refreshes: ``{"work_mem": "256MB"}``.
        storage_parameters: PostgreSQL's storage parameters: ``{"fillfactor": 70}``.
        db_tablespace: where it is stored; Django's ``DEFAULT_TABLESPACE`` when None.
        index_tablespace: where its indexes are stored, unless an index names another tablespace; Django's
            ``DEFAULT_INDEX_TABLESPACE`` when None, and then the tablespace of the view.

    Example:
        >>> from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
        >>> class Channels(PostgresMaterialisedViewMixin, PostgresViewFromSQL):
        ...     pk_field = "channel"
        ...     sql = "SELECT channel, count(*) AS loans FROM lending_loan GROUP BY channel"
        >>> Channels.get_refresh_sql(concurrently=True)
        'REFRESH MATERIALIZED VIEW CONCURRENTLY "views"."channels";'
    """

    pk_field: ClassVar[str | Sequence[str] | None] = None
    indexes: ClassVar[Sequence[Index]] = ()
    with_data: ClassVar[bool] = True
    build_settings: ClassVar[Mapping[str, object]] = {}
    storage_parameters: ClassVar[Mapping[str, object]] = {}
    db_tablespace: ClassVar[str | None] = None
    index_tablespace: ClassVar[str | None] = None
    # It has no value here: None would count as a value that the class sets.
    refresh_every: ClassVar[dt.timedelta | None]

    @classmethod
    def _view_pk_columns(cls) -> tuple[str, ...]:
        """Return the columns of ``pk_field``."""
        # For a readable view, pk_field may have the name of a field, such as that of a foreign key.
        fields = cls._meta.concrete_fields if is_readable(cls) else ()  # type: ignore[attr-defined]
        columns = {field.name: field.column for field in fields}
        columns |= {field.column: field.column for field in fields}
        return tuple(columns.get(name, name) for name in ViewOptions(cls).key)

    @classproperty
    def creation_sql(cls: Any) -> ParameterisedSQL:
        """The statements that create the view and its unique index."""
        select = cls._parameterised_sql
        name = cls.name_with_schema + column_list(select.columns).replace("%", "%%")
        sql = f"CREATE MATERIALIZED VIEW {name} AS {select.sql};"
        if columns := cls._view_pk_columns():
            index = quote_identifier(key_name(ViewOptions(cls).relation().name, columns))
            sql += f"CREATE UNIQUE INDEX {index} ON {cls.name_with_schema}{column_list(columns)};"
        return ParameterisedSQL(sql, select.params)

    @classmethod
    def get_refresh_sql(cls, concurrently: bool = False) -> str:
        """Return the statement that refreshes the view.

        Args:
            concurrently: whether other sessions can read the view during the refresh.

        Raises:
            ValueError: ``concurrently`` is True and the class has no ``pk_field``.
        """
        if concurrently and not cls._view_pk_columns():
            raise ValueError("Can't refresh concurrently without a pk_field")
        words = "REFRESH MATERIALIZED VIEW CONCURRENTLY" if concurrently else "REFRESH MATERIALIZED VIEW"
        return f"{words} {cls.name_with_schema};"  # type: ignore[attr-defined]


class AutoRegisterMixin:
    """Registers every subclass as a view of its ``database``, unless ``should_register=False``."""

    database = DEFAULT_DB_ALIAS

    def __init_subclass__(cls, should_register: bool = True, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # For an app without migrations, migrations create a model of each readable view. It has no SQL and is
        # not a view.
        if should_register and cls.__module__ != _MIGRATION_STATE:
            registry.register(cls)


class PostgresViewFromQueryset(AutoRegisterMixin, BasePostgresView, should_register=False):
    """A view defined by a queryset.

    Example:
        >>> from django.db.models import Count
        >>> from lending.models import Loan
        >>> from orm_views_core.views import PostgresViewFromQueryset
        >>> class Channels(PostgresViewFromQueryset):
        ...     @classmethod
        ...     def get_queryset(cls):
        ...         return Loan.objects.values("channel").annotate(loans=Count("id"))
    """

    @classmethod
    def get_queryset(cls) -> QuerySet[Any, Any]:
        """Return the queryset. It ends in ``.values(...)``, which names the view's columns."""
        raise NotImplementedError

    @classproperty
    def _parameterised_sql(cls) -> ParameterisedSQL:
        query = cls.get_queryset().query
        if is_readable(cls):  # type: ignore[arg-type]
            query.select_related = False  # it adds columns of other models, for which the view has no fields
        sort_in_lists(query)
        keep_types(query)
        compiler = query.get_compiler(using=ViewOptions(cls).database)  # type: ignore[arg-type]
        sql, params = compiler.as_sql()
        return ParameterisedSQL(sql, list(params), column_names(query))


class PostgresViewFromSQL(AutoRegisterMixin, BasePostgresView, should_register=False):
    """A view defined by raw SQL.

    Attributes:
        sql: the SELECT, a string or a ``classproperty``. A percent sign may be written as ``%`` or, as in
            django-orm-views, as ``%%``. A dict has one for each engine: ``{"postgresql": …, "sqlite": …}``.
            In the database of an engine that it does not have, the view is skipped.

    Example:
        >>> from orm_views_core.views import PostgresViewFromSQL
        >>> class Channels(PostgresViewFromSQL):
        ...     sql = "SELECT channel, count(*) AS loans FROM lending_loan GROUP BY channel"
        >>> Channels.name_with_schema
        '"views"."channels"'
    """

    sql: ClassVar[str | Mapping[str, str] | None] = None

    @classproperty
    def _parameterised_sql(cls) -> ParameterisedSQL:
        sql = ViewOptions(cls).sql  # type: ignore[arg-type]
        if sql is None:
            raise NotImplementedError
        if isinstance(sql, Mapping):
            sql = sql_on(cls, sql, ViewOptions(cls).database)  # type: ignore[arg-type]
        return ParameterisedSQL(sql.replace("%%", "%").replace("%", "%%"), [])


class ReadableViewFromQueryset(
    PostgresViewFromQueryset, GuardedModel, Model, metaclass=ReadableViewBase, is_abstract_model=True
):
    """A view defined by a queryset that can also be read through the ORM.

    It has a field for each column of the queryset. A field that the class declares replaces the inferred one.

    Example:
        >>> from django.db.models import Count
        >>> from lending.models import Loan
        >>> from orm_views_core.sync import sync_views
        >>> from orm_views_core.views import ReadableViewFromQueryset
        >>> class Channels(ReadableViewFromQueryset):
        ...     pk_field = "channel"
        ...     @classmethod
        ...     def get_queryset(cls):
        ...         return Loan.objects.values("channel").annotate(loans=Count("id"))
        >>> results = sync_views(views=["channels"])
        >>> [(row.channel, row.loans) for row in Channels.objects.order_by("channel")]
        [('broker', 40), ('phone', 41), ('web', 119)]
    """


class ReadableViewFromSQL(
    PostgresViewFromSQL, GuardedModel, Model, metaclass=ReadableViewBase, is_abstract_model=True
):
    """A view defined by raw SQL that can also be read through the ORM.

    The class declares a field for each column. ``manage.py inspect_view`` prints the declarations.

    Example:
        >>> from django.db import models
        >>> from orm_views_core.sync import sync_views
        >>> from orm_views_core.views import ReadableViewFromSQL
        >>> class Channels(ReadableViewFromSQL):
        ...     sql = "SELECT channel, count(*) AS loans FROM lending_loan GROUP BY channel"
        ...     channel = models.CharField(max_length=12, primary_key=True)
        ...     loans = models.BigIntegerField()
        >>> results = sync_views(views=["channels"])
        >>> Channels.objects.get(channel="web").loans
        119
    """
