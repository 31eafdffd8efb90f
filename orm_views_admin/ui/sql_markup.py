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
#: The lines of a long text that are shown at once. The rest is unfolded by a click.
SHOWN_LINES = 40
#: A text with fewer lines than that beyond them is shown whole.
_FEW = 10


@dataclass(frozen=True)
class DiffLine:
    """A line of a unified diff; ``kind`` is "added", "removed", "same" or "gap" (between two hunks)."""

    kind: str
    sign: str
    text: str


class Folded(SafeString):
    """SQL as HTML, of which the beginning is shown at once.

    Attributes:
        first: the beginning.
        rest: what a click unfolds; "" if all is shown.
        more: how many lines that is.
    """

    first: SafeString
    rest: SafeString
    more: int


def fold(html: SafeString) -> Folded:
    """Divide highlighted SQL into the lines that are shown at once and the rest. No markup spans lines."""
    html = SafeString(html.removesuffix("\n"))
    lines = html.split("\n")
    shown = SHOWN_LINES if len(lines) > SHOWN_LINES + _FEW else len(lines)
    folded = Folded(html)
    folded.first, folded.rest = (mark_safe("\n".join(part)) for part in (lines[:shown], lines[shown:]))  # noqa: S308 - parts of HTML
    folded.more = len(lines) - shown
    return folded


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


def highlight_sql(sql: str) -> Folded:
    """Return SQL as HTML whose only markup is ``<span class="hl-…">``. What is long is folded."""
    if len(sql) > _HIGHLIGHT_LIMIT:
        return fold(escape(sql))
    lexer = PostgresLexer(stripnl=False, ensurenl=False)
    return fold(mark_safe(highlight(sql, lexer, HtmlFormatter(nowrap=True, classprefix="hl-"))))  # noqa: S308 - Pygments escapes


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
