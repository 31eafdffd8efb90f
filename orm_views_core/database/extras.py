"""TODO."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewKind, ViewName, quote_identifier

from .relations import InstalledIndex, InstalledView

#: Stand for the table's name and its schema in a template; no identifier has them.
_TABLE, _SCHEMA = "\x01", "\x02"


#: Before a materialised view is filled: they say how its rows are stored.
STORAGE = ("storage parameter", "tablespace", "access method", "column storage", "owner")


@dataclass(frozen=True)
class Extra:
    """One thing that a view has beyond its definition.

    Attributes:
        kind: what it is, in words.
        name: what it is called or concerns.
        template: the statement that makes it, with marks for the view's name and schema.
        grantor: for a privilege that somebody else than the owner granted, who did.
        tail: for an index, its definition from USING on.
        finish: a template of what has its place after the swap, because a name is free only then.
    """

    kind: str
    name: str
    template: str
    grantor: str = ""
    tail: str = ""
    finish: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()

    def statements(self, at: ViewName, role: str) -> tuple[str, ...]:
        """Return the statements that make it.

        Args:
            at: the view to make it on.
            role: the one that we connect as, to come back to.
        """
        statement = _filled_in(self.template, at)
        if not self.grantor:
            return (statement,)
        return (
            f"SET LOCAL ROLE {quote_identifier(self.grantor)}",
            statement,
            f"SET LOCAL ROLE {quote_identifier(role)}",
        )

    def last_statements(self, at: ViewName) -> tuple[str, ...]:
        """Return the statements that it takes once the view is in its place.

        Args:
            at: where it was made.
        """
        return (_filled_in(self.finish, at),) if self.finish else ()


def _filled_in(template: str, at: ViewName) -> str:
    return template.replace(_TABLE, at.quoted).replace(_SCHEMA, quote_identifier(at.schema))


def worth_keeping(
    extras: Iterable[Extra],
    definition: ViewDefinition,
    installed: InstalledView,
    *,
    is_external: bool = False,
    revoked: Collection[str] = (),
) -> list[Extra]:
    """Return those that its class does not take care of.

    Args:
        extras: all that the view has.
        definition: what its class says.
        installed: the view as it is.
        is_external: whether somebody else made the view, so that all of it is to be kept.
        revoked: the roles that should no longer read it.
    """
    if is_external:
        return list(extras)
    ours = set(installed.state.indexes if installed.state else ())
    declared = {index.name for index in definition.indexes}
    revoked_names = {f"of SELECT to {role}" for role in revoked}

    def is_of_its_class(extra: Extra) -> bool:
        kind, name = extra.kind, extra.name
        return (
            kind == "comment"
            or (kind == "index" and name in ours | declared)
            or (kind in _OF_AN_INDEX and name in ours - declared)
            or (kind == "column comment" and name in definition.column_comments)
            or (kind == "grant" and name.removesuffix(" with grant option") in revoked_names)
        )

    return [extra for extra in extras if not is_of_its_class(extra)]


def without_twins(
    extras: Iterable[Extra], indexes: Iterable[InstalledIndex], installed: InstalledView
) -> list[Extra]:
    """Leave out the indexes that a sync of ours never recorded and that are the same as the class's own."""
    wanted = {index.tail for index in indexes} if installed.state is None else set()
    return [b for b in extras if not (b.kind == "index" and b.tail in wanted)]


_OF_AN_INDEX = ("index tablespace", "index statistics", "index comment", "cluster on")


_PART_OF = {**dict.fromkeys(_OF_AN_INDEX, "index"), "rule comment": "rule", "trigger comment": "trigger"}


def lost_in_words(lost: Mapping[Extra, str]) -> tuple[str, ...]:
    """Say what cannot be kept and why, without what follows from that.

    Args:
        lost: what PostgreSQL said of each.
    """
    things = {(extra.kind, extra.name) for extra in lost}
    return tuple(
        f"{extra}: {why}"
        for extra, why in lost.items()
        if extra.kind != "revocation" and (_PART_OF.get(extra.kind), extra.name) not in things
    )


def options_by_hand(
    installed: InstalledView | None, definition: ViewDefinition, ours: Iterable[tuple[str, str]] = ()
) -> tuple[tuple[str, str], ...]:
    """Return the options that somebody set on a plain view and that no class of ours sets or has set.

    Args:
        ours: the options that the view is to have from its class or its SQL.
    """
    if installed is None or not installed.kind is definition.kind is ViewKind.VIEW:
        return ()
    named = {name for name, _ in (*definition.options, *ours)}
    named |= set(installed.state.options) if installed.state else set()
    return tuple(option for option in installed.options if option[0] not in named)
