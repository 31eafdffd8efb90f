"""Finds the views that an SQL text refers to, and moves these references to another schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from orm_views_core.names import ViewName, quote_identifier

from .lexer import Token, tokenize
from .rules import POSTGRESQL_RULES, Rules

_WORD = re.compile(r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*")
_AFTER_FROM = frozenset(
    {"where", "group", "having", "order", "window", "limit", "offset", "fetch", "for"}
    | {"union", "intersect", "except", "values"}
)
#: What may follow a relation that has no alias.
_NO_ALIAS = _AFTER_FROM | {
    *("on", "using", "join", "inner", "left", "right", "full", "cross", "natural", "straight_join"),
    *("tablesample", "indexed", "not", "use", "force", "ignore", "partition"),
}


class Reference(NamedTuple):
    """A reference ``schema.name``.

    Attributes:
        start: where the schema's token starts.
        end: where it ends.
        name_end: where the name's token ends.
    """

    target: ViewName
    start: int
    end: int
    name_end: int


def qualified_references(
    sql: str, schemas: Collection[str], rules: Rules = POSTGRESQL_RULES
) -> Iterator[Reference]:
    """Yield every qualified reference to a relation in one of these schemas."""
    # Most views read only tables. One search per schema avoids the lexer for them.
    folded = sql.lower()
    if not any(schema.lower().replace('"', '""') in folded for schema in schemas) and 'u&"' not in folded:
        return
    tokens = [token for token in tokenize(sql, rules) if not token.is_blank]
    relations = {place.start for place in _relation_places(tokens)}
    # A name that is also used unqualified is a table or an alias too: "views.id" may be its column.
    used_alone = {token.identifier for i, token in enumerate(tokens) if not _is(tokens, i + 1, ".")}
    for i, parts in _dotted_names(tokens):
        behind = i + 2 * len(parts) - 1
        if _is(tokens, behind, "("):
            continue  # a function
        if i in relations:
            at = len(parts) - 2  # schema.name, or database.schema.name
        elif len(parts) > 2 or _is(tokens, behind, "."):
            at = len(parts) - 3 if len(parts) > 2 else 0  # schema.name.column, schema.name.*
        else:
            # A row type, or "a.b" where "a" is no table or alias, so that it must be a schema.
            at = 0 if _is(tokens, i - 1, ":") or parts[0].identifier not in used_alone else -1
        if 0 <= at < len(parts) - 1 and parts[at].identifier in schemas:
            target = ViewName(parts[at].identifier, parts[at + 1].identifier)
            yield Reference(target, parts[at].start, parts[at].end, parts[at + 1].end)


def _is(tokens: list[Token], i: int, text: str) -> bool:
    return 0 <= i < len(tokens) and tokens[i].text == text


def _dotted_names(tokens: list[Token]) -> Iterator[tuple[int, list[Token]]]:
    """Yield every name with two or more parts, and the index of its first token."""
    for i, token in enumerate(tokens):
        if token.kind != "identifier" or not _is(tokens, i + 1, ".") or _is(tokens, i - 1, "."):
            continue
        parts, last = [token], i
        while _is(tokens, last + 1, ".") and last + 2 < len(tokens) and tokens[last + 2].kind == "identifier":
            last += 2
            parts.append(tokens[last])
        if len(parts) > 1:
            yield i, parts


def without_alias(sql: str, rules: Rules = POSTGRESQL_RULES) -> frozenset[int]:
    """Return where qualified relations end that have no alias, although their names qualify columns."""
    tokens = [token for token in tokenize(sql, rules) if not token.is_blank]
    dotted = dict(_dotted_names(tokens))
    qualifiers = {t.identifier for i, t in enumerate(tokens) if _is(tokens, i + 1, ".")}
    found = []
    for place in _relation_places(tokens):
        parts = dotted.get(place.start, [])
        behind = tokens[place.start + 2 * len(parts) - 1 :][:1]
        has_alias = any(t.kind == "identifier" and t.text.lower() not in _NO_ALIAS for t in behind)
        if parts and parts[-1].identifier in qualifiers and not has_alias:
            found.append(parts[-1].end)
    return frozenset(found)


class _Place(NamedTuple):
    """The index of a relation's first token. ``is_local``: a common table expression has that name."""

    start: int
    is_local: bool


@dataclass
class _Level:
    """The state inside one pair of parentheses."""

    selects: bool = False
    in_from: bool = False
    in_with: bool = False
    recursive: bool = False
    named: str = ""
    expressions: set[str] = field(default_factory=set)

    def finish_expression(self) -> None:
        if self.named:
            self.expressions.add(self.named)
            self.named = ""


def _relation_places(tokens: list[Token]) -> Iterator[_Place]:
    """Yield the places of relations: after FROM, JOIN and TABLE, and between the commas of a FROM list."""
    levels, expected = [_Level()], False
    for i, token in enumerate(tokens):
        level, before = levels[-1], tokens[i - 1].text.lower() if i else ""
        word = token.text.lower() if token.kind == "identifier" and before != "." else ""
        if token.text == "(":
            levels.append(_Level(in_from=expected))
        elif token.text == ")":
            levels = levels[:-1] or [_Level()]
            expected = False
        elif token.text == ",":
            level.finish_expression()
            expected = level.in_from
        elif word == "with" and not level.selects:
            level.in_with, expected = True, False
        elif word == "select":
            level.finish_expression()
            level.selects, level.in_from, level.in_with, expected = True, False, False, False
        elif word == "from":
            compares = before == "distinct" and i > 1 and tokens[i - 2].text.lower() in {"is", "not"}
            expected = level.selects and not compares
            level.in_from = level.in_from or expected
        elif word == "table":
            level.finish_expression()
            level.in_with, expected = False, True
        elif word in {"join", "straight_join"}:  # MariaDB has both
            expected = level.in_from
        elif word in _AFTER_FROM:
            level.finish_expression()
            level.in_from, expected = False, False
        elif word == "recursive" and before == "with":
            level.recursive = True
        elif word and level.in_with and before in {"with", "recursive", ","}:
            level.named = token.identifier
            if level.recursive:
                level.finish_expression()
        elif not (expected and word in {"only", "lateral"}):
            if expected and token.kind == "identifier":
                yield _Place(i, any(token.identifier in level.expressions for level in levels))
            expected = False


