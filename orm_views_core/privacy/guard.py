"""The guard: what it says of the columns of views that are made of personal ones. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from orm_views_core.database.lineage import Lineage, RelationColumn
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewName
from orm_views_core.sentences import NOTHING, Sentence, enumerated, listed, says

from .exposures import Exposure, Exposures, Personal, Ways, find_used, ways_to

#: PUBLIC as the role of a grant.
_PUBLIC = ""


@dataclass(frozen=True)
class Situation:
    """What the guard looks at: the views as they are, or as they will be.

    Attributes:
        personal: the personal columns, each with its field.
        lineage: that of the views. It ends at the columns that are declared to be no longer personal.
        exposures: the columns in it that are made of personal ones.
        definitions: those of the registered views.
        readers: the roles that may read each column of a view, besides the view's owner.
        holders: the pairs of a role and a personal column whose role may read that in its table.
        known: the columns that are made of personal ones before the plan is carried out, with these.
        invokers: the views that read with the rights of whoever reads them. They show nobody more than that.
        twins: the views of other tenants, which have the same classes. They are judged by their own syncs.
        passed_over: the views to find nothing of.
    """

    personal: Personal
    lineage: Lineage
    exposures: Exposures
    definitions: Mapping[ViewName, ViewDefinition]
    readers: Mapping[RelationColumn, frozenset[str]]
    holders: Collection[tuple[str, RelationColumn]] = ()
    known: Mapping[RelationColumn, Exposure] = field(default_factory=dict)
    invokers: Collection[ViewName] = ()
    twins: Collection[ViewName] = ()
    passed_over: Collection[ViewName] = ()


class Finding(NamedTuple):
    """Something that the guard says of a column of a view.

    Attributes:
        column: the column.
        what: what it is made of and who may read it, in words.
        advice: what to do, in words.
        where: the column, and where its view is written, in words.
        roots: the columns that are found fault with too and have passed all of it on to this one.
    """

    column: RelationColumn
    what: Sentence
    advice: Sentence
    where: Sentence = NOTHING
    roots: tuple[RelationColumn, ...] = ()

    def __str__(self) -> str:
        return str(self.sentence)

    @property
    def sentence(self) -> Sentence:
        """What it says, and what to do."""
        return listed([self.what, self.advice], " ")


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
    notes: tuple[Sentence, ...] = ()
    exposed: Exposures = field(default_factory=dict)

    def about(self, views: Collection[ViewName]) -> Findings:
        """Return what it has found of some views, without the notes.

        Args:
            views: the views.
        """
        return Findings(
            tuple(each for each in self.problems if each.column.relation in views),
            tuple(each for each in self.warnings if each.column.relation in views),
            exposed={name: exposures for name, exposures in self.exposed.items() if name in views},
        )


def judge(situation: Situation) -> Findings:
    """Return what is wrong with the views, what is doubtful, and what is merely used."""
    problems: list[Finding] = []
    warnings: list[Finding] = []
    exposed: dict[ViewName, dict[str, Exposure]] = {}
    for name in sorted(situation.lineage.views.keys() - {*situation.passed_over}):
        found = situation.exposures.get(name, {})
        definition = situation.definitions.get(name)
        is_ours = definition is not None and name not in situation.twins
        if definition and is_ours:
            problems += _wrong_declarations(situation, definition, found)
            warnings += _idle_declarations(situation, definition, found)
        for column, exposure in sorted(found.items()):
            is_reduced = definition is not None and column in definition.not_personal
            roles = situation.readers.get(exposure.column, frozenset())
            if not roles or (is_reduced and not exposure.is_shown):
                continue
            exposed.setdefault(name, {})[column] = exposure
            is_said = definition is not None and (is_reduced or column in definition.exposes)
            if is_said or name in situation.invokers:
                continue
            lacking = {role for role in roles if not _has_all(situation, role, exposure)}
            is_made = not exposure.is_within(situation.known.get(exposure.column))
            if lacking and (is_ours or is_made):
                problems.append(_exposed(situation, exposure, lacking, definition))
            elif lacking and not definition:
                warnings.append(_exposed(situation, exposure, lacking, definition))
            having = roles - lacking
            if having and (is_ours or not definition):
                warnings.append(_exposed_to_holders(situation, exposure, having, definition))
    return Findings(tuple(problems), tuple(warnings), tuple(_used(situation)), exposed)


def _has_all(situation: Situation, role: str, exposure: Exposure) -> bool:
    """Return whether a role may read all that a column is made of in the tables themselves."""
    if exposure.through or not exposure.sources:
        return False
    return all((role, column) in situation.holders for column in exposure.sources)


def _exposed(
    situation: Situation, exposure: Exposure, roles: Collection[str], definition: ViewDefinition | None
) -> Finding:
    ways = ways_to(situation.lineage, exposure)
    what = says(
        "%(column)s %(how)s. It may be read by %(roles)s.",
        column=_subject(exposure, definition),
        how=exposure.how(situation.personal, ways.views),
        roles=_named(roles),
    )
    if definition is None:
        if not exposure.is_within(situation.known.get(exposure.column)):
            what = says("%(what)s This plan makes it do so.", what=what)
        return Finding(exposure.column, what, _advice_to_others(exposure, ways))
    roots = ways.views if ways.are_all else ()
    is_said = all(situation.readers.get(root, frozenset()).issuperset(roles) for root in roots)
    where = says("%(column)s in %(where)s", column=exposure.column, where=definition.where)
    return Finding(exposure.column, what, _advice(exposure), where, roots if is_said else ())


def _advice(exposure: Exposure) -> Sentence:
    """Return the ways out of a view that a class declares."""
    declared = _tuple(exposure.column.column)
    functions = enumerated(exposure.functions) if exposure.functions else NOTHING
    if functions and exposure.is_shown:
        return says(
            "Leave the column out, hide the view with HiddenViewMixin, declare %(functions)s IMMUTABLE if no "
            "table is read there, reduce it to what is not personal and write not_personal = %(declared)s, "
            "or write exposes = %(declared)s to show it on purpose.",
            functions=functions,
            declared=declared,
        )
    if functions:
        return says(
            "Leave the column out, hide the view with HiddenViewMixin, declare %(functions)s IMMUTABLE if no "
            "table is read there, write not_personal = %(declared)s if it is not personal any more, or write "
            "exposes = %(declared)s to show it on purpose.",
            functions=functions,
            declared=declared,
        )
    if exposure.is_shown:
        return says(
            "Leave the column out, hide the view with HiddenViewMixin, reduce it to what is not personal and "
            "write not_personal = %(declared)s, or write exposes = %(declared)s to show it on purpose.",
            declared=declared,
        )
    return says(
        "Leave the column out, hide the view with HiddenViewMixin, write not_personal = %(declared)s if it "
        "is not personal any more, or write exposes = %(declared)s to show it on purpose.",
        declared=declared,
    )


def _advice_to_others(exposure: Exposure, ways: Ways) -> Sentence:
    view = exposure.column.relation
    if not ways.views:
        return says(
            "No class declares this view. Ask the owner of %(view)s to leave the column out, or to revoke "
            "the privilege.",
            view=view,
        )
    return says(
        "No class declares this view. Leave %(columns)s out, write not_personal there if it is not personal "
        "any more, or ask the owner of %(view)s to leave the column out.",
        columns=enumerated(ways.views),
        view=view,
    )


def _exposed_to_holders(
    situation: Situation, exposure: Exposure, roles: Collection[str], definition: ViewDefinition | None
) -> Finding:
    how = exposure.how(situation.personal, ways_to(situation.lineage, exposure).views)
    what = says(
        "%(column)s %(how)s. It may be read by %(roles)s, who may read that in the table itself too.",
        column=_subject(exposure, definition),
        how=how,
        roles=_named(roles),
    )
    advice = says("Nothing has to be done, unless they lose that privilege.")
    return Finding(exposure.column, what, advice)


def _subject(exposure: Exposure, definition: ViewDefinition | None) -> Sentence:
    view, column = exposure.column
    if definition is None:
        return says("Column %(column)r of %(view)s", column=column, view=view)
    return says("%(where)s: column %(column)r of %(view)s", where=definition.where, column=column, view=view)


def _named(roles: Collection[str]) -> Sentence:
    return enumerated(repr(role) if role != _PUBLIC else says("everybody (PUBLIC)") for role in sorted(roles))


def _tuple(column: str) -> str:
    return f"({json.dumps(column, ensure_ascii=False)},)"


def _wrong_declarations(
    situation: Situation, definition: ViewDefinition, found: Mapping[str, Exposure]
) -> Iterator[Finding]:
    columns = _columns(situation, definition)
    for option, column in _declared(definition):
        if column not in columns:
            what = says(
                "its %(option)s has %(column)r, and %(view)s has no such column.",
                option=option,
                column=column,
                view=definition.name,
            )
            advice = says("Its columns are %(columns)s.", columns=listed(columns))
            yield _about(definition, column, what, advice)
    for column in definition.not_personal:
        exposure = found.get(column)
        if exposure and exposure.is_shown:
            how = exposure.how(situation.personal, ways_to(situation.lineage, exposure).views)
            what = says(
                "its not_personal has %(column)r, and that column %(how)s. It stays personal.",
                column=column,
                how=how,
            )
            advice = says(
                "Remove it from not_personal. While only its owner may read the view, it may carry anything."
            )
            if situation.readers.get(exposure.column):
                advice = says(
                    "Remove it from not_personal, and leave the column out, hide the view with "
                    "HiddenViewMixin, reduce the column, or write exposes = %(declared)s to show it on "
                    "purpose.",
                    declared=_tuple(column),
                )
            yield _about(definition, column, what, advice)


def _idle_declarations(
    situation: Situation, definition: ViewDefinition, found: Mapping[str, Exposure]
) -> Iterator[Finding]:
    columns = _columns(situation, definition)
    for option, column in _declared(definition):
        if column in columns and column not in found:
            what = says(
                "its %(option)s has %(column)r, which is not made of anything personal.",
                option=option,
                column=column,
            )
            yield _about(definition, column, what, says("Remove it: it would hide a later mistake."))


def _declared(definition: ViewDefinition) -> Iterator[tuple[str, str]]:
    """Yield what a class says of its columns: the name of the option, and a column."""
    for option in ("not_personal", "exposes"):
        for column in getattr(definition, option):
            yield option, column


def _columns(situation: Situation, definition: ViewDefinition) -> list[str]:
    return [column.column for column in situation.lineage.views[definition.name].columns]


def _about(definition: ViewDefinition, column: str, what: Sentence, advice: Sentence) -> Finding:
    said = says("%(where)s: %(what)s", where=definition.where, what=what)
    return Finding(RelationColumn(definition.name, column), said, advice)


def _used(situation: Situation) -> Iterator[Sentence]:
    for name, columns in sorted(find_used(situation.lineage, situation.personal).items()):
        if name in situation.passed_over:
            continue
        definition = situation.definitions.get(name)
        fields = enumerated(sorted({situation.personal[column] for column in columns}))
        said = says("%(view)s chooses, orders or counts its rows by %(fields)s.", view=name, fields=fields)
        yield says("%(where)s: %(what)s", where=definition.where, what=said) if definition else said
