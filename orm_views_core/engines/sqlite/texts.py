"""The text of a view in ``sqlite_master``: its statement, and its name and sync state in a comment behind it.

SQLite keeps the text of CREATE VIEW as it was sent, with a comment at its end. So the sync state is committed
and dropped with its view, and is in every copy of the file. Whoever can write the file can write anything.
https://www.sqlite.org/schematab.html
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote

from orm_views_core.database.relations import recorded_fingerprint, stored_fingerprint
from orm_views_core.database.sync_state import SyncState
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewKind, ViewName, column_list
from orm_views_core.spelling.flat import flat_name
from orm_views_core.spelling.sqlite import SQLITE
from orm_views_core.sql.lexer import tokenize
from orm_views_core.sql.rules import SQLITE_RULES

_COMMENT = re.compile(
    r"\n/\* (?P<schema>[^\s.*/]*)\.(?P<name>[^\s.*/]+) (?P<state>\[orm_views [^\n\[\]]*\]) \*/\Z"
)
#: After these, a name in double quotes is a name.
_BEFORE_NAMES = frozenset({".", "as", "from", "join"})
#: SQLite takes these letters for the same, and no others.
_FOLD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


class ViewText(NamedTuple):
    """What the text of a view says.

    Attributes:
        statement: the statement without the comment.
        name: the name by which the comment calls it; None without a comment.
        state: its sync state; None without one, or when nothing that a sync writes is there.
    """

    statement: str
    name: ViewName | None = None
    state: SyncState | None = None

    @property
    def rule(self) -> str:
        """A hash of the statement."""
        return hashlib.sha256(self.statement.encode(errors="surrogatepass")).hexdigest()[:16]

    @property
    def fingerprint(self) -> str:
        """What a sync state records of it."""
        return recorded_fingerprint(stored_fingerprint(ViewKind.VIEW, self.rule, (), ()), 0, 0)


def folded(flat: str) -> str:
    """Return what SQLite compares of a name."""
    return flat.translate(_FOLD)


def create_statement(definition: ViewDefinition) -> str:
    """Return the statement that creates a view."""
    columns, select = column_list(definition.columns), with_names(definition.sql)
    return f"CREATE VIEW {SQLITE.place(definition.name)}{columns} AS\n{select}"


@lru_cache(maxsize=10_000)
def with_names(sql: str) -> str:
    """Return a SELECT in which names in double quotes are names.

    SQLite takes ``"code"`` for a string when there is no such column, so it would not find the mistake. It
    never does so with backticks. https://www.sqlite.org/quirks.html#dblquote
    """
    tokens = [token for token in tokenize(sql, SQLITE_RULES) if not token.is_blank]
    words = ["", *(token.text.lower() for token in tokens), ""]
    pieces, position = [], 0
    for token, before, behind in zip(tokens, words, words[2:], strict=False):
        is_certain = before in _BEFORE_NAMES or behind == "."
        if token.kind == "identifier" and token.text.startswith('"') and not is_certain:
            name = token.identifier.replace("`", "``")
            pieces += [sql[position : token.start], f"`{name}`"]
            position = token.end
    return "".join([*pieces, sql[position:]])


def with_state(statement: str, name: ViewName, state: SyncState) -> str:
    """Return a statement with the name of its view and its sync state. The line before may be a comment."""
    return f"{statement}\n/* {_quote(name.schema)}.{_quote(name.name)} {state.dump()} */"


def split_text(text: str, flat: str) -> ViewText:
    """Return what the text of a view says. A comment that names another view was written for that one.

    Args:
        text: the text.
        flat: the name of the view in the database.
    """
    match = _COMMENT.search(text)
    if match is None:
        return ViewText(text)
    try:
        state = SyncState.load(match["state"])
        name = ViewName(*(unquote(match[part], errors="strict") for part in ("schema", "name")))
    except (TypeError, ValueError):
        return ViewText(text)
    if folded(flat_name(name)) != folded(flat):
        return ViewText(text)
    return ViewText(text[: match.start()], name, state)


def _quote(name: str) -> str:
    return quote(name, safe="").replace(".", "%2E")
