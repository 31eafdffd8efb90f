"""The relations of a database and what reads what: which of them a graph shows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

from orm_views_admin.standings import Standing, standings_of
from orm_views_core.graph import closure, reverse
from orm_views_core.names import ViewKind, ViewName
from orm_views_core.plan.diff import sources_of
from orm_views_core.status import ViewStatus


@dataclass(frozen=True)
class Relations:
    """The relations of a database.

    Attributes:
        views: the views with a status: registered ones, and those in the schemas of registered ones.
        others: the other views, with their kinds.
        reads: the relations that each view reads. Those that are no view are tables.
        troubles: what the runs of views tell of their states.
        hidden: the views that are left out.
        has_gaps: whether one of them is between others.
    """

    views: Mapping[ViewName, ViewStatus] = field(default_factory=dict)
    others: Mapping[ViewName, ViewKind] = field(default_factory=dict)
    reads: Mapping[ViewName, Collection[ViewName]] = field(default_factory=dict)
    troubles: Mapping[ViewName, Sequence[Standing]] = field(default_factory=dict)
    hidden: frozenset[ViewName] = frozenset()
    has_gaps: bool = False

    @classmethod
    def of(
        cls,
        statuses: Iterable[ViewStatus],
        view_reads: Mapping[ViewName, Collection[ViewName]],
        plain: Collection[ViewName],
        troubles: Mapping[ViewName, Sequence[Standing]] = MappingProxyType({}),
    ) -> Relations:
        """Put together what is known of a database.

        Args:
            statuses: the status of each view that has one.
            view_reads: every view of the database, with the views that it reads.
            plain: those of them that are not materialised.
            troubles: what the runs of views tell.
        """
        views = {status.name: status for status in statuses if status.name}
        others = {
            name: ViewKind.VIEW if name in plain else ViewKind.MATERIALISED_VIEW
            for name in view_reads
            if name not in views
        }
        reads = {name: set(read) for name, read in view_reads.items()}
        registered = frozenset(name for name, status in views.items() if status.definition)
        for name, status in views.items():
            if status.installed:
                reads.setdefault(name, set()).update(status.installed.reads)
                for reader in status.installed.read_by:
                    reads.setdefault(reader, set()).add(name)
            elif status.definition:
                reads[name] = set(sources_of(status.definition, registered, ()))
        return cls(views, others, {name: read - {name} for name, read in reads.items()}, troubles)

    def standing(self, name: ViewName) -> Standing | None:
        """Return the worst state that a view is in; None if it has no status."""
        status = self.views.get(name)
        return standings_of(status, self.troubles.get(name, ()))[0] if status else None

    def without(self, hidden: Collection[ViewName]) -> Relations:
        """Return the same relations without some. What reads one of these reads what that reads instead."""
        if not hidden:
            return self
        through = {name: read for name, read in self.reads.items() if name in hidden}
        reads = {
            name: {each for each in closure(through, read) if each not in hidden} - {name}
            for name, read in self.reads.items()
            if name not in hidden
        }
        views = {name: status for name, status in self.views.items() if name not in hidden}
        others = {name: kind for name, kind in self.others.items() if name not in hidden}
        has_gaps = any(not through.keys().isdisjoint(self.reads[name]) for name in reads)
        return replace(
            self, views=views, others=others, reads=reads, hidden=frozenset(hidden), has_gaps=has_gaps
        )

    def with_reads(self, further: Mapping[ViewName, Collection[ViewName]]) -> Relations:
        """Return the same relations, with more that views read."""
        names = {*self.reads, *further}
        reads = {name: {*self.reads.get(name, ()), *further.get(name, ())} - {name} for name in names}
        return replace(self, reads=reads)

    @cached_property
    def read_by(self) -> Mapping[ViewName, Collection[ViewName]]:
        """What reads each relation."""
        return reverse(self.reads)

    @cached_property
    def names(self) -> frozenset[ViewName]:
        """All views with a status, the other views that they read or that read them, and all their tables."""
        connected = closure(self.reads, self.views) | closure(self.read_by, self.views)
        return frozenset(connected | {read for name in connected for read in self.reads.get(name, ())})

    def is_view(self, name: ViewName) -> bool:
        """Return whether a relation is a view of any kind."""
        return name in self.views or name in self.others

    def near(self, name: ViewName, steps: int) -> dict[ViewName, int]:
        """Return what a relation reads and what reads it, with the number of steps to it, the nearest first.

        Args:
            name: the relation. It is the first one of the result.
            steps: how many steps away a relation may be, in either direction.
        """
        found = {name: 0}
        for edges in (self.reads, self.read_by):
            reached = {name}
            for distance in range(1, steps + 1):
                reached = {other for each in reached for other in edges.get(each, ())} - found.keys()
                found |= dict.fromkeys(sorted(reached), distance)
        return dict(sorted(found.items(), key=lambda item: item[1]))

    def edges_among(self, names: Collection[ViewName]) -> list[tuple[ViewName, ViewName]]:
        """Return the pairs of some relations of which the second one reads the first one."""
        return [(read, name) for name in names for read in sorted(self.reads.get(name, ())) if read in names]
