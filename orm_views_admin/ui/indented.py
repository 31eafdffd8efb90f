"""JSON and arrays with a line for each item.

Only blanks outside of strings change. Nothing is parsed into Python's values: they would round numbers, and
deep nesting would be too much for them.
"""

from __future__ import annotations

import re

#: Values that are nested deeper are shown as they are: their indentation would be longer than they are.
DEEPEST = 20
_INDENT = "  "
_BOUNDS = re.compile(r"(?:\[-?\d+:-?\d+\])+=")
_TOKEN = re.compile(
    r"""
    (?P<word> "(?:[^"\\]|\\.)*"? | \([^()]*\)? | \{\s*\} | \[\s*\] | [^\s"(){}\[\],:]+ | [):] )
  | (?P<open> [{\[] ) | (?P<close> [}\]] ) | (?P<comma> , ) | (?P<blank> \s+ )
""",
    re.VERBOSE | re.DOTALL,
)


def indent_json(text: str) -> str:
    """Return JSON, or the beginning of it, indented."""
    return _indent(text, is_json=True)


def indent_array(text: str) -> str:
    """Return an array as PostgreSQL writes it, or the beginning of one, indented."""
    bounds = _BOUNDS.match(text)
    start = bounds.end() if bounds else 0
    return text[:start] + _indent(text[start:], is_json=False)


def _indent(text: str, *, is_json: bool) -> str:
    parts: list[str] = []
    depth = 0
    for token in _TOKEN.finditer(text):
        kind, found = token.lastgroup, token[0]
        if kind == "open":
            depth += 1
            if depth > DEEPEST:
                return text
            parts += (found, "\n", _INDENT * depth)
        elif kind == "close":
            depth = max(0, depth - 1)
            parts += ("\n", _INDENT * depth, found)
        elif kind == "comma":
            parts += (found, "\n", _INDENT * depth)
        elif kind == "word":
            parts.append(": " if is_json and found == ":" else found)
        elif not is_json:
            parts.append(found)
    return "".join(parts)
