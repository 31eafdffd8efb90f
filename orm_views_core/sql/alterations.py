"""What statements of migrations do to relations, as far as their text tells. Pure.

This foresees what a view stands against. PostgreSQL decides: what is not foreseen here is refused by it with
an SQLSTATE, and handled then.
https://www.postgresql.org/docs/current/sql-altertable.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from orm_views_core.names import ViewName
from orm_views_core.sentences import Sentence, says

from .lexer import Token, tokenize

What = Literal["type", "column", "constraint", "relation"]

#: Statements that may drop what views read, or change it: PostgreSQL may refuse them because of a view.
_CHANGES = frozenset({"alter", "drop", "do", "call"})
_MAY_CHANGE = re.compile(
    r"\b(?:alter|drop|do|call|create|commit|end|rollback|abort|begin|start|prepare|vacuum)\b", re.IGNORECASE
)
# A single statement about rows, however long.
_ONE_OF_ROWS = re.compile(r"\s*(?:select|insert|update|delete)\b[^;]*\Z", re.IGNORECASE)
_ENDS = frozenset({"commit", "end", "rollback", "abort"})
_BEGINS = ("start", "prepare")
_ALONE = (("vacuum",), ("create", "database"), ("drop", "database"), ("alter", "system"))


class Alteration(NamedTuple):
    """Something that a statement takes from a relation, or changes of it.

    Attributes:
        relation: its name; the schema is "" where the statement names none.
        what: the type of a column, a column, a constraint, or the relation itself.
        name: the name of the column or of the constraint; "" for the relation.
    """

    relation: ViewName
    what: What
    name: str = ""

    def __str__(self) -> str:
        return str(self.sentence)

    @property
    def sentence(self) -> Sentence:
        """It in words."""
        table = str(self.relation) if self.relation.schema else self.relation.name
        if self.what == "relation":
            return says("%(table)s is dropped", table=table)
        if self.what == "constraint":
            return says("constraint %(name)s of %(table)s is dropped", name=self.name, table=table)
        if self.what == "type":
            return says("%(table)s.%(column)s gets another type", table=table, column=self.name)
        return says("%(table)s.%(column)s is dropped", table=table, column=self.name)


class Renaming(NamedTuple):
    """A new name of a relation or, if ``column`` is not empty, of one of its columns."""

    relation: ViewName
    new: ViewName
    column: str = ""
    new_column: str = ""


@dataclass
class Script:
    """What some SQL does, as far as views are concerned.

    Attributes:
        changes: whether PostgreSQL may refuse it because of a view.
        may_cascade: whether it may drop views without saying so.
        alterations: what it takes from relations.
        renamings: the new names that it gives.
        dropped_views: the views that it drops by name.
        views: the views that it creates, replaces or alters.
        defines_views: whether it creates or replaces some of these.
        locked: the relations that it locks readers out of.
        read_only: the relations that it locks writers out of.
        ends_transaction: the word by which it begins or ends a transaction; "" if it does not.
        runs_alone: the words of a statement that PostgreSQL runs in no transaction; "" if there is none.
    """

    changes: bool = False
    may_cascade: bool = False
    alterations: list[Alteration] = field(default_factory=list)
    renamings: list[Renaming] = field(default_factory=list)
    dropped_views: list[ViewName] = field(default_factory=list)
    views: list[ViewName] = field(default_factory=list)
    defines_views: bool = False
    locked: list[ViewName] = field(default_factory=list)
    read_only: list[ViewName] = field(default_factory=list)
    ends_transaction: str = ""
    runs_alone: str = ""


def read_script(sql: str) -> Script:
    """Read one or several statements."""
    found = Script()
    if not _ONE_OF_ROWS.match(sql) and _MAY_CHANGE.search(sql):
        for statement in _statements(sql):
            _Reader(statement, found).read()
    return found


def _statements(sql: str) -> Iterator[list[Token]]:
    statement: list[Token] = []
    for token in tokenize(sql):
        if token.text == ";":
            if statement:
                yield statement
            statement = []
        elif not token.is_blank:
            statement.append(token)
    if statement:
        yield statement


class _Reader:
    """Reads one statement, token by token, and notes what it finds."""

    def __init__(self, tokens: Sequence[Token], found: Script) -> None:
        self.tokens, self.found, self.at = tokens, found, 0

    def read(self) -> None:
        first = self._peek()
        found = self.found
        if first in _CHANGES:
            found.changes = True
        if first in {"do", "call"} or any(token.text.lower() == "cascade" for token in self.tokens):
            found.may_cascade = True
        is_end = first in _ENDS and not self._has("to")  # ROLLBACK TO ends no transaction
        if is_end or first == "begin" or any(self._starts(word, "transaction") for word in _BEGINS):
            found.ends_transaction = found.ends_transaction or first.upper()
        if any(self._starts(*words) for words in _ALONE):
            found.runs_alone = " ".join(token.text for token in self.tokens[:2]).upper()
        elif first in {"create", "drop", "reindex", "alter"} and self._has("concurrently"):
            found.runs_alone = f"{first.upper()} … CONCURRENTLY"
        if first == "alter":
            self._alter()
        elif first == "drop":
            self._drop()
        elif first == "create":
            self._create()

    def _alter(self) -> None:
        kind = self._kind()
        if kind not in {"table", "view"}:
            return
        self._skip("if", "exists")
        self._skip("only")
        relation = self._name()
        if relation is None:
            return
        self._skip("*")
        self.found.locked.append(relation)
        if kind == "view":
            self.found.views.append(relation)
        for action in self._actions():
            self._action(relation, action)

    def _kind(self) -> str:
        """Take the verb and the kind of object that follows it; return the kind."""
        self._take()
        for word in ("foreign", "materialized"):
            self._skip(word)
        return self._take()

    def _action(self, relation: ViewName, tokens: Sequence[Token]) -> None:
        action = _Reader(tokens, self.found)
        verb = action._take()
        if verb == "alter":
            action._skip("column")
            column = action._identifier()
            action._skip("set", "data")
            if column is not None and action._peek() == "type":
                self.found.alterations.append(Alteration(relation, "type", column))
        elif verb == "drop":
            what: What = "constraint" if action._peek() == "constraint" else "column"
            action._skip(what)
            action._skip("if", "exists")
            if (name := action._identifier()) is not None:
                self.found.alterations.append(Alteration(relation, what, name))
        elif verb == "rename":
            action._renamed(relation)
        elif verb == "set" and action._peek() == "schema":
            action._take()
            if (schema := action._identifier()) is not None:
                self.found.renamings.append(Renaming(relation, ViewName(schema, relation.name)))
        elif verb == "add":
            self.found.read_only += action._referenced()

    def _renamed(self, relation: ViewName) -> None:
        if self._peek() == "to":
            self._take()
            if (name := self._identifier()) is not None:
                self.found.renamings.append(Renaming(relation, ViewName(relation.schema, name)))
        elif self._peek() != "constraint":
            self._skip("column")
            old = self._identifier()
            self._skip("to")
            new = self._identifier()
            if old is not None and new is not None:
                self.found.renamings.append(Renaming(relation, relation, old, new))

    def _drop(self) -> None:
        kind = self._kind()
        if kind not in {"table", "view"}:
            return
        self._skip("concurrently")
        self._skip("if", "exists")
        while (relation := self._name()) is not None:
            self.found.alterations.append(Alteration(relation, "relation"))
            self.found.locked.append(relation)
            if kind == "view":
                self.found.dropped_views.append(relation)
            if self._peek() != ",":
                break
            self._take()

    def _create(self) -> None:
        words = [token.text.lower() for token in self.tokens]
        if "view" in words[:6] and "as" in words:
            self.at = words.index("view") + 1
            self._skip("if", "not", "exists")
            if (relation := self._name()) is not None:
                self.found.views.append(relation)
                self.found.changes = self.found.defines_views = True
            return
        if "index" in words[:3] and "on" in words:
            self.at = words.index("on") + 1
            self._skip("only")
            if (relation := self._name()) is not None:
                self.found.read_only.append(relation)
        elif "table" in words[:4]:
            self.found.read_only += self._referenced()

    def _referenced(self) -> list[ViewName]:
        """Return the relations of foreign keys. A new constraint locks writers out of them."""
        found = []
        while self.at < len(self.tokens):
            if self._take() == "references" and (relation := self._name()) is not None:
                found.append(relation)
        return found

    def _actions(self) -> Iterator[list[Token]]:
        """Yield the actions of ALTER TABLE, which commas separate."""
        action: list[Token] = []
        depth = 0
        for token in self.tokens[self.at :]:
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
            if token.text == "," and not depth:
                yield action
                action = []
            else:
                action.append(token)
        if action:
            yield action

    def _peek(self) -> str:
        return self.tokens[self.at].text.lower() if self.at < len(self.tokens) else ""

    def _take(self) -> str:
        word = self._peek()
        self.at += 1
        return word

    def _skip(self, *words: str) -> None:
        """Skip some words, if they follow."""
        following = [token.text.lower() for token in self.tokens[self.at : self.at + len(words)]]
        if following == list(words):
            self.at += len(words)

    def _starts(self, *words: str) -> bool:
        return [token.text.lower() for token in self.tokens[: len(words)]] == list(words)

    def _has(self, word: str) -> bool:
        return any(token.text.lower() == word for token in self.tokens)

    def _identifier(self) -> str | None:
        if self.at < len(self.tokens) and self.tokens[self.at].kind == "identifier":
            self.at += 1
            return self.tokens[self.at - 1].identifier
        return None

    def _name(self) -> ViewName | None:
        """Return the name of a relation that follows, with its schema if it has one."""
        first = self._identifier()
        if first is None:
            return None
        if self._peek() != ".":
            return ViewName("", first)
        self.at += 1
        second = self._identifier()
        return ViewName(first, second) if second is not None else None
