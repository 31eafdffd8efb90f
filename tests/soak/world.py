"""What a history acts on: a database, the classes it is synced with, and what people made in it by hand.

After each sync the database has to be what a sync from empty makes of the same classes, plus what was made by
hand and still fits. The sync from empty is done in a second database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from django.db import connections
from django.db.models import Index

from orm_views_core.exceptions import PlanBlockedError
from orm_views_core.refresh import refresh_views
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import plan_views, sync_views
from orm_views_core.views import PostgresMaterialisedViewMixin, PostgresViewFromSQL
from orm_views_core.views.registry import registry

from .code import Code, Resolved
from .facts import ELSEWHERE, HERE, Fact, Facts, explain, query, read_facts, read_identities, read_rows

_RESET = """
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS views, theirs, base CASCADE;
CREATE SCHEMA base;
CREATE SCHEMA theirs;
CREATE FUNCTION base.ignore() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TABLE base.loans AS SELECT n::bigint AS id, n * 3 AS loans_1, 'loan ' || n AS loans_2,
    (n * 1.25)::numeric(10,2) AS loans_3 FROM generate_series(1, 30) n;
CREATE TABLE base.cities AS SELECT n::bigint AS id, n % 4 AS cities_1, 'city ' || n % 5 AS cities_2,
    (n * 2.5)::numeric(10,2) AS cities_3 FROM generate_series(1, 25) n;
