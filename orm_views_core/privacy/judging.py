"""Judges stored rules: follows them, and asks who may read what they show."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

from orm_views_core.database.lineage import Lineage, RelationColumn
from orm_views_core.definitions.definition import Definitions, ViewDefinition
from orm_views_core.engines.postgresql.catalog.search_path import CatalogCursor
from orm_views_core.engines.postgresql.rules.follow import follow
from orm_views_core.engines.postgresql.rules.readers import Readers, read_holders
from orm_views_core.engines.postgresql.rules.selects import Select
from orm_views_core.engines.postgresql.rules.stored import Stored
from orm_views_core.names import ViewName

from .exposures import Exposures, Personal, find_exposures
from .guard import Findings, Situation, judge


def judge_stored(
    cursor: CatalogCursor,
    stored: Stored,
    schemas: Mapping[str, str],
    personal: Personal,
    definitions: Definitions,
    readers: Mapping[ViewName, Readers],
    *,
    passed_over: Collection[ViewName] = (),
    further_ends: Collection[RelationColumn] = (),
    selects: dict[int, Select] | None = None,
) -> Findings:
    """Return what the guard finds in rules that were read.

    Args:
        cursor: asks who may read the tables themselves.
        stored: the rules, those of staged views among them.
        schemas: the real schema of each staging schema.
        personal: the personal columns, each with its field.
        definitions: the registered views. What they declare to be no longer personal ends the lineage.
        readers: who may read each view.
        passed_over: the views to find nothing of.
        further_ends: what else ends the lineage.
        selects: the SELECTs of the rules, as far as they were read before.
    """
    twins = _twins(definitions, stored, schemas)
    declared = {**twins, **definitions.views}
    ends = {RelationColumn(name, column) for name, d in declared.items() for column in d.not_personal}
    ends.update(further_ends)
    selects = {} if selects is None else selects
    lineage, exposures = after = follow_to_ends(stored, personal, ends, schemas, selects=selects)
    before = after
    if schemas:
        before = follow_to_ends(_without(stored, schemas), personal, ends, selects=selects)
    may_read = {
        RelationColumn(name, column.column): readers[name].of(column.column)
        for name, view in lineage.views.items()
        if name in readers
        for column in view.columns
    }
    situation = Situation(
        personal,
        lineage,
        exposures,
        declared,
        may_read,
        read_holders(cursor, _pairs(exposures, may_read)),
        {each.column: each for columns in before.exposures.values() for each in columns.values()},
        invokers={name for name, each in readers.items() if each.is_invoker},
        twins=twins.keys(),
        passed_over=passed_over,
    )
    return judge(situation)


class Followed(NamedTuple):
    """The lineage of views, and the columns in it that are made of personal ones, by view and by name."""

    lineage: Lineage
    exposures: Exposures


def follow_to_ends(
    stored: Stored,
    personal: Personal,
    ends: Collection[RelationColumn],
    schemas: Mapping[str, str] | None = None,
    *,
    selects: dict[int, Select],
) -> Followed:
    """Return the lineage of views up to the columns that are declared to be no longer personal.

    One that shows what is personal as it is does not end it: the declaration is wrong.

    Args:
        stored: the rules.
        personal: the personal columns.
        ends: the columns that are declared to be no longer personal.
        schemas: the real schema of each staging schema.
        selects: the SELECTs of the rules, as far as they were read before.
    """
    while True:
        lineage = follow(stored, schemas, ends, selects=selects)
        found = find_exposures(lineage, personal)
        wrong = {end for end in ends if (e := found.get(end.relation, {}).get(end.column)) and e.is_shown}
        if not wrong:
            return Followed(lineage, found)
        ends = {*ends} - wrong


def _twins(
    definitions: Definitions, stored: Stored, schemas: Mapping[str, str]
) -> dict[ViewName, ViewDefinition]:
    """Return the views of other tenants: those that a class has in other schemas on other connections."""
    if not definitions.follows_connection:
        return {}
    by_name = {name.name: definition for name, definition in definitions.views.items()}
    names = {stored.relations[oid].name for oid in stored.rules} - definitions.names
    return {
        n: replace(by_name[n.name], name=n) for n in names if n.name in by_name and n.schema not in schemas
    }


def _without(stored: Stored, schemas: Mapping[str, str]) -> Stored:
    """Return what was read without the staged views."""
    rules = {o: rule for o, rule in stored.rules.items() if stored.relations[o].name.schema not in schemas}
    return replace(stored, rules=rules)


def _pairs(
    exposures: Exposures, readers: Mapping[RelationColumn, frozenset[str]]
) -> set[tuple[str, RelationColumn]]:
    """Return the pairs of a role and a personal column that the role may read through a view."""
    return {
        (role, source)
        for columns in exposures.values()
        for exposure in columns.values()
        for role in readers.get(exposure.column, ())
        for source in exposure.sources
    }
