"""Compares one view after the other, within the time that there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from django.db import DatabaseError
from django.db.backends.utils import CursorWrapper

from orm_views_core.conf import get_settings
from orm_views_core.engines.postgresql.catalog.search_path import catalog_path
from orm_views_core.engines.postgresql.errors.diagnostics import sqlstate
from orm_views_core.engines.postgresql.rows.columns import read_typed_columns
from orm_views_core.exceptions import UnknownNameError
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sentences import NOTHING, Sentence, listed, number, says, says_in

from .columns import Pair, in_both, pair_columns
from .errors import why_failed
from .keys import Candidate, find_candidates, look_statement
from .repeating import find_unrepeatable, may_differ
from .results import lacks_samples, results, why_no_key
from .running import Runner, TooSlow
from .scene import Scene
from .statements import MOST_KEYS, Part, Sides, compare_by_key, compare_whole
from .values import SAMPLES, Action, ComparedView, Counts

#: How much of its time the exact comparison of a view gets; a sample gets the rest.
_EXACT = 0.7
#: How much of its time a look at a few rows gets, to find a key.
_LOOK = 0.2
_NO_FUNCTION = "42883"
#: A type without an operator for joins, and more columns than a join may have.
_NO_JOIN = {"0A000", "54011"}


@dataclass(frozen=True)
class Asked:
    """What a caller asks for: the arguments of :func:`compare_views`."""

    key: tuple[str, ...]
    stored: bool
    with_samples: Callable[[ViewName], bool]
    with_personal: Callable[[ViewName], bool]


def compare_all(
    cursor: CursorWrapper, scene: Scene, targets: Mapping[ViewName, Action], asked: Asked, seconds: float
) -> list[ComparedView]:
    """Compare views, each within its share of the time that is left."""
    runner, compared = Runner(cursor, seconds), []
    for place, (name, action) in enumerate(targets.items()):
        began = time.monotonic()
        share = runner.left / (len(targets) - place)
        comparing = _Comparing(runner, scene, asked, name, action, share)
        try:
            comparing.compare()
        except TooSlow:
            comparing.stop(_too_slow(name))
        except DatabaseError as error:
            if sqlstate(error) is None:
                raise
            comparing.stop(why_failed(says("The rows of %(view)s cannot be read", view=name), error))
        compared.append(replace(comparing.found, seconds=time.monotonic() - began))
    return compared


class _Comparing:
    """The comparison of one view.

    Args:
        runner: sends the statements.
        scene: both sides.
        asked: what the caller asks for.
        name: the view.
        action: what the plan does to it.
        seconds: how long it may take.
    """

    def __init__(
        self, runner: Runner, scene: Scene, asked: Asked, name: ViewName, action: Action, seconds: float
    ) -> None:
        self._runner, self._scene, self._asked, self._name = runner, scene, asked, name
        self._began, self._seconds = time.monotonic(), seconds
        installed = scene.installed.get(name)
        if installed is None and action is not Action.DROPPED:
            action = Action.NEW
        self._installed = installed
        is_stored = asked.stored and installed is not None and installed.kind is ViewKind.MATERIALISED_VIEW
        refreshed = installed.state.refreshed if is_stored and installed and installed.state else None
        self.found = ComparedView(name, action, stored=is_stored, refreshed=refreshed)

    def compare(self) -> None:
        """Compare, and put what is found into ``found``.

        Raises:
            TooSlow: when not even a sample can be compared in time.
            DatabaseError: when PostgreSQL refuses to read the rows.
        """
        if why_not := self._why_not():
            self.stop(why_not)
        elif self.found.action is Action.NEW:
            rows = self._count(self._new)
            self.found = replace(self.found, counts=Counts(0, rows, added=rows, removed=0))
        elif self.found.action is Action.DROPPED:
            rows = self._count(self._name)
            self.found = replace(self.found, counts=Counts(rows, 0, added=0, removed=rows))
        else:
            self._compare()

    def stop(self, why_not: Sentence) -> None:
        """Say why the rows are not compared."""
        self.found = replace(self.found, why_not=why_not)

    @property
    def _new(self) -> ViewName:
        return self._scene.new.at(self._name)

    @property
    def _left(self) -> float:
        """How many of the seconds are left."""
        return self._began + self._seconds - time.monotonic()

    def _why_not(self) -> Sentence:
        name, scene, action = self._name, self._scene, self.found.action
        if action is not Action.NEW and (why_not := scene.why_not.get(name)):
            return why_not
        installed = self._installed
        if (action is Action.DROPPED or self._asked.stored) and installed and not installed.populated:
            return says("%(view)s has no stored rows: it is not populated. Refresh it first.", view=name)
        if action is Action.DROPPED:
            return NOTHING if installed else says("%(view)s is not in the database any more.", view=name)
        if name not in scene.new.names:
            return says("No class declares %(view)s, so its rows are not compared.", view=name)
        old = NOTHING if action is Action.NEW else scene.old.why_not_read(name)
        return scene.new.why_not_read(name) or old

    def _count(self, name: ViewName) -> int:
        rows = self._runner.run(f"SELECT pg_catalog.count(*) FROM {name.quoted}", self._left)
        return int(rows[0][0])

    def _compare(self) -> None:
        old = self._name if self._asked.stored else self._scene.old.at(self._name)
        with catalog_path(self._runner.cursor) as cursor:
            columns = [read_typed_columns(cursor, side) for side in (old, self._new)]
        pairs = pair_columns(columns[0].columns, columns[1].columns, self._scene.schemas)
        personal = self._scene.personal.get(self._name, frozenset())
        masked = frozenset[str]() if self._asked.with_personal(self._name) else personal
        described = tuple(pair.column for pair in pairs)
        self.found = replace(self.found, columns=described, personal=personal, masked=masked)
        if not in_both(pairs):
            self.stop(says("Both definitions of %(view)s have no column in common.", view=self._name))
            return
        candidates = self._candidates(pairs)
        estimates = [self._runner.estimate(side, self._left) for side in (old, self._new)]
        sides = Sides(
            old, self._new, is_costly=any(c for _, c in estimates), rows=max(rows for rows, _ in estimates)
        )
        part = Part(samples=SAMPLES if self._asked.with_samples(self._name) else 0, masked=masked)
        self._find(sides, pairs, candidates, part, counts_bytes=columns[1].counts_bytes)
        if self.found.counts and (self.found.counts.differ or self.found.action is Action.SAME):
            self._repeat([*columns[1].columns])

    def _find(
        self,
        sides: Sides,
        pairs: Sequence[Pair],
        candidates: Sequence[Candidate],
        part: Part,
        *,
        counts_bytes: bool,
    ) -> None:
        """Compare all rows, or a sample of them when that takes too long."""
        exact_until = self._left * (1 - _EXACT)
        by_name = {pair.column.name: pair for pair in pairs}
        remaining = [*(tuple(by_name[c] for c in each.columns) for each in candidates), ()]
        while remaining:
            key, rows = remaining[0], None
            try:
                if not part.is_sample:
                    try:
                        rows = self._run(sides, pairs, key, part, self._left - exact_until)
                    except TooSlow:
                        part = replace(part, is_sample=True)
                if rows is None:
                    rows = self._run(sides, pairs, key, part, self._left)
                why_not = why_no_key(key, rows) if key else NOTHING
            except DatabaseError as error:
                if not key or sqlstate(error) not in _NO_JOIN:
                    raise
                columns = listed(pair.column.name for pair in key)
                why_not = says("PostgreSQL cannot join by (%(columns)s)", columns=columns)
            if why_not or rows is None:
                remaining.pop(0)
                declared = [each.columns for each in candidates if each.is_declared]
                if not self.found.why_no_key and tuple(pair.column.name for pair in key) in declared:
                    self.found = replace(self.found, why_no_key=why_not)
                continue
            found = results(pairs, key, part, rows, counts_bytes=counts_bytes)
            if sides.rows > MOST_KEYS and lacks_samples(found, part):
                # Few rows differ, so that few keys are collected although none is left out.
                with suppress(TooSlow):
                    rows = self._run(replace(sides, rows=0), pairs, key, part, self._left - exact_until)
                    found = results(pairs, key, part, rows, counts_bytes=counts_bytes)
            self.found = replace(self.found, **found._asdict(), is_estimate=part.is_sample)
            return

    def _run(
        self, sides: Sides, pairs: Sequence[Pair], key: Sequence[Pair], part: Part, seconds: float
    ) -> list[tuple[Any, ...]]:
        def statement(part: Part) -> str:
            return compare_by_key(sides, pairs, key, part) if key else compare_whole(sides, pairs, part)

        try:
            return self._runner.run(statement(part), seconds)
        except DatabaseError as error:
            # A type without a hash function.
            if not part.is_sample or part.by_text or sqlstate(error) != _NO_FUNCTION:
                raise
        return self._runner.run(statement(replace(part, by_text=True)), seconds)

    def _candidates(self, pairs: Sequence[Pair]) -> list[Candidate]:
        """Return the columns to try as a key, best first."""
        if key := self._asked.key:
            self._require_columns(key, pairs)
            return [Candidate(tuple(dict.fromkeys(key)), True)]
        with catalog_path(self._runner.cursor) as cursor:
            definition = self._scene.definitions.get(self._name)
            place = self._name if self._installed else None
            found = find_candidates(cursor, definition, place, self._new, pairs)
        declared = [each for each in found if each.is_declared]
        guessed = [each for each in found if not each.is_declared]
        if declared or not guessed:
            return declared
        by_name = {pair.column.name: pair for pair in pairs}
        try:
            ((rows, *keys),) = self._runner.run(
                look_statement(self._new, by_name, guessed), self._left * _LOOK
            )
        except TooSlow:
            return []
        return [each for each, count in zip(guessed, keys, strict=True) if count == rows][:1]

    def _require_columns(self, key: Sequence[str], pairs: Sequence[Pair]) -> None:
        usable = [pair.column.name for pair in in_both(pairs) if pair.can_be_key]
        for column in key:
            if column not in usable:
                raise UnknownNameError(
                    says(
                        "%(view)s has no column %(column)r in both definitions that can be a key; it has "
                        "%(columns)s.",
                        view=self._name,
                        column=column,
                        columns=listed(usable) or says_in("columns", "none"),
                    )
                )

    def _repeat(self, columns: Sequence[str]) -> None:
        """Find out which columns differ when the new definition is computed twice."""
        with catalog_path(self._runner.cursor) as cursor:
            if not may_differ(cursor, self._new):
                return
        try:
            unrepeatable = find_unrepeatable(self._runner, self._new, columns, self._left)
            self.found = replace(self.found, unrepeatable=tuple(unrepeatable), repeats=not unrepeatable)
        except (TooSlow, DatabaseError):
            self.found = replace(self.found, repeats=None)


def _too_slow(name: ViewName) -> Sentence:
    return says(
        "The rows of %(view)s were not compared: that takes longer than its share of the %(seconds)s s "
        "(ORM_VIEWS['COMPARE_TIMEOUT']).",
        view=name,
        seconds=number(get_settings().COMPARE_TIMEOUT),
    )
