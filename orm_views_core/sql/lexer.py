"""Splits SQL text into tokens by an engine's lexical rules, to tell names from strings and comments.

sqlparse cannot be used. It treats the backslash in ``'\\'`` as an escape, which standard strings do not have,
and ends a nested comment at its first ``*/``. References could be missed. It is also about 30 times slower.
https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from .rules import POSTGRESQL_RULES, Rules

TokenKind = Literal["identifier", "string", "comment", "space", "other"]

_UNICODE_ESCAPE = re.compile(r"\\(?:\\|\+((?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})|([0-9a-fA-F]{4}))")
# In multi-byte encodings, PostgreSQL folds only these letters, independent of the locale.
_FOLD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_COMMENT_EDGE = re.compile(r"/\*|\*/")
#: What names are put between, and doubled in them. The backtick is that of SQLite and MariaDB.
_QUOTES = frozenset('"`')
# A star that has_star() finds comes right after one of these, if there is no comment between them.
_BEFORE_STAR = ("select", "distinct", "all", ",", ".", ")")
_CERTAIN_STAR = re.compile(r"select\s*\*", re.IGNORECASE)


class Token(NamedTuple):
    """A token. ``start`` and ``end`` are its offsets in the SQL text."""

    kind: TokenKind
    text: str
    start: int
    end: int

    @property
    def is_blank(self) -> bool:
        """Whether it is white space or a comment."""
        return self.kind in {"space", "comment"}

    @property
    def identifier(self) -> str:
        """The name as in the catalogs: without quotes, or folded to lower case."""
        quote = self.text[0]
        if quote == "[":  # it ends at the first "]"
            return self.text[1:-1]
        if quote in _QUOTES:
            return self.text[1:-1].replace(quote * 2, quote)
        if self.text.endswith('"'):
            return _UNICODE_ESCAPE.sub(_unescape, self.text[3:-1].replace('""', '"'))
        return self.text.lower() if self.text.isascii() else self.text.translate(_FOLD)


def _unescape(escape: re.Match[str]) -> str:
    """Return the character of an escape in ``U&"..."``. UESCAPE is not supported."""
    digits = escape[1] or escape[2]
    return chr(int(digits, 16)) if digits else "\\"


def tokenize(sql: str, rules: Rules = POSTGRESQL_RULES) -> Iterator[Token]:
    """Split SQL text into tokens. Joined together, they are the text again."""
    position = 0
    while position < len(sql):
        match = rules.token.match(sql, position)
        assert match is not None  # "." matches any other character
        end = match.end()
        if match.group() == "/*":
            end = _end_of_block_comment(sql, end, nests=rules.nests_comments)
        yield Token(match.lastgroup, sql[position:end], position, end)  # type: ignore[arg-type]
        position = end


def _end_of_block_comment(sql: str, position: int, *, nests: bool) -> int:
    depth = 1
    while depth:
        edge = _COMMENT_EDGE.search(sql, position)
        if edge is None:
            return len(sql)
        if edge.group() == "*/":
            depth -= 1
        elif nests:
            depth += 1
        position = edge.end()
    return position


def strip_statement(sql: str, rules: Rules = POSTGRESQL_RULES) -> tuple[str, bool]:
    """Return the first statement without its semicolon, and whether another statement follows."""
    if ";" not in sql:
        return sql.strip(), False
    end: int | None = None
    for token in tokenize(sql, rules):
        if end is None and token.text == ";":
            end = token.start
        elif end is not None and not token.is_blank and token.text != ";":
            return sql[:end].strip(), True
    return sql[:end].strip(), False


def _may_have_star(sql: str) -> bool:
    """Return False if the text certainly has no star that ``has_star()`` looks for. This avoids the lexer."""
    if "/*" in sql or "--" in sql:
        return True
    return any(before.rstrip()[-8:].lower().endswith(_BEFORE_STAR) for before in sql.split("*")[:-1])


def has_star(sql: str) -> bool:
    """Return whether a SELECT has ``*`` or ``loans.*`` as a column; ``count(*)`` does not count."""
    if "*" not in sql or not _may_have_star(sql):
        return False
    if _CERTAIN_STAR.match(sql):
        return True
    tokens = [token.text.lower() for token in tokenize(sql) if not token.is_blank]
    for i, text in enumerate(tokens):
        if text == "*" and i:
            behind = tokens[i + 1] if i + 1 < len(tokens) else ""
            after_brackets = tokens[i - 1] == ")" and behind in {"from", ","}  # DISTINCT ON (...) *
            if tokens[i - 1] in {"select", "distinct", "all", ",", "."} or after_brackets:
                return True
    return False
