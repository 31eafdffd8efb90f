"""The values that a plan is made of: what a step does, why, in which SQL, and when."""

from __future__ import annotations

import enum
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from orm_views_core.database.dry_run import ExpectedView
from orm_views_core.database.extras import Extra
from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewName


class Action(enum.Enum):
    """What a step does; the value is the sign that it is listed under."""

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
        """The sign alone."""
        return self.value.partition(" ")[0]

    @property
    def verb(self) -> str:
        """The word alone."""
        return self.value.partition(" ")[2]


class Phase(enum.Enum):
    """When a statement is sent. All but BUILD are the swap, for which readers are locked out.

    BUILD: what nobody is kept waiting for: new views, and new versions beside those in use.
    REPLACE: CREATE OR REPLACE, while what is built anew is still beside the old.
    DROP: the old versions and what is no longer wanted, readers before what they read.
    MOVE: the new versions into their places.
    FINISH: what needs everything in its place.
    """

    BUILD = "build"
    REPLACE = "replace"
    DROP = "drop"
    MOVE = "move"
    FINISH = "finish"


class Statement(NamedTuple):
    """A statement, and when it is sent."""

    phase: Phase
    sql: str


def in_phase(phase: Phase, statements: Iterable[str]) -> tuple[Statement, ...]:
    """Return statements that are all sent in one phase."""
    return tuple(Statement(phase, sql) for sql in statements)


@dataclass(frozen=True)
class Step:
    """One thing that a sync does to one view (or, for SCHEMA, to one schema).

    Attributes:
        name: the view; for a schema its ``name`` is empty.
        reason: why, in words.
        statements: the SQL, in order.
        definition: the view as its class says it; None when it is dropped, or is somebody else's.
        installed: the view as it is; None when it is created.
        expected: what PostgreSQL would make of it, when it was tried.
        indirect: True when nobody changed the view itself, only what it reads.
        blocks: whom the step keeps waiting, in words.
        built_at: where a view is built before it takes its place; None when it is made in place.
        fills: whether a materialised view gets its rows.
        deferred: why it is built in the swap and not before; "" when it is not.
        kept: what was added by hand and is on the new view as well.
        lost: what was added by hand and cannot be on it, with the reason.
    """

    action: Action
    name: ViewName
    reason: str
    statements: tuple[Statement, ...] = ()
    definition: ViewDefinition | None = None
    installed: InstalledView | None = None
    expected: ExpectedView | None = None
    indirect: bool = False
    blocks: str = ""
    built_at: ViewName | None = None
    fills: bool = False
    deferred: str = ""
    kept: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The view's or the schema's name, for people."""
        return str(self.name) if self.name.name else self.name.schema

    def sql_in(self, *phases: Phase) -> tuple[str, ...]:
        """The statements of some phases, in their order."""
        return tuple(sql for phase, sql in self.statements if phase in phases)

    @cached_property
    def swap_statements(self) -> tuple[str, ...]:
        """The statements for which readers are locked out."""
        return tuple(sql for phase, sql in self.statements if phase is not Phase.BUILD)

    @property
    def locks_readers(self) -> bool:
        """Whether it has a part in the swap that concerns a view which may have readers."""
        return self.installed is not None and bool(self.swap_statements)

    @property
    def sql(self) -> str:
        """All statements of the step, in the order in which they are sent."""
        return "\n".join(f"{sql};" for _, sql in self.statements)

    @property
    def usual_seconds(self) -> float | None:
        """How long the last build of a materialised view took."""
        return self.installed.usual_seconds if self.installed else None


@dataclass(frozen=True)
class Plan:
    """What a sync of one database would do.

    Attributes:
        steps: in the order in which views are built.
        lock_order: the views that have a part in the swap, those that read others first.
        staging: the staging schema of each schema in which something is built before it takes its place.
        search_path: the schemas in which unqualified names are looked up.
        extras: what was added by hand to the views that are dropped, by oid.
        problems: why it cannot be carried out, in words; empty when it can.
        unchanged: how many registered views it leaves alone.
    """

    database: str
    steps: tuple[Step, ...] = ()
    lock_order: tuple[ViewName, ...] = ()
    staging: Mapping[str, str] = field(default_factory=dict)
    search_path: tuple[str, ...] = ()
    extras: Mapping[int, tuple[Extra, ...]] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    unchanged: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do and nothing in the way."""
        return not self.steps and not self.problems

    @property
    def swapped(self) -> tuple[Step, ...]:
        """The steps whose views have a part in the swap, in the order in which they are locked."""
        steps = {step.name: step for step in self.steps if step.locks_readers}
        return tuple(steps[name] for name in self.lock_order)

    @property
    def swap(self) -> tuple[tuple[Step, str], ...]:
        """The statements of the swap behind its locks, each with its step, in the order in which they go."""
        concerned = [step for step in self.steps if step.swap_statements]
        position = {name: i for i, name in enumerate(self.lock_order)}
        statements: list[tuple[Step, str]] = []
        for phase in (Phase.REPLACE, Phase.DROP, Phase.MOVE, Phase.FINISH):
            steps = [step for step in concerned if step.sql_in(phase)]
            if phase is Phase.DROP:
                steps.sort(key=lambda step: position[step.name])
            statements += [(step, sql) for step in steps for sql in step.sql_in(phase)]
        return tuple(statements)

    @property
    def fingerprint(self) -> str:
        """A hash of everything that would be done, for confirming exactly this plan."""
        said = [
            [step.action.value, step.name, [[phase.value, sql] for phase, sql in step.statements]]
            for step in self.steps
        ]
        text = json.dumps([self.database, said, self.problems])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def counts(self) -> Mapping[Action, int]:
        """How many steps of each kind there are, in the order of :class:`Action`."""
        found = Counter(step.action for step in self.steps)
        return {action: found[action] for action in Action if found[action]}