"""
LEFT_OVER = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'orm\\_views\\_%'"
ADVISORY_LOCKS = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass(frozen=True)
class HandMade:
    """Something that a sync has to leave as it is while it fits.

    Attributes:
        added: the facts that it made true.
        removed: those that it made untrue.
        columns: the columns it is about, each with its type where that matters to it.
        materialised: the kind of view it needs; None for either.
        theirs: the view of somebody else that it is, if it is one.
        doubtful: whether a change by hand has made it unclear what is to become of it.
    """

    view: str
    sql: str
    added: Facts
    removed: Facts
    columns: tuple[tuple[str, str], ...] = ()
    materialised: bool | None = None
    theirs: str = ""
    doubtful: bool = False


class World:
    """What a history acts on. Its methods return what was done, in words."""

    def __init__(self, ann: str, bob: str, app: str, owner: str) -> None:
        self.ann, self.bob, self.app, self.owner = ann, bob, app, owner
        self.code, self.installed = Code(), Code()
        self.installed_columns: dict[str, list[Resolved]] = {}
        self.renamed: set[str] = set()
        self.drifted: set[str] = set()
        self.without_index: set[str] = set()
        self.made: list[HandMade] = []
        self.blocked = 0
        for alias in (HERE, ELSEWHERE):
            query(alias, _RESET)
        query(HERE, f"GRANT USAGE ON SCHEMA theirs TO {bob}")

    # What people do by hand.

    def drift(self, view: str, sql: str) -> str:
        """Change a view behind the sync's back."""
        self.drifted.add(view)
        query(HERE, sql)
        return sql

    def on_tables(self, sql: str) -> str:
        """Change the tables of both databases."""
        for alias in (HERE, ELSEWHERE):
            query(alias, sql)
        self.drifted |= set(self.installed.views)
        return sql

    def make(
        self,
        view: str,
        sql: str,
        *,
        columns: Iterable[str] = (),
        types: bool = False,
        materialised: bool | None = None,
        theirs: str = "",
    ) -> str:
        """Make something by hand, and remember which facts that changed."""
        type_of = {column.name: column.type if types else "" for column in self.installed_columns[view]}
        before = read_facts(HERE)
        query(HERE, f"GRANT USAGE ON SCHEMA views TO {self.ann}, {self.bob}; {sql}")
        after = read_facts(HERE)
        removed = before - after
        known = {fact for made in self.made for fact in made.added}
        self.made = [replace(made, added=made.added - removed) for made in self.made]
        self.made.append(
            HandMade(
                view,
                sql,
                after - before,
                removed - known,
                tuple((column, type_of[column]) for column in columns),
                materialised,
                theirs,
            )
        )
        return sql

    def unmake(self, view: str, aspect: str) -> None:
        """Note that a change by hand undid what was made by hand before."""
        self.made = [
            made for made in self.made if made.view != view or all(fact[1] != aspect for fact in made.added)
        ]

    def doubt(self, view: str, column: str) -> None:
        """Note that a column was renamed by hand: what was made on it is on no column of the class."""
        self.made = [
            replace(made, doubtful=True) if made.view == view and column in dict(made.columns) else made
            for made in self.made
        ]

    def forget(self, views: Collection[str]) -> None:
        """Note that views were dropped by hand, and what was made on them with them."""
        self.made = [made for made in self.made if made.view not in views]
        for view in views:
            self.installed.views.pop(view, None)

    # What a sync has to make of it.

    def declare(self, alias: str) -> None:
        """Declare the classes of one database in the registry."""
        for view in self.code.in_order():
            attributes = {
                "__module__": __name__,
                "__doc__": view.comment or None,
                "sql": self.code.sql(view),
                "database": alias,
                "grant_select_to": [self.app] if view.granted else [],
            }
            bases: tuple[type, ...] = (PostgresViewFromSQL,)
            if view.materialised:
                bases = (PostgresMaterialisedViewMixin, *bases)
                columns = [c.name for c in self.code.columns(view.name) if c.key in view.indexed]
                attributes["indexes"] = [Index(fields=[c], name=f"{view.name}_{c}_idx") for c in columns]
                attributes["pk_field"] = "id"
            elif view.barrier:
                attributes["security_barrier"] = True
            type(view.name, bases, attributes)

    def sync(self) -> str:
        """Sync, and hold the result against a sync from empty."""
        untouched = self._untouched()
        before = read_identities(HERE)
        with registry.isolated():
            self.declare(HERE)
            blocked = self._sync_or_clear_the_way()
            self._check_that_nothing_is_left()
        self._check(
            self._expected(), "a sync from empty, and what was made by hand, differ from what there is"
        )
        after = read_identities(HERE)
        rebuilt = [name for name in sorted(untouched) if before[f"views.{name}"] != after[f"views.{name}"]]
        assert not rebuilt, f"built anew although nothing below them has changed: {rebuilt}"
        self.installed = self.code.copy()
        self.installed_columns = {name: list(self.code.columns(name)) for name in self.code.views}
        self.renamed, self.drifted, self.without_index = set(), set(), set()
        return "sync" + (f" (after it named what was in the way: {blocked})" if blocked else "")

    def insert_rows(self, a: int, b: int, c: int) -> str:
        """Sync, insert rows, refresh everything, and hold the rows against those of a sync from empty."""
        self.sync()
        sql = f"INSERT INTO base.loans SELECT max(id) + 1, {a}, 'loan {b}', {c} FROM base.loans"
        for alias in (HERE, ELSEWHERE):
            query(alias, sql)
        with registry.isolated():
            self.declare(HERE)
            refresh_views(databases=[HERE])
        self._check(self._expected(), "after a refresh, what there is differs from a sync from empty")
        return f"sync; {sql}; refresh everything"

    def _untouched(self) -> set[str]:
        """Return the views that a sync has no reason to build anew: nothing has changed in or below them."""
        return {
            name
            for name in self.code.views.keys() & self.installed.views.keys()
            if self.code.says(name) == self.installed.says(name)
            and not self.code.reads(name)
            & (self.drifted | (self.code.views.keys() - self.installed.views.keys()))
        }

    def _sync_or_clear_the_way(self) -> str:
        """Sync; if that is refused because of what somebody made, check that it is, and take it away."""
        before = read_facts(HERE), read_identities(HERE)
        try:
            sync_views(databases=[HERE])
            return ""
        except PlanBlockedError as error:
            refusal = str(error)
        in_the_way = [made for made in self.made if not self._fits(made)]
        assert in_the_way, f"refused although everything made by hand still fits: {refusal}"
        assert (read_facts(HERE), read_identities(HERE)) == before, (
            f"refused, and something changed: {refusal}"
        )
        self.blocked += 1
        for made in in_the_way:
            self._take_away(made)
        sync_views(databases=[HERE])
        return refusal

    def _take_away(self, made: HandMade) -> None:
        self.made.remove(made)
        for _, aspect, value in made.added if not made.theirs else ():
            name = value.split()[2].rstrip(":") if aspect in {"index", "trigger", "rule"} else ""
            if aspect == "index":
                query(HERE, f"DROP INDEX views.{name}")
            elif aspect == "extended statistics":
                query(HERE, f"DROP STATISTICS {value.split()[2]}")
            elif aspect in {"trigger", "rule"}:
                query(HERE, f"DROP {aspect} {name} ON views.{made.view}")
        if made.theirs:
            query(HERE, f"DROP VIEW {made.theirs}")

    def _fits(self, made: HandMade) -> bool:
        """Say whether a sync has to leave it as it is."""
        view = self.code.views.get(made.view)
        if view is None or made.doubtful or made.materialised not in (None, view.materialised):
            return False
        columns = {column.name: column.type for column in self.code.columns(made.view)}
        return all(
            columns.get(name) in ((type_,) if type_ else columns.values()) for name, type_ in made.columns
        )

    def _expected(self) -> Facts:
        """Sync from empty elsewhere, and add what was made by hand here."""
        query(ELSEWHERE, "DROP SCHEMA IF EXISTS views CASCADE")
        with registry.isolated():
            self.declare(ELSEWHERE)
            sync_views(databases=[ELSEWHERE])
        names = [f"views.{name}" for name in self.code.views]
        return read_facts(ELSEWHERE) | read_rows(ELSEWHERE, names)

    def _check(self, expected: Facts, difference: str) -> None:
        actual = read_facts(HERE)
        rows = read_rows(HERE, [f"views.{name}" for name in self.code.views])
        kept, ignored = [], set[Fact]()
        for made in self.made:
            if self._fits(made):
                kept.append(made)
                expected = (expected - made.removed) | made.added
                continue
            # It no longer fits, or a change by hand made that unclear: it may be there or not.
            there = made.added & actual
            if made.theirs:
                there = frozenset(fact for fact in actual if fact[0] == made.theirs)
                assert there, f"{made.theirs}, which is somebody else's, is gone without a word"
            ignored |= there | made.added | (made.removed if there else set())
            if there and made.view in self.code.views:
                types = {column.name: column.type for column in self.code.columns(made.view)}
                columns = tuple((name, type_ and types.get(name, type_)) for name, type_ in made.columns)
                kept.append(replace(made, added=there, columns=columns))
        self.made = kept
        if said := explain(difference, expected - ignored, (actual | rows) - ignored):
            raise AssertionError(said)

    def _check_that_nothing_is_left(self) -> None:
        """A second look finds nothing to do, every view is synced, and no staging schema is there."""
        (plan,) = plan_views(databases=[HERE])
        assert plan.is_empty, "there is still something to do: " + "; ".join(
            f"{step.action.value} {step.target} ({step.reason})" for step in plan.steps
        )
        (status,) = get_statuses([HERE])
        ours = {str(view.name): view for view in status.views if view.state is not State.SYNCED}
        assert not ours, (
            f"not synced: {[(name, view.state.value, view.reason) for name, view in ours.items()]}"
        )
        assert query(HERE, LEFT_OVER) == []
        assert query(HERE, ADVISORY_LOCKS) == [(0,)]
        assert not connections[HERE].in_atomic_block
