"""The classes that people subclass in their ``postgres_views.py``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Index, Model, QuerySet
from django.utils.functional import classproperty

from orm_views_core.conf import default_schema
from orm_views_core.exceptions import InvalidViewDependencies
from orm_views_core.names import (
    SourceLocation,
    ViewName,
    column_list,
    declared,
    find_class_statement,
    key_name,
    quote_identifier,
)

from .guards import GuardedModel
from .querysets import column_names, settle_order
from .readable import ReadableViewBase, is_readable
from .registry import registry

#: The module that Django gives to the models which it makes of a migration's state.
_IMAGINED = "__fake__"


@dataclass
class ParameterisedSQL:
    """SQL with ``%s`` placeholders and their values, as ``cursor.execute`` takes them.

    Attributes:
        columns: for a SELECT, what to call its columns; empty when it names them itself.
    """

    sql: str
    params: Sequence[Any] = field(default_factory=list)
    columns: tuple[str, ...] = ()


class HiddenViewMixin:
    """Makes a view hidden: no role is granted SELECT on it. For steps that other views build on."""

    hidden = True


class BasePostgresView:
    """What every view has in common.

    Attributes:
        prefix: put in front of the name, with an underscore.
        view_dependencies: view classes that must exist first. Optional: what the SQL says is found.
        hidden: True keeps the view out of every grant.
        schema: the schema to create it in; ``ORM_VIEWS["SCHEMA"]`` when None.
        grant_select_to: roles that get SELECT on this view, besides ``ORM_VIEWS["GRANT_SELECT_TO"]``.
        security_barrier: PostgreSQL's option of that name; left to PostgreSQL when None.
        security_invoker: likewise; needs PostgreSQL 15.
        check_option: "local" or "cascaded", for a view that is written through.
        updatable: True lets a readable view be written through the ORM, where PostgreSQL can do that.
    """

    view_dependencies: ClassVar[Sequence[type]] = []
    prefix: ClassVar[str | None] = None
    hidden = False
    schema: ClassVar[str | None] = None
    grant_select_to: ClassVar[Sequence[str]] = ()
    security_barrier: ClassVar[bool | None] = None
    security_invoker: ClassVar[bool | None] = None
    check_option: ClassVar[Literal["local", "cascaded"] | None] = None
    updatable: ClassVar[bool] = False

    _view_source: ClassVar[SourceLocation | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._view_source = find_class_statement(cls.__module__)
        databases = {
            declared(v, "database", DEFAULT_DB_ALIAS) for v in declared(cls, "view_dependencies", ())
        }
        if len(databases) > 1:
            raise InvalidViewDependencies(
                f"{cls.__module__}.{cls.__qualname__} ({cls._view_source}): its view_dependencies are in "
                f"more than one database ({', '.join(sorted(databases))}). A view reads one database only."
            )

    @classproperty
    def _parameterised_sql(cls) -> ParameterisedSQL:
        """The view's SELECT; each base class that people subclass says where it comes from."""
        raise NotImplementedError

    @classproperty
    def creation_sql(cls) -> ParameterisedSQL:
        """The statement that creates the view, with its parameters left to the cursor."""
        select = cls._parameterised_sql
        name = cls.name_with_schema + column_list(select.columns).replace("%", "%%")
        return ParameterisedSQL(f"CREATE VIEW {name} AS {select.sql};", select.params)

    @classproperty
    def name(cls) -> str:
        """The view's name: the class's in lower case, behind its prefix. Override it with any string."""
        word = cls.__name__.replace("-", "").lower()  # type: ignore[attr-defined]
        prefix = declared(cls, "prefix")  # type: ignore[arg-type]
        # Never quoted in the predecessor, so PostgreSQL folded a prefix to lower case: dashboards know it so.
        return word if prefix is None else f"{prefix.lower()}_{word}"

    @classproperty
    def name_with_schema(cls) -> str:
        """The view's name behind its schema's, both quoted: ``"views"."loan_book"``."""
        return ViewName(cls._view_schema(), cls._view_name()).quoted

    @classproperty
    def schema_qry(cls) -> ParameterisedSQL:
        """A query for the view's columns and their types."""
        return ParameterisedSQL(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
            [cls._view_schema(), cls._view_name()],
        )

    # A readable view may have a column called "name" or "schema". These read past the model's fields,
    # so that whatever needs the view's identity never gets a field descriptor.

    @classmethod
    def _view_name(cls) -> str:
        custom: tuple[str | None, str] | None = vars(cls).get("_view_db_table")
        return custom[1] if custom else declared(cls, "name")

    @classmethod
    def _view_schema(cls, default: str | None = None) -> str:
        custom: tuple[str | None, str] | None = vars(cls).get("_view_db_table")
        if custom and custom[0]:
            return custom[0]
        return declared(cls, "schema") or default or default_schema()


