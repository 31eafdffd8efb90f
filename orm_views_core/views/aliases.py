"""Queries of readable views, in which a view has an alias where its name would not do.

Django writes a view as ``"views"."employees"``, and a table as ``"employees"``. In a query of both,
PostgreSQL finds ``"employees"."id"`` in either of them. ``FOR UPDATE OF`` takes no name with a schema at all.

An alias is given when a query is compiled. Until then the query is as Django builds it, so that ``update()``
and ``delete()``, which accept no alias, can be made from it.
"""

from __future__ import annotations

import re
from typing import Any
from weakref import WeakKeyDictionary

from django.apps.registry import Apps
from django.db.models.sql import Query

from orm_views_core.names import parse_db_table

#: The names that Django gives to further tables of a query; PostgreSQL folds T3 to t3.
_LIKE_ALIASES = re.compile(r"[a-z]{1,2}_?[0-9]+")
_tables: WeakKeyDictionary[Apps, tuple[list[Any], dict[str, str]]] = WeakKeyDictionary()


def tables_of(apps: Apps) -> dict[str, str]:
    """Return the tables of all models that name no schema, each with the label of its model."""
    models = apps.get_models(include_auto_created=True)  # the same list until a model is added
    known, tables = _tables.get(apps, (None, {}))
    if known is not models:
        parsed = ((model._meta.label, parse_db_table(model._meta.db_table)) for model in models)
        tables = {table.name: label for label, table in parsed if not table.schema}
        _tables[apps] = (models, tables)
    return tables


class ViewQuery(Query):
    """A query of a readable view."""

    _is_compiled = False

    def get_compiler(self, *args: Any, **kwargs: Any) -> Any:
        """Return the compiler of a copy of the query, in which views have aliases where they need them."""
        query: Any = self.clone()
        query._is_compiled = True
        # Django's copies share the lists.
        query.table_map = {table: [*aliases] for table, aliases in self.table_map.items()}
        changes: dict[str | None, str] = {
            a: query._new_alias(n) for n, a in enumerate(self.alias_map) if self._needs_alias(a)
        }
        query.change_aliases(changes)
        # Django puts renamed tables last, and what is joined to one still names it as before.
        joins = {alias: join.relabeled_clone(changes) for alias, join in self.alias_map.items()}
        query.alias_map = {changes.get(alias, alias): join for alias, join in joins.items()}
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
        name = parse_db_table(alias)
        if not name.schema:
            return False
        is_ambiguous = name.name in tables_of(self.get_meta().apps) or _LIKE_ALIASES.fullmatch(name.name)
        return bool(is_ambiguous or (self.select_for_update and self.select_for_update_of))

    def _new_alias(self, number: int) -> str:
        """Return an alias that Django gives to no table."""
        return f"{self.alias_prefix}_{number}"


def with_aliases(query: Query) -> Query:
    """Make a query of a readable view one whose views have aliases where they need them."""
    if type(query) is Query:  # a project's own class is left alone
        query.__class__ = ViewQuery
    return query
