"""SQL as people read it: laid out, highlighted by classes, compared line by line. Pure."""

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

#: Above this, sqlparse takes seconds; what nobody can read is shown as it was written.
FORMAT_LIMIT = 30_000
_HIGHLIGHT_LIMIT = 200_000


@dataclass(frozen=True)
class DiffLine:
    """A line of a unified difference; ``kind`` is "added", "removed", "same" or "gap"."""

    kind: str
    sign: str
    text: str


def format_sql(sql: str) -> str:
    """Lay out a statement; one that is too long or too deep is returned as it was written."""
    sql = sql.strip()
    if len(sql) > FORMAT_LIMIT:
        return sql
    try:
        return sqlparse.format(sql, reindent=True).strip()
    except (SQLParseError, RecursionError):
        return sql


def highlight_sql(sql: str) -> SafeString:
    """Return SQL as HTML whose only markup is ``<span class="hl-…">``."""
    if len(sql) > _HIGHLIGHT_LIMIT:
        return escape(sql)
    lexer = PostgresLexer(stripnl=False, ensurenl=False)
    return mark_safe(highlight(sql, lexer, HtmlFormatter(nowrap=True, classprefix="hl-")))  # noqa: S308 - Pygments escapes


def diff_lines(before: str, after: str) -> list[DiffLine]:
    """Return the unified difference of two texts; nothing when they are the same."""
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
