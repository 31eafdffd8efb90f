"""Made-up values of the pure stages, so that deciding is tested without a database."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from orm_views_core.catalog import (
    Catalog,
    Column,
    Grant,
    InstalledIndex,
    InstalledView,
    installed_fingerprint,
)
from orm_views_core.changes import find_scope
from orm_views_core.definition import ViewDefinition
from orm_views_core.names import SourceLocation, ViewKind, ViewName
from orm_views_core.plan import Plan, make_plan
from orm_views_core.rehearsal import Rehearsal, RehearsedView
from orm_views_core.tag import Tag

VIEW, MATERIALISED = ViewKind.VIEW, ViewKind.MATERIALISED_VIEW
SYNCED = dt.datetime(2026, 6, 30, 12, 0, tzinfo=dt.timezone.utc)
ID = Column("id", "bigint")
CITY = Column("city", "text")

_oids = itertools.count(20_000)


def name(text: str) -> ViewName:
    """``loans`` in the schema ``views``, or ``schema.loans``."""
    schema, _, relation = text.rpartition(".")
    return ViewName(schema or "views", relation)


def define(text: str, sql: str = "SELECT 1 AS id", **values: Any) -> ViewDefinition:
    """A definition as a class called after the view would give it."""
    view = name(text)
    return ViewDefinition(
        label=f"lending.{view.name.title()}",
        source=SourceLocation("/project/lending/postgres_views.py", 7),
        database="default",
        name=view,
        kind=values.pop("kind", VIEW),
        sql=sql,
        **values,
    )


def tag_of(definition: ViewDefinition, **values: Any) -> Tag:
    """The tag that a sync of this definition writes, but for what PostgreSQL made of it."""
    return Tag(
        **{
            "database": "default",
            "code": definition.fingerprint,
            "installed": "",
            "synced": SYNCED,
            "indexes": tuple(index.name for index in definition.indexes),
            "granted": definition.grant_select_to,
            **values,
        }
    )


def install(definition: ViewDefinition, /, **values: Any) -> InstalledView:
    """The view that a sync of this definition leaves behind; ``values`` replace what is given."""
    given = {
        "oid": next(_oids),
        "name": definition.name,
        "kind": definition.kind,
        "relation": definition.kind.label,
        "owner": "owner",
        "definition": definition.sql,
        "text": definition.comment,
        "options": definition.options,
        "column_comments": dict(definition.column_comments),
        "indexes": tuple(
            InstalledIndex(index.name, index.unique, _stored_index(index.tail))
            for index in definition.indexes
        ),
        "grants": frozenset(Grant(role, "SELECT") for role in definition.grant_select_to),
    }
    tag = values.pop("tag", ...)
    view = InstalledView(**{**given, **values})
    if tag is None:
        return view
    if tag is ...:
        before = InstalledView(**given)
        tag = tag_of(definition, installed=installed_fingerprint(before, given_indexes(definition)))
    return InstalledView(**{**given, **values, "tag": tag})


def given_indexes(definition: ViewDefinition) -> tuple[str, ...]:
    return tuple(index.name for index in definition.indexes)


def _stored_index(tail: str) -> str:
    return f"btree {tail.replace(chr(34), '')}"


def catalog_of(*views: InstalledView, **values: Any) -> Catalog:
    """A database with these views, each knowing from the others' ``reads`` by which it is read."""
    read_by: dict[ViewName, set[ViewName]] = {view.name: set(view.read_by) for view in views}
    for view in views:
        for read in view.reads:
            read_by.setdefault(read, set()).add(view.name)
    relations = {
        view.name: InstalledView(**{**vars(view), "read_by": frozenset(read_by[view.name])}) for view in views
    }
    return Catalog(relations, **{"schemas": frozenset(n.schema for n in relations), **values})


def rehearsed(
    definition: ViewDefinition, columns: Iterable[Column] = (ID,), reads: Iterable[str] = (), **values: Any
) -> RehearsedView:
    """What PostgreSQL would make of a definition: here, its very text."""
    return RehearsedView(
        **{
            "name": definition.name,
            "definition": definition.sql,
            "columns": tuple(columns),
            "options": definition.options,
            "indexes": tuple(
                InstalledIndex(index.name, index.unique, _stored_index(index.tail))
                for index in definition.indexes
            ),
            "reads": frozenset(map(name, reads)),
            **values,
        }
    )


def plan_for(
    definitions: Iterable[ViewDefinition],
    catalog: Catalog,
    *,
    new_columns: Mapping[str, Iterable[Column]] | None = None,
    reads: Mapping[str, Iterable[str]] | None = None,
    orphans: Iterable[str] = (),
    only: Iterable[str] | None = None,
    force: bool = False,
    command_roles: Iterable[str] = (),
) -> Plan:
    """Plan as ``sync`` does, with a rehearsal in which every view has the column ``id``.

    Args:
        new_columns: the columns that a view has from now on, where they are others.
        reads: what a tried view reads, where its references do not say so.
    """
    views = {definition.name: definition for definition in definitions}
    asked = None if only is None else {name(text) for text in only}
    roles = list(command_roles)
    scope = find_scope(views, catalog, only=asked, force=force, command_roles=roles)
    columns = {name(text): tuple(given) for text, given in (new_columns or {}).items()}
    really = {name(text): list(given) for text, given in (reads or {}).items()}
    tried = {
        tried: rehearsed(
            views[tried],
            columns.get(tried, (ID,)),
            reads=really.get(tried, [str(read) for read in scope.dependencies[tried]]),
        )
        for tried in scope.rehearse
    }
    installed_columns = {tried: (ID,) for tried in scope.rehearse if tried in catalog.relations}
    gone = [name(text) for text in orphans]
    return make_plan(
        "default",
        views,
        catalog,
        scope,
        Rehearsal(tried, installed_columns),
        command_roles=roles,
        orphans=gone,
        dropped=[orphan for orphan in gone if asked is None or orphan in asked],
        force=force,
    )


def said(plan: Plan) -> list[str]:
    """The steps as “verb name”, in their order."""
    return [f"{step.action.verb} {step.name.name or step.name.schema}" for step in plan.steps]
