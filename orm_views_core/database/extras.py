"""Extras: what a view has beyond its definition, such as privileges, indexes and triggers made by hand.

CREATE OR REPLACE VIEW keeps nearly all extras. A new version that is built beside the old one has none of
them, so they are read before, as the statements that create them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from orm_views_core.definitions.definition import TABLESPACE, ViewDefinition
from orm_views_core.names import ViewName, printable, quote_identifier
from orm_views_core.quoting import embedded
from orm_views_core.sentences import Sentence, as_sentence, says, says_in

from .relations import InstalledIndex, InstalledView, tablespace_of

#: What stands for the view and for its schema in a template. A name or a comment in PostgreSQL may contain
#: every character but NUL, so these are random: nobody can write them into a name.
TABLE, SCHEMA = (f"<{what} {secrets.token_hex(16)}>" for what in ("table", "schema"))

#: The kinds to create before a materialised view is filled: how rows are stored, and who fills it.
STORAGE = ("storage parameter", "tablespace", "access method", "column storage", "owner")

_OF_AN_INDEX = (
    "index tablespace",
    "index statistics",
    "index comment",
    "index extension dependency",
    "cluster on",
)
_PART_OF = {
    **dict.fromkeys(_OF_AN_INDEX, "index"),
    "rule comment": "rule",
    "trigger comment": "trigger",
    "trigger extension dependency": "trigger",
}


#: The name of a grant.
_GRANT = re.compile(r"of (.+) to (.+?)( with grant option)?")
#: The kinds in words that can be translated.
_KINDS = {
    str(words): words
    for words in (
        says_in("of a view", "access method"),
        says_in("of a view", "cluster on"),
        says_in("of a view", "column comment"),
        says_in("of a view", "column option"),
        says_in("of a view", "column storage"),
        says_in("of a view", "comment"),
        says_in("of a view", "default"),
        says_in("of a view", "extended statistics"),
        says_in("of a view", "extension dependency"),
        says_in("of a view", "grant"),
        says_in("of a view", "index"),
        says_in("of a view", "index comment"),
        says_in("of a view", "index extension dependency"),
        says_in("of a view", "index statistics"),
        says_in("of a view", "index tablespace"),
        says_in("of a view", "owner"),
        says_in("of a view", "rule"),
        says_in("of a view", "rule comment"),
        says_in("of a view", "statistics target"),
        says_in("of a view", "storage parameter"),
        says_in("of a view", "tablespace"),
        says_in("of a view", "trigger"),
        says_in("of a view", "trigger comment"),
        says_in("of a view", "trigger extension dependency"),
    )
}


@dataclass(frozen=True)
class Extra:
    """One thing that a view has beyond its definition.

    Attributes:
        kind: what it is, in words.
        name: its name, or what it concerns.
        template: the statement that creates it, with placeholders for the view and its schema.
        grantor: the role that granted a privilege, if it is not the view's owner.
        tail: for an index, its definition from USING on.
        finish: a template of the statements to send after the swap, because a name is free only then.
    """

    kind: str
    name: str
    template: str
    grantor: str = ""
    tail: str = ""
    finish: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {printable(self.name)}".rstrip()

    @property
    def sentence(self) -> Sentence:
        """The same, to be translated."""
        kind, name = _KINDS.get(self.kind, self.kind), printable(self.name)
        if self.kind == "grant" and (found := _GRANT.fullmatch(name)):
            of = {"privilege": found[1], "role": found[2]}
            if found[3]:
                return says("grant of %(privilege)s to %(role)s with grant option", **of)
            return says("grant of %(privilege)s to %(role)s", **of)
        return says("%(kind)s %(name)s", kind=kind, name=name) if name else as_sentence(kind)

    def statements(self, at: ViewName, role: str, *, is_staged: bool = True) -> tuple[str, ...]:
        """Return the statements that create it.

        Args:
            at: the view to create it on.
            role: the role of the connection, to return to after acting as the grantor.
            is_staged: whether the view is in a staging schema.
        """
        statement = _filled_in(self.template, at)
        if self.kind == "owner" and is_staged:
            # Only a role with CREATE on the schema may become the owner. It must not keep that right: its
            # functions, which run when the view is filled, could put objects before ours in the search path.
            schema, owner = quote_identifier(at.schema), quote_identifier(self.name)
            return (
                f"GRANT CREATE ON SCHEMA {schema} TO {owner}",
                statement,
                f"REVOKE CREATE ON SCHEMA {schema} FROM {owner}",
            )
        if not self.grantor:
            return (statement,)
        return (
            f"SET LOCAL ROLE {quote_identifier(self.grantor)}",
            statement,
            f"SET LOCAL ROLE {quote_identifier(role)}",
        )

    def last_statements(self, at: ViewName) -> tuple[str, ...]:
        """Return the statements to send once the view is in its place.

        Args:
            at: where it was created.
        """
        return (_filled_in(self.finish, at),) if self.finish else ()


def _filled_in(template: str, at: ViewName) -> str:
    return template.replace(TABLE, at.quoted).replace(SCHEMA, quote_identifier(at.schema))


def worth_keeping(
    extras: Iterable[Extra],
    definition: ViewDefinition,
    installed: InstalledView,
    *,
    is_external: bool = False,
    revoked: Collection[str] = (),
) -> list[Extra]:
    """Return the extras to keep: those that the view's class does not declare or revoke.

    Args:
        extras: all extras of the view.
        definition: what its class declares.
        installed: the view as it is now.
        is_external: whether it is an external dependent, of which all extras are kept.
        revoked: the roles that lose SELECT.
    """
    if is_external:
        return list(extras)
    ours = set(installed.state.indexes if installed.state else ())
    declared = {index.name for index in definition.indexes}
    options = {name for name, _ in definition.options} | set(
        installed.state.options if installed.state else ()
    )
    options |= {tablespace_of(index.name) for index in definition.indexes if index.tablespace}
    revoked_names = {f"of SELECT to {role}" for role in revoked}

    def is_of_its_class(extra: Extra) -> bool:
        kind, name = extra.kind, extra.name
        return (
            kind in {"comment", *(options & {TABLESPACE})}
            or (kind == "storage parameter" and name.partition("=")[0] in options)
            or (kind == "index tablespace" and tablespace_of(name) in options)
            or (kind == "index" and name in ours | declared)
            or (kind in _OF_AN_INDEX and name in ours - declared)
            or (kind == "column comment" and name in definition.column_comments)
            or (kind == "grant" and name.removesuffix(" with grant option") in revoked_names)
        )

    return [extra for extra in extras if not is_of_its_class(extra)]


def without_twins(
    extras: Iterable[Extra], indexes: Iterable[InstalledIndex], installed: InstalledView
) -> list[Extra]:
    """Leave out the indexes that equal an index of the class, if no sync has recorded the view."""
    wanted = {index.tail for index in indexes} if installed.state is None else set()
    return [extra for extra in extras if not (extra.kind == "index" and extra.tail in wanted)]


def lost_in_words(lost: Mapping[Extra, str]) -> tuple[Sentence, ...]:
    """Return the extras that cannot be kept and why, without those that belong to another lost extra.

    Args:
        lost: what PostgreSQL says of each.
    """
    named = {(extra.kind, extra.name) for extra in lost}
    return tuple(
        embedded(says("%(extra)s: %(why)s", extra=extra.sentence, why=why))
        for extra, why in lost.items()
        if extra.kind != "revocation" and (_PART_OF.get(extra.kind), extra.name) not in named
    )
