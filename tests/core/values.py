"""Sample values, so that planning is tested without a database."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from orm_views_core.database.dry_run import DryRun, ExpectedView
from orm_views_core.database.extras import Extra
from orm_views_core.database.names_in_use import Taken
from orm_views_core.database.relations import Catalog, Column, Grant, InstalledIndex, InstalledView
from orm_views_core.database.sync_state import SyncState
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql import ddl
from orm_views_core.exceptions import ViewSQLError
from orm_views_core.graph import closure
from orm_views_core.names import SourceLocation, ViewKind, ViewName
from orm_views_core.plan.builder import make_plan
from orm_views_core.plan.diff import Scope, find_scope
from orm_views_core.plan.facts import Facts
from orm_views_core.plan.steps import Phase, Plan, Step
from orm_views_core.quoting import Quoting
from orm_views_core.sentences import says, says_in
from tests.translations.spoken import untranslated

VIEW, MATERIALISED = ViewKind.VIEW, ViewKind.MATERIALISED_VIEW
SYNCED = dt.datetime(2026, 6, 30, 12, 0, tzinfo=dt.timezone.utc)
ID = Column("id", "bigint")
CITY = Column("city", "text")

T = TypeVar("T")

_oids = itertools.count(20_000)

_REFUSED = says("PostgreSQL refuses it.")


def name(text: str) -> ViewName:
    """``loans`` in the schema ``views``, or ``schema.loans``."""
    schema, _, relation = text.rpartition(".")
    return ViewName(schema or "views", relation)


def define(text: str, sql: str = "SELECT 1 AS id", **values: Any) -> ViewDefinition:
    """A definition as a class called after the view would give it."""
    view = name(text)
    return ViewDefinition(
        label=values.pop("label", f"lending.{view.name.title()}"),
        source=values.pop("source", SourceLocation("/project/lending/postgres_views.py", 7)),
        database="default",
        name=view,
        kind=values.pop("kind", VIEW),
        sql=sql,
        **values,
    )


def state_of(definition: ViewDefinition, **values: Any) -> SyncState:
    """The sync state that a sync of this definition writes, without the fingerprint of what is stored."""
    return SyncState(
        **{
            "database": "default",
            "code": definition.fingerprint,
            "installed": "",
            "synced": SYNCED,
            "indexes": tuple(index.name for index in definition.indexes),
            "options": tuple(option for option, _ in definition.options),
            "granted": definition.grant_select_to,
            **values,
        }
    )


def install(definition: ViewDefinition, /, **values: Any) -> InstalledView:
    """The view that a sync of this definition leaves behind; ``values`` replace what is given.

    Another text is that of another rule: here, the two are the same.
    """
    if "relation" in values:
        values["relation"] = says_in("in a database", values["relation"])
    if "definition" in values:
        values = {"rule": values["definition"], **values}
    given = {
        "oid": next(_oids),
        "name": definition.name,
        "kind": definition.kind,
        "relation": definition.kind.label,
        "owner": "owner",
        "rule": definition.sql,
        "definition": definition.sql,
        "text": definition.comment or definition.label,
        "options": definition.options,
        "column_comments": dict(definition.column_comments),
        "indexes": tuple(
            InstalledIndex(index.name, index.unique, _stored_index(index.tail))
            for index in definition.indexes
        ),
        "grants": frozenset(Grant(role, "SELECT") for role in definition.grant_select_to),
    }
    state = values.pop("state", ...)
    view = InstalledView(**{**given, **values})
    if state is None:
        return view
    if state is ...:
        before = InstalledView(**given, state=state_of(definition))
        state = state_of(definition, installed=before.fingerprint)
    return InstalledView(**{**given, **values, "state": state})


def foreign(text: str, *reads: str, **values: Any) -> InstalledView:
    """An external dependent."""
    return install(define(text), state=None, reads=frozenset(map(name, reads)), **values)


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


def expected(
    definition: ViewDefinition, columns: Iterable[Column] = (ID,), reads: Iterable[str] = (), **values: Any
) -> ExpectedView:
    """What PostgreSQL would make of a definition: here, its very text."""
    return ExpectedView(
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


def by_name(given: Mapping[str, T] | None) -> dict[ViewName, T]:
    """What is given for views that are called as in :func:`name`."""
    return {name(text): value for text, value in (given or {}).items()}


def external_of(definitions: Iterable[ViewName], catalog: Catalog) -> dict[ViewName, ViewDefinition]:
    """The external dependents as definitions."""
    ours = {*definitions, *(found for found, view in catalog.relations.items() if view.state)}
    read_by = {found: view.read_by for found, view in catalog.relations.items()}
    others = sorted(closure(read_by, ours & read_by.keys()) - ours)
    return {
        other: define(
            str(other),
            catalog.relations[other].definition or "",
            label=str(other),
            source=None,
            kind=catalog.relations[other].kind or VIEW,
            with_data=catalog.relations[other].populated,
        )
        for other in others
    }


def plan_for(
    definitions: Iterable[ViewDefinition],
    catalog: Catalog,
    *,
    new_columns: Mapping[str, Iterable[Column]] | None = None,
    reads: Mapping[str, Iterable[str]] | None = None,
    stuck: Mapping[str, Iterable[str]] | None = None,
    refused: Mapping[str, str] | None = None,
    keep: Mapping[str, Iterable[Extra]] | None = None,
    lost: Mapping[str, Mapping[Extra, str]] | None = None,
    taken: Mapping[str, Taken] | None = None,
    dependents: Mapping[str, Iterable[str]] | None = None,
    orphans: Iterable[str] = (),
    only: Iterable[str] | None = None,
    force: bool = False,
    command_roles: Iterable[str] = (),
    drop_dependents: bool = False,
) -> Plan:
    """Plan as ``sync`` does, with a dry run in which every view has the column ``id``.

    Args:
        new_columns: the columns that a view has from now on, where they are others.
        reads: what a tried view reads, where its references do not say so.
        stuck: what it reads of them where it is now, because its text could not be moved.
        refused: the views of others that do not fit any more, with what PostgreSQL says.
        keep: what was added by hand.
        lost: what of it cannot be on the new view, and why.
        taken: what has a name already.
        dependents: what depends on a view and is none.
    """
    views = {definition.name: definition for definition in definitions}
    external = external_of(views, catalog)
    asked = None if only is None else {name(text) for text in only}
    roles = list(command_roles)
    scope = find_scope(views, catalog, external=external, only=asked, force=force, command_roles=roles)
    kept = {view: tuple(given) for view, given in by_name(keep).items()}
    gone = [name(text) for text in orphans]
    facts = Facts(
        "default",
        views,
        catalog,
        scope,
        _dry_run({**views, **external}, catalog, scope, new_columns, reads, stuck, refused, lost),
        ddl,
        external=external,
        extras=kept,
        keep=kept,
        taken=by_name(taken),
        dependents={view: list(given) for view, given in by_name(dependents).items()},
        command_roles=roles,
        orphans=gone,
        dropped=[orphan for orphan in gone if asked is None or orphan in asked],
        force=force,
        drop_dependents=drop_dependents,
    )
    plan = make_plan(facts)
    assert not (found := untranslated(plan)), found
    return plan


def _dry_run(
    views: Mapping[ViewName, ViewDefinition],
    catalog: Catalog,
    scope: Scope,
    new_columns: Mapping[str, Iterable[Column]] | None,
    reads: Mapping[str, Iterable[str]] | None,
    stuck: Mapping[str, Iterable[str]] | None,
    refused: Mapping[str, str] | None,
    lost: Mapping[str, Mapping[Extra, str]] | None,
) -> DryRun:
    errors = {}
    for view, message in by_name(refused).items():
        what = says("PostgreSQL refuses its SQL")
        why = says("%(refused)s: %(message)s.", refused=what, message=message)
        errors[view] = ViewSQLError(says("%(where)s: %(why)s", where=str(view), why=why), why)
    columns, really, left, losing = by_name(new_columns), by_name(reads), by_name(stuck), by_name(lost)
    tried = {}
    for view in scope.try_views:
        installed = catalog.relations.get(view)
        if view in errors or (installed is not None and installed.kind is None):
            continue
        if broken := next((read for read in scope.dependencies[view] if read in errors), None):
            errors[view] = ViewSQLError(f"{view}: it reads {broken}, which fails.")
            continue
        tried[view] = expected(
            views[view],
            columns.get(view, (ID,)),
            really.get(view, [str(read) for read in scope.dependencies[view]]),
            stuck=frozenset(map(name, left.get(view, ()))),
            lost={extra: Quoting(why, _REFUSED) for extra, why in losing.get(view, {}).items()},
        )
    return DryRun(tried, {view: (ID,) for view in tried if view in catalog.relations}, errors)


def said(plan: Plan) -> list[str]:
    """The steps as “verb name”, in their order."""
    return [f"{step.action.verb} {step.name.name or step.name.schema}" for step in plan.steps]


def sql(step: Step, *phases: Phase) -> tuple[str, ...]:
    """The statements of a step without their phases, or those of some phases."""
    return step.sql_in(*(phases or tuple(Phase)))
