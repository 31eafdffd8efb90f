"""The guard: what it says of the columns of views that are made of personal ones. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Findings:
    """What the guard has found.

    Attributes:
        problems: what must not be, in words. A plan with any is refused.
        warnings: what somebody should look at, in words.
        notes: the personal columns that views only use, in words.
        exposed: the columns that are made of personal ones and that others than the owner may read, by view.
    """

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    exposed: Mapping[ViewName, Mapping[str, Exposure]] = field(default_factory=dict)


def judge(situation: Situation) -> Findings:
    """Return what is wrong with the views, what is doubtful, and what is merely used."""
    exposures = find_exposures(situation.lineage, situation.personal)
    problems: list[str] = []
    warnings: list[str] = []
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
                problems.append(_message(situation, exposure, lacking, definition))
            elif lacking:
                warnings.append(_message(situation, exposure, lacking, definition))
            if having := roles - lacking:
                warnings.append(_known_message(situation, exposure, having, definition))
    return Findings(tuple(problems), tuple(warnings), tuple(_used(situation)), exposed)


def _has_all(situation: Situation, role: str, exposure: Exposure) -> bool:
    """Return whether a role may read all that a column is made of in the tables themselves."""
    if exposure.anything or not exposure.sources:
        return False
    return all((role, column) in situation.holders for column in exposure.sources)


def _message(
    situation: Situation, exposure: Exposure, roles: Collection[str], definition: ViewDefinition | None
) -> str:
    subject, column = _subject(exposure, definition), exposure.column.column
    way = way_to(situation.lineage, exposure)
    said = f"{subject} {exposure.how(situation.personal, way)}. {_readable_by(roles)}."
    if definition is None:
        return (
            f"{said} No class declares this view. Talk to its owner, or change what it reads: leave the "
            "column out there, or write not_personal there if it is not personal any more."
        )
    if exposure.is_shown:
        reduced = f"reduce it to what is not personal and write not_personal = {_tuple(column)}"
    else:
        reduced = f"write not_personal = {_tuple(column)} if it is not personal any more"
    return (
        f"{said} Leave the column out, hide the view with HiddenViewMixin, {reduced}, or write exposes = "
        f"{_tuple(column)} to show it on purpose."
    )


def _known_message(
    situation: Situation, exposure: Exposure, roles: Collection[str], definition: ViewDefinition | None
) -> str:
    how = exposure.how(situation.personal, way_to(situation.lineage, exposure))
    return (
        f"{_subject(exposure, definition)} {how}. {_readable_by(roles)}, who may read the table itself too."
    )


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
) -> Iterator[str]:
    view = situation.lineage.views[definition.name]
    columns = [column.column for column in view.columns]
    for option, declared in (("not_personal", definition.not_personal), ("exposes", definition.exposes)):
        for column in declared:
            if column not in columns:
                yield (
                    f"{definition.where}: its {option} has {column!r}, and {definition.name} has no such "
                    f"column. Its columns are {', '.join(columns)}."
                )
    for column in definition.not_personal:
        exposure = found.get(column)
        if exposure and exposure.is_shown:
            fields = ", ".join(sorted({situation.personal[each] for each in exposure.shows}))
            yield (
                f"{definition.where}: its not_personal has {column!r}, which shows {fields} as it is. That "
                "stays personal. Remove it from not_personal, and leave the column out, hide the view with "
                f"HiddenViewMixin, reduce the column, or write exposes = {_tuple(column)} to show it on "
                "purpose."
            )


def _idle_declarations(
    situation: Situation, definition: ViewDefinition, found: Mapping[str, Exposure]
) -> Iterator[str]:
    columns = {column.column for column in situation.lineage.views[definition.name].columns}
    for option, declared in (("not_personal", definition.not_personal), ("exposes", definition.exposes)):
        for column in declared:
            if column in columns and column not in found:
                yield (
                    f"{definition.where}: its {option} has {column!r}, which is not made of anything "
                    "personal. Remove it: it would hide a later mistake."
                )


def _used(situation: Situation) -> Iterator[str]:
    for name, columns in sorted(find_used(situation.lineage, situation.personal).items()):
        definition = situation.definitions.get(name)
        fields = ", ".join(sorted({situation.personal[column] for column in columns}))
        yield f"{definition.where if definition else name}: {fields} decides which rows {name} has."
