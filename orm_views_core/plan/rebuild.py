"""The statements that make a new version of a view beside the one in use. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from orm_views_core.database.dry_run import ExpectedView
from orm_views_core.database.extras import STORAGE, Extra, lost_in_words, options_by_hand, without_twins
from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.engines.postgresql import ddl
from orm_views_core.names import ViewKind, ViewName

from .diff import Differences
from .statements import column_comments


@dataclass(frozen=True)
class Build:
    """A view that takes the place of another.

    Attributes:
        definition: what it is to be.
        installed: the one that it takes the place of.
        expected: what PostgreSQL would make of it.
        at: where it is made.
        sql: its SELECT, reading the new versions of what it reads.
        difference: what is not as its class says.
        extras: what was added by hand and is to be kept.
    """

    definition: ViewDefinition
    installed: InstalledView
    expected: ExpectedView | None
    at: ViewName
    sql: str
    difference: Differences
    extras: tuple[Extra, ...] = ()

    @property
    def is_filled(self) -> bool:
        """Whether a materialised view gets rows: one that has been filled since it was created stays so."""
        was_filled = self.installed.kind is self.definition.kind and self.installed.populated
        return self.definition.with_data or was_filled

    @property
    def options_by_hand(self) -> tuple[tuple[str, str], ...]:
        """The options that somebody set on the plain view."""
        options = self.expected.options if self.expected else ()
        return options_by_hand(self.installed, self.definition, options)

    @property
    def kept(self) -> list[Extra]:
        """What the new version is given of what was added by hand."""
        lost = self.expected.lost if self.expected else {}
        indexes = self.expected.indexes if self.expected else ()
        return [b for b in without_twins(self.extras, indexes, self.installed) if b not in lost]

    @property
    def kept_in_words(self) -> tuple[str, ...]:
        """The same for people: what has a name by name, grants by number."""
        kept = [b for b in self.kept if b.kind != "revocation"]
        words = [str(b) for b in kept if b.kind not in _COUNTED]
        words += [f"option {name}={value}" for name, value in self.options_by_hand]
        counted = Counter(b.kind for b in kept if b.kind in _COUNTED)
        return (*words, *(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in counted.items()))

    @property
    def lost_in_words(self) -> tuple[str, ...]:
        """What it cannot be given, and why."""
        words = list(lost_in_words(self.expected.lost if self.expected else {}))
        if self.installed.kind is ViewKind.VIEW and self.definition.kind is not ViewKind.VIEW:
            ours = self.installed.state.options if self.installed.state else ()
            words += [
                f"option {name}={value}: a {self.definition.kind.label} has no such option"
                for name, value in self.installed.options
                if name not in ours
            ]
        return tuple(words)


_COUNTED = ("grant", "column comment")


def rebuild_statements(build: Build, role: str) -> tuple[list[str], list[str]]:
    """Return the statements that make a view, and those that have to wait until it is in its place.

    How its rows are stored is said before it is filled, and so is its owner, as whom it is filled: REFRESH
    runs as the owner, and a view that somebody else wrote must not run as us.
    https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html

    Args:
        build: the view.
        role: the one that we connect as.
    """
    definition, at = build.definition, build.at
    materialised = definition.kind is ViewKind.MATERIALISED_VIEW
    kept = build.kept
    first = [b for b in kept if b.kind in STORAGE]
    then = [b for b in kept if b.kind not in STORAGE]
    statements = [
        ddl.create_view(
            definition, at=at, sql=build.sql, with_data=False, further_options=build.options_by_hand
        ),
        *_made(first, at, role),
    ]
    if materialised and build.is_filled:
        statements.append(ddl.refresh(at, concurrently=False))
    statements += [index.create_sql(at) for index in definition.indexes]
    statements += _made(then, at, role)
    if build.difference.grant:
        statements.append(ddl.grant(at, ["SELECT"], build.difference.grant))
    statements += column_comments(definition, at)
    if materialised and build.is_filled:
        statements.append(ddl.analyze(at))
    return statements, [statement for b in kept for statement in b.last_statements(at)]


def _made(extras: Iterable[Extra], at: ViewName, role: str) -> list[str]:
    return [statement for extra in extras for statement in extra.statements(at, role)]
