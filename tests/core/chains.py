"""Three views that read one another, as classes say them and as a sync leaves them behind."""

from __future__ import annotations

import dataclasses
from typing import Any

from orm_views_core.database.relations import Catalog, InstalledView
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.plan.steps import Plan

from .values import MATERIALISED, catalog_of, define, install, name

A = define("a")
B = define("b", "SELECT id FROM views.a")
C = define("c", "SELECT id FROM views.b")
CHAIN = (A, B, C)


def changed(definition: ViewDefinition, sql: str | None = None, **values: Any) -> ViewDefinition:
    return dataclasses.replace(definition, sql=sql or f"{definition.sql} WHERE true", **values)


def materialised(definition: ViewDefinition) -> ViewDefinition:
    return dataclasses.replace(definition, kind=MATERIALISED)


def chain(*definitions: ViewDefinition, others: tuple[InstalledView, ...] = (), **installed: Any) -> Catalog:
    """The chain as it is installed: b reads a, c reads b; ``others`` come on top."""
    reads = {"a": [], "b": ["a"], "c": ["b"]}
    views = [
        install(d, reads=frozenset(map(name, reads[d.name.name])), **installed.get(d.name.name, {}))
        for d in definitions or CHAIN
    ]
    return catalog_of(*views, *others)


def reasons(plan: Plan) -> dict[str, str]:
    return {step.name.name: step.reason for step in plan.steps}


def locked(plan: Plan) -> list[str]:
    """The views of the swap, in the order in which they are locked."""
    return [view.name for view in plan.lock_order]


def swap(plan: Plan) -> list[str]:
    """The statements of the swap as “VERB name”, in their order."""
    return [f"{sent.sql.split(maxsplit=1)[0]} {step.name.name}" for step, sent in plan.swap]
