"""SQL for people: formatted, highlighted, and compared line by line."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import sqlparse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PostgresLexer
from sqlparse.exceptions import SQLParseError

from orm_views_core.sql.lexer import tokenize

#: Longer statements (in characters) are not formatted, because sqlparse would take seconds.
FORMAT_LIMIT = 30_000
#: Longer statements are not highlighted.
_HIGHLIGHT_LIMIT = 200_000


@dataclass(frozen=True)
class DiffLine:
    """A line of a unified diff; ``kind`` is "added", "removed", "same" or "gap" (between two hunks)."""

    kind: str
    sign: str
    text: str


def format_sql(sql: str) -> str:
    """Return a statement with indentation.

    It stays as it is if it is too long or too deeply nested, or if sqlparse would change what it means.
    """
    sql = sql.strip()
    if len(sql) > FORMAT_LIMIT:
        return sql
    try:
        formatted = sqlparse.format(sql, reindent=True).strip()
    except (SQLParseError, RecursionError):
        return sql
    return formatted if _meaning(formatted) == _meaning(sql) else sql


def _meaning(sql: str) -> list[str]:
    """Return what PostgreSQL reads: the tokens, and the line ends over which a string goes on."""
    meaning: list[str] = []
    space = ""
    for token in tokenize(sql):
        if token.is_blank:
            space += token.text
            continue
        if token.kind == "string" and meaning and meaning[-1].endswith("'") and "\n" in space:
            meaning.append("\n")
        meaning.append(token.text)
        space = ""
    return meaning


def highlight_sql(sql: str) -> SafeString:
    """Return SQL as HTML whose only markup is ``<span class="hl-…">``."""
    if len(sql) > _HIGHLIGHT_LIMIT:
        return escape(sql)
    lexer = PostgresLexer(stripnl=False, ensurenl=False)
    return mark_safe(highlight(sql, lexer, HtmlFormatter(nowrap=True, classprefix="hl-")))  # noqa: S308 - Pygments escapes


def diff_lines(before: str, after: str) -> list[DiffLine]:
    """Return the unified diff of two texts without its headers; it is empty if they are equal."""
    lines: list[DiffLine] = []
    for line in list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3))[2:]:
        sign, text = line[:1], line[1:]
        if sign == "@":
            if lines:
                lines.append(DiffLine("gap", "", "⋯"))
            continue
        kind = {"+": "added", "-": "removed"}.get(sign, "same")
        lines.append(DiffLine(kind, {"-": "\N{MINUS SIGN}"}.get(sign, sign), text))
    return lines
