"""The values that a plan consists of: steps with a reason, their SQL, and the phase of each statement."""

from __future__ import annotations

import enum
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from orm_views_core.database.dry_run import ExpectedView
from orm_views_core.database.engine import StatementKind
from orm_views_core.database.extras import Extra
from orm_views_core.database.relations import Column, InstalledView
from orm_views_core.definitions.definition import SkippedView, ViewDefinition
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sentences import NOTHING, Sentence

from .meanings import ChangedMeaning


class Action(enum.Enum):
    """What a step does. The value is what people see: a sign and a verb.

    Attributes:
        MIGRATE: no step of a plan, but a migration that ran in the same transaction.
        SCHEMA: creates a schema.
        CREATE: creates a view.
        REPLACE: gives a plain view another definition where it stands.
        REBUILD: creates a new version of a view, which then takes its place.
        DROP: drops a view that no class declares any more.
        ADOPT: takes a view over that is as its class says, but was not created by a sync.
        OPTIONS: changes options of a view.
        INDEX: creates or drops indexes of a materialised view.
        GRANT: grants privileges.
        REVOKE: takes privileges back.
        COMMENT: changes the comment of a view.
    """

    MIGRATE = "> migrate"
    SCHEMA = "+ schema"
    CREATE = "+ create"
    REPLACE = "~ replace"
    REBUILD = "± rebuild"
    DROP = "- drop"
    ADOPT = "= adopt"
    OPTIONS = "~ options"
    INDEX = "~ index"
    GRANT = "~ grant"
    REVOKE = "~ revoke"
    COMMENT = "~ comment"

    @property
    def sign(self) -> str:
        """The sign without the verb."""
        return self.value.partition(" ")[0]

    @property
    def verb(self) -> str:
        """The verb without the sign."""
        return self.value.partition(" ")[2]


class Phase(enum.Enum):
    """When a statement is sent. All phases except BUILD are part of the swap, which locks readers out.

    BUILD: creates new views, and new versions beside those in use. Nobody has to wait.
    REPLACE: CREATE OR REPLACE, while the new versions are still in the staging schemas.
    DROP: drops old versions and views that are no longer wanted, readers before what they read.
    MOVE: moves the new versions to their places.
    FINISH: everything that needs all views in their places.
    """

    BUILD = "build"
    REPLACE = "replace"
    DROP = "drop"
    MOVE = "move"
    FINISH = "finish"


@dataclass(frozen=True)
class Statement:
    """An SQL statement, when it is sent, and what it is made of.

    Attributes:
        is_canonical: whether PostgreSQL wrote its expressions, with a schema before every name that is not in
            ``pg_catalog``. No other schema is searched while it is sent: an operator there could fit better.
    """

    phase: Phase
    sql: str
    kind: StatementKind = StatementKind.OTHER
    is_canonical: bool = False


def in_phase(
    phase: Phase, statements: Iterable[str], kind: StatementKind = StatementKind.OTHER
) -> tuple[Statement, ...]:
    """Return statements of one phase and one kind."""
    return tuple(Statement(phase, sql, kind) for sql in statements)


@dataclass(frozen=True)
class Step:
    """One change that a sync makes to one view or, for SCHEMA, to one schema.

    Attributes:
        action: what it does.
        name: the view; for a schema its ``name`` is empty.
        reason: why, in words.
        statements: the SQL, in order.
        definition: what the class declares; None when the view is dropped or is an external dependent.
        installed: the view as it is now; None when it is created.
        expected: what PostgreSQL would make of the definition, if it was tried.
        columns: the columns of the view as it is now, if it was tried.
        indirect: True when the view itself has not changed, only what it reads.
        blocks: who has to wait for the step, in words.
        built_at: where a view is built before it takes its place; None when it is created in its place.
        fills: whether a materialised view gets its rows.
        deferred: why it is built in the swap; "" when it is built before the swap.
        kept: the extras that the new view has as well, in words.
        lost: the extras that the new view cannot have, each with the reason, in words.
        no_rows: why a materialised view is created without rows although its class wants them; "" otherwise.
    """

    action: Action
    name: ViewName
    reason: Sentence
    statements: tuple[Statement, ...] = ()
    definition: ViewDefinition | None = None
    installed: InstalledView | None = None
    expected: ExpectedView | None = None
    columns: tuple[Column, ...] = ()
    indirect: bool = False
    blocks: Sentence = NOTHING
    built_at: ViewName | None = None
    fills: bool = False
    deferred: Sentence = NOTHING
    kept: tuple[Sentence, ...] = ()
    lost: tuple[Sentence, ...] = ()
    no_rows: Sentence = NOTHING

    @property
    def target(self) -> str:
        """The view's or the schema's name, for people."""
        return str(self.name) if self.name.name else self.name.schema

    @property
    def kind(self) -> ViewKind | None:
        """The kind that the view has afterwards; None for a schema."""
        view = self.definition or self.installed
        return view.kind if view else None

    def sql_in(self, *phases: Phase) -> tuple[str, ...]:
        """Return the SQL of some phases, in order.

        Args:
            *phases: the phases.
        """
        return tuple(statement.sql for statement in self.statements if statement.phase in phases)

    @cached_property
    def swap_statements(self) -> tuple[str, ...]:
        """The SQL that is sent in the swap."""
        return tuple(statement.sql for statement in self.statements if statement.phase is not Phase.BUILD)

    @property
    def locks_readers(self) -> bool:
        """Whether the swap has to lock an existing view for this step."""
        return self.installed is not None and bool(self.swap_statements)

    @property
    def has_star(self) -> bool:
        """Whether it is about a plain view with a star, whose sync state has a hash of what it reads."""
        return self.kind is ViewKind.VIEW and self.definition is not None and self.definition.has_star

    @property
    def sql(self) -> str:
        """All SQL of the step, in the order in which it is sent."""
        return "\n".join(f"{statement.sql};" for statement in self.statements)

    @property
    def usual_seconds(self) -> float | None:
        """How many seconds the last build of a materialised view took; None when that is unknown."""
        return self.installed.usual_seconds if self.installed else None


