"""Queries of readable views, in which a view has an alias where its name would not do.

Django writes a view as ``"views"."employees"``, and a table as ``"employees"``. In a query of both,
PostgreSQL finds ``"employees"."id"`` in either of them. ``FOR UPDATE OF`` takes no name with a schema at all.
A view whose schema a function gives may be in another schema when its query is sent. Its ``db_table`` is read
anew each time.

An alias is given when a query is compiled. Until then the query is as Django builds it, so that ``update()``
and ``delete()``, which accept no alias, can be made from it.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from django.apps.registry import Apps
from django.db.models.options import Options
from django.db.models.sql import Query

from orm_views_core.names import parse_db_table

from .engines import refuse_skipped
from .options import ViewOptions

#: The names that Django gives to further tables of a query; PostgreSQL folds T3 to t3.
_LIKE_ALIASES = re.compile(r"[a-z]{1,2}_?[0-9]+")
_tables: WeakKeyDictionary[Apps, tuple[list[Any], dict[str, str]]] = WeakKeyDictionary()


class FollowingTable(str):
    """The quoted name of a view when a query was built. The schema may be another when it is sent.

    Attributes:
        view: the class of the view.
    """

    view: type

    @property
    def now(self) -> FollowingTable:
        """The name at this moment."""
        return table_of(self.view)


def table_of(view: type) -> FollowingTable:
    """Return the name of a view at this moment."""
    table = FollowingTable(ViewOptions(view).placed)
    table.view = view
    return table


class FollowingOptions(Options):  # type: ignore[type-arg]  # it has no arguments when it runs
    """The ``_meta`` of such a view."""

    @property
    def db_table(self) -> str:
        return table_of(self.concrete_model or self.model)

    @db_table.setter
    def db_table(self, value: str) -> None:
        """Django sets the name that a table would have."""


def follow_connection(view: Any) -> None:
    """Make the ``db_table`` of a readable view, or of its proxy, that of the connection at each read."""
    vars(view._meta).pop("db_table", None)
    view._meta.__class__ = FollowingOptions
    for field in view._meta.local_fields:
        vars(field)["get_col"] = partial(_column_of, field)


def _column_of(field: Any, alias: str, output_field: Any = None) -> Any:
    """Return the column of a field. Django keeps that of the table, and the table is another tomorrow."""
    column = type(field).get_col(field, "", output_field)
    column.alias = alias
    return column


def tables_of(apps: Apps) -> dict[str, str]:
    """Return the tables of all models that name no schema, each with the label of its model."""
    models = apps.get_models(include_auto_created=True)  # the same list until a model is added
    known, tables = _tables.get(apps, (None, {}))
    if known is not models:
        named = [model._meta for model in models if not isinstance(model._meta, FollowingOptions)]
        parsed = ((opts.label, parse_db_table(opts.db_table)) for opts in named)
        tables = {table.name: label for label, table in parsed if not table.schema}
        _tables[apps] = (models, tables)
    return tables


class ViewQuery(Query):
    """A query of a readable view."""

    _is_compiled = False

    def get_compiler(self, *args: Any, **kwargs: Any) -> Any:
        """Return the compiler of a copy of the query, in which views have aliases where they need them.

        Raises:
            SkippedViewError: the class of the view is for other engines than that of the database.
        """
        model: Any = self.model
        if getattr(model, "_view_may_be_limited", False):
            refuse_skipped(model._meta.concrete_model, _alias(*args, **kwargs))
        query: Any = self.clone()
        query._is_compiled = True
        _rename(query, {a: query._new_alias(n) for n, a in enumerate(self.alias_map) if self._needs_alias(a)})
        return super(ViewQuery, query).get_compiler(*args, **kwargs)

    def table_alias(self, table_name: str, *args: Any, **kwargs: Any) -> tuple[str, bool]:
        """Return an alias for a table. Ordering and ``select_related()`` join tables while they compile."""
        alias, is_new = super().table_alias(table_name, *args, **kwargs)
        if is_new and self._is_compiled and self._needs_alias(alias):
            del self.alias_refcount[alias]
            alias = self._new_alias(len(self.alias_map))
            self.table_map[table_name] = [alias]
            self.alias_refcount[alias] = 1
        return alias, is_new

    def _needs_alias(self, alias: str) -> bool:
        if isinstance(alias, FollowingTable):
            return True
        name = parse_db_table(alias)
        if not name.schema:
            return False
        is_ambiguous = name.name in tables_of(self.get_meta().apps) or _LIKE_ALIASES.fullmatch(name.name)
        return bool(is_ambiguous or (self.select_for_update and self.select_for_update_of))

    def _new_alias(self, number: int) -> str:
        """Return an alias that Django gives to no table."""
        return f"{self.alias_prefix}_{number}"


def _alias(using: str | None = None, connection: Any = None, *args: Any, **kwargs: Any) -> str:
    return using or str(connection.alias)


def _rename(query: Query, changes: dict[str | None, str]) -> None:
    """Give tables of a query other aliases, and views whose schema follows the connection their names now."""
    before = dict(query.alias_map)
    # Django's copies share the lists.
    query.table_map = {table: [*aliases] for table, aliases in query.table_map.items()}
    query.change_aliases(changes)
    # Django puts renamed tables last, and what is joined to one still names it as before.
    joins = {alias: join.relabeled_clone(changes) for alias, join in before.items()}
    for join in joins.values():
        if isinstance(join.table_name, FollowingTable):
            now = join.table_name.now
            query.table_map[now] = query.table_map.pop(join.table_name, [])
            join.table_name = now
    query.alias_map = {changes.get(alias, alias): join for alias, join in joins.items()}


def renew(query: Query) -> None:
    """Give the views in a query, of which an UPDATE or DELETE is made, the names that they have now."""
    tables = [alias for alias in query.alias_map if isinstance(alias, FollowingTable)]
    changes: dict[str | None, str] = {table: table.now for table in tables if table != table.now}
    if changes:
        _rename(query, changes)


def with_aliases(query: Query) -> Query:
    """Make a query of a readable view one whose views have aliases where they need them."""
    if type(query) is Query:  # a project's own class is left alone
        query.__class__ = ViewQuery
    return query
