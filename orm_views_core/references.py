"""Which views an SQL text refers to, and moving those references to another schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from .lexer import Token, tokenize
from .names import ViewName, quote_identifier

_WORD = re.compile(r"[^\W\d][\w$]*")
# A relation can only stand behind one of these; behind anything else "views.id" is the column of an alias.
_BEFORE_A_RELATION = frozenset({"from", "join", "only", "lateral", "table", ",", "("})


class Reference(NamedTuple):
    """``schema.name`` in a text; the offsets are those of the schema's token."""

    target: ViewName
    start: int
    end: int


def qualified_references(sql: str, schemas: Collection[str]) -> Iterator[Reference]:
    """Yield every reference to a relation of one of these schemas that names its schema."""
    # Most views read tables only: one search per schema spares them the lexer.
    folded = sql.lower()
    if not any(schema.lower().replace('"', '""') in folded for schema in schemas):
        return
    tokens = [token for token in tokenize(sql) if not token.is_blank]
    aliases = _names_used_bare(tokens, schemas)
    for i, token in enumerate(tokens[:-2]):
        if token.kind != "identifier" or tokens[i + 1].text != "." or tokens[i + 2].kind != "identifier":
            continue
        schema = token.identifier
        if schema not in schemas or (i and tokens[i - 1].text == "."):
            continue
        if schema in aliases and not _stands_for_a_relation(tokens, i):
            continue
        yield Reference(ViewName(schema, tokens[i + 2].identifier), token.start, token.end)


def _names_used_bare(tokens: list[Token], schemas: Collection[str]) -> set[str]:
    """Return the schema names that the text also uses alone: tables or aliases called the same."""
    return {
        token.identifier
        for i, token in enumerate(tokens)
        if token.kind == "identifier"
        and (i + 1 == len(tokens) or tokens[i + 1].text != ".")
        and (i == 0 or tokens[i - 1].text != ".")
        and token.identifier in schemas
    }


def _stands_for_a_relation(tokens: list[Token], i: int) -> bool:
    has_column = i + 3 < len(tokens) and tokens[i + 3].text == "."
    return has_column or (i > 0 and tokens[i - 1].text.lower() in _BEFORE_A_RELATION)


def find_references(
    sql: str, names: Collection[ViewName], *, search_path: Collection[str] = ()
) -> frozenset[ViewName]:
    """Return which of ``names`` an SQL text reads.

    Args:
        sql: a SELECT.
        names: the views to look for.
        search_path: the schemas in which PostgreSQL looks up an unqualified name. Such a name counts
            where it is that of a view in one of them, although it may be a column's: what is found here
            is an order to create in, and PostgreSQL has the last word.
    """
    found = {r.target for r in qualified_references(sql, {n.schema for n in names}) if r.target in names}
    reachable = {n.name: n for n in names if n.schema in search_path}
    if reachable and not reachable.keys().isdisjoint(_words(sql)):
        found |= _unqualified_references(sql, reachable)
    return frozenset(found)


def _words(sql: str) -> set[str]:
    return set(_WORD.findall(sql.lower())) | set(re.findall(r'"((?:[^"]|"")+)"', sql))


def _unqualified_references(sql: str, reachable: Mapping[str, ViewName]) -> set[ViewName]:
    tokens = [token for token in tokenize(sql) if not token.is_blank]
    return {
        reachable[token.identifier]
        for i, token in enumerate(tokens)
        if token.kind == "identifier"
        and token.identifier in reachable
        and i > 0
        and tokens[i - 1].text.lower() in _BEFORE_A_RELATION
    }


def move_references(sql: str, schemas: Mapping[ViewName, str]) -> str:
    """Return the text with the qualified references to some views moved to other schemas.

    Args:
        sql: a SELECT.
        schemas: for each view to move, the schema to look for it in.
    """
    pieces, position = [], 0
    for reference in qualified_references(sql, {name.schema for name in schemas}):
        if reference.target in schemas:
            pieces += [sql[position : reference.start], quote_identifier(schemas[reference.target])]
            position = reference.end
    return "".join([*pieces, sql[position:]])