@dataclass(frozen=True)
class Plan:
    """What a sync of one database would do.

    Attributes:
        database: the alias.
        steps: in the order in which views are created.
        lock_order: the views that the swap locks, those that read others first.
        staging: the staging schema of each schema in which a new version is built.
        search_path: the schemas in which unqualified names are looked up.
        extras: all extras of the views that are rebuilt, by oid.
        problems: why the plan cannot be carried out, in words; empty when it can.
        warnings: what somebody should do something about, although the plan can be carried out.
        notes: what is worth knowing and needs no attention, in words.
        meanings: what means something else afterwards, each view after those that it reads. Only plans that
            ``plan_views()`` returns have them.
        unchanged: how many of the registered views that were looked at stay as they are.
        judged_late: whether personal columns of new views can only be looked for once these exist.
        digests: of everything that somebody may change of a view, and of what hangs on it, by oid. Only plans
            that somebody confirms have them.
        skipped: the views whose classes are for other engines.
    """

    database: str
    steps: tuple[Step, ...] = ()
    lock_order: tuple[ViewName, ...] = ()
    staging: Mapping[str, str] = field(default_factory=dict)
    search_path: tuple[str, ...] = ()
    extras: Mapping[int, tuple[Extra, ...]] = field(default_factory=dict)
    problems: tuple[Sentence, ...] = ()
    warnings: tuple[Sentence, ...] = ()
    notes: tuple[Sentence, ...] = ()
    meanings: tuple[ChangedMeaning, ...] = ()
    unchanged: int = 0
    judged_late: bool = False
    digests: Mapping[int, str] = field(default_factory=dict)
    skipped: tuple[SkippedView, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do and no problem."""
        return not self.steps and not self.problems

    @property
    def only_records(self) -> bool:
        """Whether it would write sync states, change nothing else, and has no problem."""
        return bool(self.steps) and not self.problems and not any(step.statements for step in self.steps)

    @property
    def swapped(self) -> tuple[Step, ...]:
        """The steps whose views the swap locks, in the order of the locks."""
        steps = {step.name: step for step in self.steps if step.locks_readers}
        return tuple(steps[name] for name in self.lock_order)

    @property
    def created_in_swap(self) -> tuple[Step, ...]:
        """The steps that create views in the swap, because they read what it replaces."""
        return tuple(step for step in self.steps if step.swap_statements and not step.installed)

    @property
    def swap(self) -> tuple[tuple[Step, Statement], ...]:
        """The statements that the swap sends after its locks, in order, each with its step."""
        concerned = [step for step in self.steps if step.swap_statements]
        position = {name: i for i, name in enumerate(self.lock_order)}
        statements: list[tuple[Step, Statement]] = []
        for phase in (Phase.REPLACE, Phase.DROP, Phase.MOVE, Phase.FINISH):
            found = [(step, sent) for step in concerned for sent in step.statements if sent.phase is phase]
            if phase is Phase.DROP:
                found.sort(key=lambda pair: position[pair[0].name])
            statements += found
        return tuple(statements)

    @property
    def recorded_in_swap(self) -> frozenset[ViewName]:
        """The views whose sync states the swap writes: it changes them, or what their star stands for."""
        has_swap = any(step.swap_statements for step in self.steps)
        return frozenset(
            step.name
            for step in self.steps
            if step.built_at is None and (step.swap_statements or (has_swap and step.has_star))
        )

    @property
    def fingerprint(self) -> str:
        """A hash of what would be done, what was found and what comes out, to confirm exactly this plan."""
        text = json.dumps([self.database, [self._to_confirm(step) for step in self.steps], self.problems])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _to_confirm(self, step: Step) -> list[object]:
        """Return what must be the same when a step is carried out as when it was shown."""
        before, after = step.installed, step.expected
        if before and (digest := self.digests.get(before.oid)):
            # It has the rule and the indexes, which are not read of a view that a refresh has locked.
            before = replace(before, rule=digest, indexes=())
        return [
            step.action.value,
            step.name,
            [[sent.phase.value, sent.sql] for sent in step.statements],
            step.definition.fingerprint if step.definition else "",
            repr(before.as_found) if before else "",
            [after.definition, repr(after.columns)] if after else "",
        ]

    @property
    def counts(self) -> Mapping[Action, int]:
        """How many steps of each kind there are, in the order of :class:`Action`."""
        found = Counter(step.action for step in self.steps)
        return {action: found[action] for action in Action if found[action]}