class PostgresMaterialisedViewMixin:
    """Makes a view materialised. Put it first among the bases.

    Attributes:
        pk_field: the column, or the columns, that identify a row. They get a unique index, which is what
            allows the view to be refreshed while it is read.
        indexes: further ``models.Index`` objects.
        with_data: False creates the view empty; it cannot be read before its first refresh.
        refresh_every: how old its rows may get, a ``timedelta``, before ``refresh_views --due`` refreshes it;
            None for any age. ``ORM_VIEWS["REFRESH_EVERY"]`` when no class says it.
    """

    pk_field: ClassVar[str | Sequence[str] | None] = None
    indexes: ClassVar[Sequence[Index]] = ()
    with_data: ClassVar[bool] = True
    # Without a value, because None is one.
    refresh_every: ClassVar[dt.timedelta | None]

    @classmethod
    def _view_pk_columns(cls) -> tuple[str, ...]:
        pk_field = declared(cls, "pk_field")
        if not pk_field:
            return ()
        named = (pk_field,) if isinstance(pk_field, str) else tuple(pk_field)
        # A readable view may say the name of a field, such as that of a foreign key.
        fields = cls._meta.concrete_fields if is_readable(cls) else ()  # type: ignore[attr-defined]
        columns = {field.name: field.column for field in fields} | {
            field.column: field.column for field in fields
        }
        return tuple(columns.get(name, name) for name in named)

    @classproperty
    def creation_sql(cls: Any) -> ParameterisedSQL:
        """The statements that create the view and its unique index."""
        select = cls._parameterised_sql
        name = cls.name_with_schema + column_list(select.columns).replace("%", "%%")
        sql = f"CREATE MATERIALIZED VIEW {name} AS {select.sql};"
        if columns := cls._view_pk_columns():
            index = quote_identifier(key_name(cls._view_name(), columns))
            keys = ", ".join(quote_identifier(column) for column in columns)
            sql += f"CREATE UNIQUE INDEX {index} ON {cls.name_with_schema} ({keys});"
        return ParameterisedSQL(sql, select.params)

    @classmethod
    def get_refresh_sql(cls, concurrently: bool = False) -> str:
        """Return the statement that refreshes the view.

        Args:
            concurrently: whether readers may go on reading meanwhile.

        Raises:
            ValueError: when ``concurrently`` is asked for and there is no ``pk_field``.
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
        # Migrations make models of their own of readable views in apps without migrations: not views, but
        # pictures of them, without their SQL.
        if should_register and cls.__module__ != _IMAGINED:
            registry.register(cls)


class PostgresViewFromQueryset(AutoRegisterMixin, BasePostgresView, should_register=False):
    """A view defined by a queryset."""

    @classmethod
    def get_queryset(cls) -> QuerySet[Any, Any]:
        """Return the queryset, ending in ``.values(...)``: its names are the view's columns."""
        raise NotImplementedError

    @classproperty
    def _parameterised_sql(cls) -> ParameterisedSQL:
        database = declared(cls, "database", DEFAULT_DB_ALIAS)  # type: ignore[arg-type]
        query = cls.get_queryset().query
        if is_readable(cls):  # type: ignore[arg-type]
            query.select_related = False  # columns of other models, of which this one has no fields
        settle_order(query)
        compiler = query.get_compiler(using=database)
        sql, params = compiler.as_sql()
        return ParameterisedSQL(sql, list(params), column_names(query))


class PostgresViewFromSQL(AutoRegisterMixin, BasePostgresView, should_register=False):
    """A view defined by raw SQL.

    Attributes:
        sql: the SELECT, a string or a ``classproperty``. One ``%`` may be written as ``%`` or, as the
            predecessor asked for, as ``%%``.
    """

    sql: ClassVar[str | None] = None

    @classproperty
    def _parameterised_sql(cls) -> ParameterisedSQL:
        sql = declared(cls, "sql")  # type: ignore[arg-type]
        if sql is None:
            raise NotImplementedError
        return ParameterisedSQL(sql.replace("%%", "%").replace("%", "%%"), [])


class ReadableViewFromQueryset(
    PostgresViewFromQueryset,
    GuardedModel,
    Model,
    metaclass=ReadableViewBase,
    is_abstract_model=True,
    should_register=False,
):
    """A view defined by a queryset that is read through the ORM as well.

    It has a field for each column of the queryset; a field that the class declares takes the place of one.
    """

    class Meta:
        abstract = True


class ReadableViewFromSQL(
    PostgresViewFromSQL,
    GuardedModel,
    Model,
    metaclass=ReadableViewBase,
    is_abstract_model=True,
    should_register=False,
):
    """A view defined by raw SQL that is read through the ORM as well: it declares a field for each column.

    ``manage.py inspect_view`` prints the declarations.
    """

    class Meta:
        abstract = True


__all__ = [
    "BasePostgresView",
    "HiddenViewMixin",
    "ParameterisedSQL",
    "PostgresMaterialisedViewMixin",
    "PostgresViewFromQueryset",
    "PostgresViewFromSQL",
    "ReadableViewFromQueryset",
    "ReadableViewFromSQL",
]
