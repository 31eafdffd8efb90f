"""The texts of views: what a sync sends, and what MariaDB stores of it.

MariaDB stores a SELECT in a form of its own. Names have backticks and tables have their database, ``*`` is
written out, and ``sql_mode`` has no effect on it.
https://mariadb.com/kb/en/information-schema-views-table/
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from orm_views_core.database.relations import recorded_fingerprint, stored_fingerprint
from orm_views_core.definitions.definition import ViewDefinition
from orm_views_core.names import ViewKind
from orm_views_core.spelling.flat import flat_name
from orm_views_core.spelling.mariadb import quoted
from orm_views_core.sql.lexer import Token, tokenize
from orm_views_core.sql.references import unqualified_relations
from orm_views_core.sql.rules import MARIADB_RULES

_CHECK = re.compile(r"\nWITH (LOCAL|CASCADED) CHECK OPTION\Z")
#: MariaDB's word for the values of an option that a class may set.
_SECURITY = {"true": "INVOKER", "false": "DEFINER"}


class Local(NamedTuple):
    """A stored SELECT without the name of its database.

    Attributes:
        sql: the SELECT.
        reads: the tables and views of the database that it reads.
        calls: what looks like functions of users: the database and the name, in small letters.
    """

    sql: str
    reads: frozenset[str]
    calls: frozenset[tuple[str, str]]


def create_statement(definition: ViewDefinition, sql: str = "", name: str = "") -> str:
    """Return the statement that creates or replaces a view.

    Args:
        definition: what its class declares.
        sql: another SELECT.
        name: another name for it.
    """
    options = dict(definition.options)
    security = (
        f"SQL SECURITY {_SECURITY[options['security_invoker']]} " if "security_invoker" in options else ""
    )
    columns = f" ({', '.join(map(quoted, definition.columns))})" if definition.columns else ""
    check = f"\nWITH {options['check_option'].upper()} CHECK OPTION" if "check_option" in options else ""
    name = name or flat_name(definition.name)
    return f"CREATE OR REPLACE {security}VIEW {quoted(name)}{columns} AS\n{sql or definition.sql}{check}"


def stored_statement(name: str, select: str, algorithm: str, security: str, check: str) -> str:
    """Return a statement that would create a view as it is stored. What is as usual is left out."""
    algorithm = "" if algorithm in ("", "UNDEFINED") else f"ALGORITHM={algorithm} "
    security = "" if security == "DEFINER" else f"SQL SECURITY {security} "
    check = "" if check == "NONE" else f"\nWITH {check} CHECK OPTION"
    return f"CREATE {algorithm}{security}VIEW {quoted(name)} AS\n{select}{check}"


def select_of(statement: str) -> str:
    """Return the SELECT of a stored statement."""
    return _CHECK.sub("", statement.partition(" AS\n")[2])


def rule_of(statement: str) -> str:
    """Return a hash of a stored statement."""
    return hashlib.sha256(statement.encode(errors="surrogatepass")).hexdigest()[:16]


def fingerprint_of(statement: str) -> str:
    """Return what a sync state records of a stored statement."""
    return recorded_fingerprint(stored_fingerprint(ViewKind.VIEW, rule_of(statement), (), ()), 0, 0)


def without_database(select: str, database: str) -> Local:
    """Return a stored SELECT as it is in any database, so that a dump can be restored into another one.

    A stored SELECT names every table of FROM as ``database.table``.
    """
    tokens = list(tokenize(select, MARIADB_RULES))
    places = [i for i, token in enumerate(tokens) if _is_name(token, database)]
    # An alias may be called like the database. Then "database.name" may be one of its columns.
    is_alias = any(not _is(tokens, i + 1, ".") and not _is(tokens, i - 1, ".") for i in places)
    reads, left_out = set(), set()
    for i in places:
        if _is(tokens, i - 1, ".") or not _is(tokens, i + 1, ".") or i + 2 >= len(tokens):
            continue
        if not (_is(tokens, i + 3, ".") or _is(tokens, i + 3, "(")):  # a column, or a function
            reads.add(tokens[i + 2].identifier)
        if not is_alias:
            left_out |= {i, i + 1}
    sql = "".join(token.text for i, token in enumerate(tokens) if i not in left_out)
    return Local(sql, frozenset(reads), frozenset(_calls(tokens, database)))


def _calls(tokens: Sequence[Token], database: str) -> Iterator[tuple[str, str]]:
    """Yield what looks like a function of a user: only these have backticks in a stored SELECT."""
    for i, token in enumerate(tokens):
        if token.text.startswith("`") and _is(tokens, i + 1, "("):
            schema = tokens[i - 2].identifier if i > 1 and _is(tokens, i - 1, ".") else database
            yield schema.lower(), token.identifier.lower()


def renamed(sql: str, names: Mapping[str, str], database: str) -> str:
    """Return the SELECT of a class with other names for some views that it reads.

    A name keeps its quotes or the lack of them, because MariaDB makes names of columns of the text.

    Args:
        sql: the SELECT.
        names: the new name of each view. It needs no quotes.
        database: the database of the views. The SELECT may name it.
    """
    if not names:
        return sql
    read = unqualified_relations(sql, MARIADB_RULES)
    tokens = list(tokenize(sql, MARIADB_RULES))
    seen = [token for token in tokens if not token.is_blank]
    places = {token.start: i for i, token in enumerate(seen)}
    pieces = []
    for token in tokens:
        name = _name(token)
        if name in names:
            i = places[token.start]
            follows = _is(seen, i - 1, ".")
            is_read = name in read or name.lower() in read
            is_ours = i > 1 and _is_name(seen[i - 2], database) if follows else is_read
            if is_ours:
                new = names[name]
                pieces.append(quoted(new) if token.text.startswith("`") else new)
                continue
        pieces.append(token.text)
    return "".join(pieces)


def _name(token: Token) -> str:
    """Return the name that a token is, with its capitals: those of a table may count; "" if it is none."""
    if token.kind != "identifier":
        return ""
    return token.identifier if token.text.startswith("`") else token.text


def _is_name(token: Token, name: str) -> bool:
    return _name(token) == name


def _is(tokens: Sequence[Token], i: int, text: str) -> bool:
    return 0 <= i < len(tokens) and tokens[i].text == text
