"""The guard: what it says of the columns of views that are made of personal ones. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from orm_views_core.database.lineage import Lineage, RelationColumn
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewName

from .exposures import Exposure, Personal, find_exposures, find_used, way_to

#: PUBLIC as the role of a grant.
_PUBLIC = ""


@dataclass(frozen=True)
class Situation:
    """What the guard looks at: the views as they are, or as they will be.

    Attributes:
        personal: the personal columns, each with its field.
        lineage: that of the views. It ends at the columns that are declared to be no longer personal.
        definitions: those of the registered views.
        readers: the roles that may read each column of a view, besides the view's owner.
        holders: the pairs of a role and a personal column whose role may read that in its table.
        known: the columns that are made of personal ones before the plan is carried out.
    """

    personal: Personal
    lineage: Lineage
    definitions: Mapping[ViewName, ViewDefinition]
    readers: Mapping[RelationColumn, frozenset[str]]
    holders: Collection[tuple[str, RelationColumn]] = ()
    known: Collection[RelationColumn] = ()


class Finding(NamedTuple):
    """Something that the guard says of a column of a view.

    Attributes:
        column: the column.
        what: what it is made of and who may read it, in words.
        advice: what to do, in words.
    """

    column: RelationColumn
    what: str
    advice: str

    def __str__(self) -> str:
        return f"{self.what} {self.advice}"


@dataclass(frozen=True)
class Findings:
    """What the guard has found.

    Attributes:
        problems: what must not be. A plan with any is refused.
        warnings: what somebody should look at.
        notes: the personal columns that views only use, in words.
        exposed: the columns that are made of personal ones and that others than the owner may read, by view.
    """

    problems: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    exposed: Mapping[ViewName, Mapping[str, Exposure]] = field(default_factory=dict)


def judge(situation: Situation) -> Findings:
    """Return what is wrong with the views, what is doubtful, and what is merely used."""
    exposures = find_exposures(situation.lineage, situation.personal)
    problems: list[Finding] = []
    warnings: list[Finding] = []
    exposed: dict[ViewName, dict[str, Exposure]] = {}
    for name in sorted(situation.lineage.views):
        found = exposures.get(name, {})
        definition = situation.definitions.get(name)
        if definition:
            problems += _wrong_declarations(situation, definition, found)
            warnings += _idle_declarations(situation, definition, found)
        for column, exposure in sorted(found.items()):
            at = exposure.column
            if definition and column in definition.not_personal:
                continue
            roles = situation.readers.get(at, frozenset())
            if not roles:
                continue
            exposed.setdefault(name, {})[column] = exposure
            if definition and column in definition.exposes:
                continue
            lacking = {role for role in roles if not _has_all(situation, role, exposure)}
            if lacking and (definition or at not in situation.known):
                problems.append(_exposed(situation, exposure, lacking, definition))
            elif lacking:
                warnings.append(_exposed(situation, exposure, lacking, definition))
            if having := roles - lacking:
                warnings.append(_exposed_to_holders(situation, exposure, having, definition))
    return Findings(tuple(problems), tuple(warnings), tuple(_used(situation)), exposed)


def _has_all(situation: Situation, role: str, exposure: Exposure) -> bool:
    """Return whether a role may read all that a column is made of in the tables themselves."""
    if exposure.anything or not exposure.sources:
        return False
    return all((role, column) in situation.holders for column in exposure.sources)


def _exposed(
    situation: Situation, exposure: Exposure, roles: Collection[str], definition: ViewDefinition | None
) -> Finding:
    way = way_to(situation.lineage, exposure)
    what = f"{_subject(exposure, definition)} {exposure.how(situation.personal, way)}. {_readable_by(roles)}."
    column = exposure.column.column
    if definition is None:
        advice = (
            "No class declares this view. Talk to its owner, or change what it reads: leave the column out "
            "there, or write not_personal there if it is not personal any more."
        )
        return Finding(exposure.column, what, advice)
    if exposure.is_shown:
        reduced = f"reduce it to what is not personal and write not_personal = {_tuple(column)}"
    else:
        reduced = f"write not_personal = {_tuple(column)} if it is not personal any more"
    advice = (
        f"Leave the column out, hide the view with HiddenViewMixin, {reduced}, or write exposes = "
        f"{_tuple(column)} to show it on purpose."
    )
    return Finding(exposure.column, what, advice)


def _exposed_to_holders(
    situation: Situation, exposure: Exposure, roles: Collection[str], definition: ViewDefinition | None
) -> Finding:
    how = exposure.how(situation.personal, way_to(situation.lineage, exposure))
    what = (
        f"{_subject(exposure, definition)} {how}. {_readable_by(roles)}, who may read the table itself too."
    )
    return Finding(exposure.column, what, "Nothing has to be done, unless they lose that privilege.")


def _subject(exposure: Exposure, definition: ViewDefinition | None) -> str:
    view, column = exposure.column
    where = f"{definition.where}: " if definition else ""
    return f"{where}column {column!r} of {view}"


def _readable_by(roles: Collection[str]) -> str:
    named = [repr(role) if role != _PUBLIC else "everybody (PUBLIC)" for role in sorted(roles)]
    *most, last = named
    return f"It may be read by {', '.join(most)} and {last}" if most else f"It may be read by {last}"


def _tuple(column: str) -> str:
    return f'("{column}",)'


def _wrong_declarations(
    situation: Situation, definition: ViewDefinition, found: Mapping[str, Exposure]
) -> Iterator[Finding]:
    columns = _columns(situation, definition)
    for option, column in _declared(definition):
        if column not in columns:
            what = f"its {option} has {column!r}, and {definition.name} has no such column."
            yield _about(definition, column, what, f"Its columns are {', '.join(columns)}.")
    for column in definition.not_personal:
        exposure = found.get(column)
        if exposure and exposure.is_shown:
            fields = ", ".join(sorted({situation.personal[each] for each in exposure.shows}))
            what = f"its not_personal has {column!r}, which shows {fields} as it is. That stays personal."
            advice = (
                "Remove it from not_personal, and leave the column out, hide the view with HiddenViewMixin, "
                f"reduce the column, or write exposes = {_tuple(column)} to show it on purpose."
            )
            yield _about(definition, column, what, advice)


def _idle_declarations(
    situation: Situation, definition: ViewDefinition, found: Mapping[str, Exposure]
) -> Iterator[Finding]:
    columns = _columns(situation, definition)
    for option, column in _declared(definition):
        if column in columns and column not in found:
            what = f"its {option} has {column!r}, which is not made of anything personal."
            yield _about(definition, column, what, "Remove it: it would hide a later mistake.")


def _declared(definition: ViewDefinition) -> Iterator[tuple[str, str]]:
    """Yield what a class says of its columns: the name of the option, and a column."""
    for option in ("not_personal", "exposes"):
        for column in getattr(definition, option):
            yield option, column


def _columns(situation: Situation, definition: ViewDefinition) -> list[str]:
    return [column.column for column in situation.lineage.views[definition.name].columns]


def _about(definition: ViewDefinition, column: str, what: str, advice: str) -> Finding:
    return Finding(RelationColumn(definition.name, column), f"{definition.where}: {what}", advice)


def _used(situation: Situation) -> Iterator[str]:
    for name, columns in sorted(find_used(situation.lineage, situation.personal).items()):
        definition = situation.definitions.get(name)
        fields = ", ".join(sorted({situation.personal[column] for column in columns}))
        yield f"{definition.where if definition else name}: {fields} decides which rows {name} has."
