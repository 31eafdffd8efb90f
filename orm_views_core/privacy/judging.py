"""Judges stored rules: follows them, and asks who may read what they show."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from orm_views_core.database.lineage import Lineage, RelationColumn
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor
from orm_views_core.engines.postgresql.rules.follow import follow
from orm_views_core.engines.postgresql.rules.readers import Readers, read_holders
from orm_views_core.engines.postgresql.rules.selects import Select
from orm_views_core.engines.postgresql.rules.stored import Stored
from orm_views_core.names import ViewName

from .exposures import Personal, find_exposures
from .guard import Findings, Situation, judge


def judge_stored(
    cursor: CatalogCursor,
    stored: Stored,
    schemas: Mapping[str, str],
    personal: Personal,
    definitions: Mapping[ViewName, ViewDefinition],
    readers: Mapping[ViewName, Readers],
    *,
    declared: Mapping[ViewName, ViewDefinition],
    dropped: Collection[ViewName] = (),
) -> Findings:
    """Return what the guard finds in rules that were read.

    Args:
        cursor: asks who may read the tables themselves.
        stored: the rules, those of staged views among them.
        schemas: the real schema of each staging schema.
        personal: the personal columns, each with its field.
        definitions: the registered views to judge.
        readers: who may read each view.
        declared: all registered views. What they declare to be no longer personal ends the lineage.
        dropped: views that there will not be.
    """
    ends = {RelationColumn(name, column) for name, d in declared.items() for column in d.not_personal}
    selects: dict[int, Select] = {}
    lineage = follow(stored, schemas, ends, selects=selects)
    passed_over = {*dropped, *(declared.keys() - definitions.keys())}
    lineage = replace(lineage, views={n: v for n, v in lineage.views.items() if n not in passed_over})
    before = follow(_without(stored, schemas), {}, ends, selects=selects) if schemas else lineage
    known = find_exposures(before, personal)
    may_read = {
        RelationColumn(name, column.column): readers[name].of(column.column)
        for name, view in lineage.views.items()
        if name in readers
        for column in view.columns
    }
    situation = Situation(
        personal,
        lineage,
        definitions,
        may_read,
        read_holders(cursor, _pairs(lineage, personal, may_read)),
        {exposure.column for exposures in known.values() for exposure in exposures.values()},
    )
    return judge(situation)


def _without(stored: Stored, schemas: Mapping[str, str]) -> Stored:
    """Return what was read without the staged views."""
    rules = {o: rule for o, rule in stored.rules.items() if stored.relations[o].name.schema not in schemas}
    return replace(stored, rules=rules)


def _pairs(
    lineage: Lineage, personal: Personal, readers: Mapping[RelationColumn, frozenset[str]]
) -> set[tuple[str, RelationColumn]]:
    """Return the pairs of a role and a personal column that the role may read through a view."""
    return {
        (role, source)
        for exposures in find_exposures(lineage, personal).values()
        for exposure in exposures.values()
        for role in readers.get(exposure.column, ())
        for source in exposure.sources
    }
