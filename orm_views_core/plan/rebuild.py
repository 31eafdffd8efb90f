"""The new version of a view that is built beside the old one. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orm_views_core.database.dry_run import ExpectedView
from orm_views_core.database.engine import Dialect, StatementKind
from orm_views_core.database.extras import STORAGE, Extra, lost_in_words, without_twins
from orm_views_core.database.relations import InstalledView
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.sentences import Sentence, says, says_n

from .diff import Differences, options_by_hand
from .statements import column_comments
from .steps import Phase, Statement, in_phase
from .unfilled import wants_rows

#: What is told as a number, and how.
_COUNTED = {
    "grant": lambda n: says_n("%(n)s grant", "%(n)s grants", n, n=n),
    "column comment": lambda n: says_n("%(n)s column comment", "%(n)s column comments", n, n=n),
}


@dataclass(frozen=True)
class Build:
    """A new version of a view.

    Attributes:
        definition: what the view is to be.
        installed: the old version.
        expected: what PostgreSQL would make of the definition.
        at: where the new version is created.
        sql: its SELECT, which reads the new versions of other views.
        difference: how the old version differs from the class.
        extras: the extras of the old version to keep.
        is_unfilled: whether it gets no rows, because it reads a view without rows.
    """

    definition: ViewDefinition
    installed: InstalledView
    expected: ExpectedView
    at: ViewName
    sql: str
    difference: Differences
    extras: tuple[Extra, ...] = ()
    is_unfilled: bool = False

    @property
    def is_filled(self) -> bool:
        """Whether it is a materialised view that gets rows."""
        return wants_rows(self.definition, self.installed) and not self.is_unfilled

    @property
    def options_by_hand(self) -> tuple[tuple[str, str], ...]:
        """The options that somebody set by hand on a plain view. Those of a stored view are extras."""
        if self.definition.kind is not ViewKind.VIEW:
            return ()
        return options_by_hand(self.definition, self.installed, self.expected)

    @property
    def kept(self) -> list[Extra]:
        """The extras that the new version gets."""
        extras = without_twins(self.extras, self.expected.indexes, self.installed)
        return [extra for extra in extras if extra not in self.expected.lost]

    @property
    def kept_in_words(self) -> tuple[Sentence, ...]:
        """The same for people: grants and column comments as numbers, everything else by name."""
        kept = [extra for extra in self.kept if extra.kind != "revocation"]
        words = [extra.sentence for extra in kept if extra.kind not in _COUNTED]
        words += [_option(name, value) for name, value in self.options_by_hand]
        counted = Counter(extra.kind for extra in kept if extra.kind in _COUNTED)
        return (*words, *(_COUNTED[kind](n) for kind, n in counted.items()))

    @property
    def lost_in_words(self) -> tuple[Sentence, ...]:
        """The extras that the new version cannot have, each with the reason."""
        words = lost_in_words(self.expected.lost)
        if self.installed.kind is not ViewKind.VIEW or self.definition.kind is ViewKind.VIEW:
            return words
        recorded = self.installed.state.options if self.installed.state else ()
        return words + tuple(
            says(
                "%(option)s: a %(kind)s has no such option",
                option=_option(name, value),
                kind=self.definition.kind.label,
            )
            for name, value in self.installed.options
            if name not in recorded
        )


def _option(name: str, value: str) -> Sentence:
    return says("option %(name)s=%(value)s", name=name, value=value)


def rebuild_statements(
    build: Build, role: str, dialect: Dialect, phase: Phase = Phase.BUILD
) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """Return the statements that create a new version, and those to send once it is in its place.

    Storage parameters and the owner are set before the view is filled: REFRESH runs as the owner, and SQL
    that somebody else wrote must not run with our rights.
    https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html

    Args:
        build: the new version.
        role: the role that syncs.
        dialect: writes the SQL.
        phase: the phase in which the new version is created.
    """
    definition, at, kept = build.definition, build.at, build.kept
    create = dialect.create_view(
        definition, at=at, sql=build.sql, with_data=False, further_options=build.options_by_hand
    )
    statements = [
        Statement(phase, create, StatementKind.QUERY, is_canonical=definition.is_canonical),
        *_create_extras([extra for extra in kept if extra.kind in STORAGE], build, role, phase),
    ]
    if build.is_filled:
        statements.append(Statement(phase, dialect.refresh(at, concurrently=False), StatementKind.QUERY))
    indexes = [index.create_sql(at) for index in definition.indexes]
    statements += in_phase(phase, indexes, StatementKind.INDEX)
    statements += _create_extras([extra for extra in kept if extra.kind not in STORAGE], build, role, phase)
    if build.difference.grant:
        statements.append(Statement(phase, dialect.grant_select(at, build.difference.grant)))
    texts = column_comments(at, definition.column_comments, dialect)
    statements += in_phase(phase, texts, StatementKind.COMMENT)
    if build.is_filled:
        statements.append(Statement(phase, dialect.analyze(at)))
    finished = [statement for extra in kept for statement in extra.last_statements(at)]
    return tuple(statements), in_phase(Phase.FINISH, finished)


def _create_extras(extras: Iterable[Extra], build: Build, role: str, phase: Phase) -> Iterator[Statement]:
    is_staged = build.at != build.definition.name
    for extra in extras:
        kind = StatementKind.OTHER
        if extra.kind == "index":
            kind = StatementKind.INDEX
        elif extra.kind.endswith("comment"):
            kind = StatementKind.COMMENT
        for sql in extra.statements(build.at, role, is_staged=is_staged):
            yield Statement(phase, sql, kind, is_canonical=True)
