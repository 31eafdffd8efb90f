"""The lexical rules of the engines: how SQL text is split into tokens.

https://www.postgresql.org/docs/current/sql-syntax-lexical.html
https://www.sqlite.org/draft/tokenreq.html
https://mariadb.com/kb/en/language-structure/
"""

from __future__ import annotations

import re
from typing import NamedTuple

_WORD = r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*"
_REST = r"""
  | (?P<space> \s+ )
  | (?P<other> \d[\w.]* | \$\d+ | . )
"""


class Rules(NamedTuple):
    """How an engine splits SQL into tokens.

    Attributes:
        token: matches one token; its groups are the kinds of tokens. Of a block comment, it matches ``/*``.
        nests_comments: whether a block comment can have others in it.
    """

    token: re.Pattern[str]
    nests_comments: bool


def _rules(tokens: str, *, nests_comments: bool = False) -> Rules:
    return Rules(re.compile(tokens + _REST, re.VERBOSE | re.DOTALL), nests_comments)


POSTGRESQL_RULES = _rules(
    rf"""
    (?P<comment> --[^\n\r]* | /\* )
  | (?P<string>
        [eE]'(?: [^'\\] | \\. | '' )*'
      | (?: [bBxXnN] | [uU]& )? '(?: [^'] | '' )*'
      | \$(?P<tag> (?: [A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]* )? )\$ .*? \$(?P=tag)\$
    )
  | (?P<identifier>
        (?:[uU]&)? "(?: [^"] | "" )+"
      | {_WORD}
    )""",
    nests_comments=True,
)
#: SQLite takes the quotes of other engines for names too.
SQLITE_RULES = _rules(
    rf"""
    (?P<comment> --[^\n]* | /\* )
  | (?P<string> [xX]? '(?: [^'] | '' )*' )
  | (?P<identifier> "(?: [^"] | "" )+" | `(?: [^`] | `` )+` | \[ [^\]]+ \] | {_WORD} )"""
)
#: A text in double quotes is a string, unless ``sql_mode`` has ANSI_QUOTES, which Django does not set.
MARIADB_RULES = _rules(
    rf"""
    (?P<comment> \# [^\n]* | --(?= \s | \Z )[^\n]* | /\* )
  | (?P<string>
        [bBxXnN]? '(?: [^'\\] | \\. | '' )*'
      | "(?: [^"\\] | \\. | "" )*"
    )
  | (?P<identifier> `(?: [^`] | `` )+` | {_WORD} )"""
)
