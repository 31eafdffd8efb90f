"""The values that a plan is made of: what a step does, why, in which SQL."""

from __future__ import annotations

import enum
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from .catalog import InstalledView
from .definition import ViewDefinition
from .names import ViewName
from .rehearsal import RehearsedView


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


@dataclass(frozen=True)
class Step:
    """One thing that a sync does to one view (or, for SCHEMA, to one schema).

    Attributes:
        name: the view; for a schema its ``name`` is empty.
        reason: why, in words.
        statements: the SQL, in order.
        drop_statement: for what is dropped before anything is created: the DROP.
        definition: the view as its class says it; None when it is dropped.
        installed: the view as it is; None when it is created.
        rehearsed: what PostgreSQL would make of it, when it was tried.
        indirect: True when nobody changed the view itself, only what it reads.
        blocks: whom the step keeps waiting, in words.
    """

    action: Action
    name: ViewName
    reason: str
    statements: tuple[str, ...] = ()
    drop_statement: str = ""
    definition: ViewDefinition | None = None
    installed: InstalledView | None = None
    rehearsed: RehearsedView | None = None
    indirect: bool = False
    blocks: str = ""

    @property
    def target(self) -> str:
        """The view's or the schema's name, for people."""
        return str(self.name) if self.name.name else self.name.schema

    @property
    def sql(self) -> str:
        """All statements of the step, as they are sent."""
        statements = [self.drop_statement, *self.statements] if self.drop_statement else self.statements
        return "\n".join(f"{statement};" for statement in statements)

    @property
    def usual_seconds(self) -> float | None:
        """How long the last build of a materialised view took."""
        return self.installed.tag.seconds if self.installed and self.installed.tag else None


@dataclass(frozen=True)
class Plan:
    """What a sync of one database would do.

    Attributes:
        steps: in the order in which they are carried out, but for ``drops_first``.
        drops_first: views to drop before anything is created, those that read others first.
        problems: why it cannot be carried out, in words; empty when it can.
        unchanged: how many registered views it leaves alone.
    """

    database: str
    steps: tuple[Step, ...] = ()
    drops_first: tuple[ViewName, ...] = ()
    problems: tuple[str, ...] = ()
    unchanged: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do and nothing in the way."""
        return not self.steps and not self.problems

    @property
    def fingerprint(self) -> str:
        """A hash of everything that would be done, for confirming exactly this plan."""
        said = [[s.action.value, s.name, s.drop_statement, s.statements] for s in self.steps]
        text = json.dumps([self.database, said, self.problems])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def counts(self) -> Mapping[Action, int]:
        """How many steps of each kind there are, in the order of :class:`Action`."""
        found = Counter(step.action for step in self.steps)
        return {action: found[action] for action in Action if found[action]}