def find_references(
    sql: str,
    names: Collection[ViewName],
    *,
    search_path: Collection[str] = (),
    reader: ViewName | None = None,
) -> frozenset[ViewName]:
    """Return those of ``names`` that an SQL text reads.

    Args:
        sql: a SELECT.
        names: the views to look for.
        search_path: the schemas in which PostgreSQL looks up unqualified names. An unqualified name counts as
            a reference to a view in one of them, even if PostgreSQL would find a table first: the result is
            used only for the order of creation.
        reader: the view of the SELECT. Its own unqualified name refers to a table.
    """
    schemas, reachable, words, phrases = _lookup(frozenset(names), tuple(search_path))
    references = {r.target for r in qualified_references(sql, schemas) if r.target in names}
    if reachable and _mentions(sql, words, phrases):
        references |= {name for name in _unqualified_references(sql, reachable) if name != reader}
    return frozenset(references)


class _Lookup(NamedTuple):
    """What to look for in an SQL text.

    Attributes:
        schemas: the schemas of the views.
        reachable: the views by their unqualified names.
        words: these names in lower case, if they can be written without quotes.
        phrases: the other names in lower case, as they are written between quotes.
    """

    schemas: frozenset[str]
    reachable: dict[str, ViewName]
    words: frozenset[str]
    phrases: tuple[str, ...]


@lru_cache(maxsize=4)  # a sync looks for the same names in each view
def _lookup(names: frozenset[ViewName], search_path: tuple[str, ...]) -> _Lookup:
    position = {schema: i for i, schema in enumerate(search_path)}
    inside = sorted((n for n in names if n.schema in position), key=lambda n: -position[n.schema])
    reachable = {n.name: n for n in inside}  # the first schema of the path comes last and takes precedence
    folded = [name.lower() for name in reachable]
    words = frozenset(name for name in folded if _WORD.fullmatch(name))
    phrases = tuple(name.replace('"', '""') for name in folded if name not in words)
    return _Lookup(frozenset(n.schema for n in names), reachable, words, phrases)


def _mentions(sql: str, words: frozenset[str], phrases: Collection[str]) -> bool:
    """Return whether a name occurs anywhere in a text, even in strings and comments. This avoids the lexer.

    A quote ends a word, so that quoted names are found too.
    """
    folded = sql.lower()
    if 'u&"' in folded:  # escapes can write any name
        return True
    return not words.isdisjoint(_WORD.findall(folded)) or any(phrase in folded for phrase in phrases)


def _unqualified_references(sql: str, reachable: Mapping[str, ViewName]) -> set[ViewName]:
    return {reachable[name] for name in unqualified_relations(sql) if name in reachable}


def unqualified_relations(sql: str, rules: Rules = POSTGRESQL_RULES) -> frozenset[str]:
    """Return the names of the relations that a SELECT reads without naming their schemas."""
    tokens = [token for token in tokenize(sql, rules) if not token.is_blank]
    return frozenset(
        tokens[i].identifier
        for i, is_local in _relation_places(tokens)
        if not is_local and not (_is(tokens, i + 1, ".") or _is(tokens, i + 1, "("))
    )


def unqualified_functions(sql: str) -> frozenset[str]:
    """Return the names before a parenthesis that follow no schema, those of functions among them."""
    tokens = [token for token in tokenize(sql) if not token.is_blank]
    return frozenset(
        token.identifier
        for i, token in enumerate(tokens)
        if token.kind == "identifier" and _is(tokens, i + 1, "(") and not _is(tokens, i - 1, ".")
    )


def unqualified_types(sql: str) -> frozenset[str]:
    """Return the types without a schema that a SELECT casts to."""
    tokens = [token for token in tokenize(sql) if not token.is_blank]
    casts: list[bool] = []  # for each open parenthesis, whether it is that of CAST (… AS …)
    found = set()
    for i, token in enumerate(tokens):
        if token.text == "(":
            casts.append(i > 0 and tokens[i - 1].text.lower() == "cast")
        elif token.text == ")" and casts:
            casts.pop()
        elif token.kind == "identifier" and i and not _is(tokens, i + 1, "."):
            before = tokens[i - 1].text.lower()
            if before == ":" or (before == "as" and casts and casts[-1]):
                found.add(token.identifier)
    return frozenset(found)


def move_references(sql: str, schemas: Mapping[ViewName, str]) -> str:
    """Return the text with some qualified references changed to other schemas.

    Args:
        sql: a SELECT.
        schemas: the new schema by view.
    """
    pieces, position = [], 0
    for reference in qualified_references(sql, {name.schema for name in schemas}):
        if reference.target in schemas:
            pieces += [sql[position : reference.start], quote_identifier(schemas[reference.target])]
            position = reference.end
    return "".join([*pieces, sql[position:]])
