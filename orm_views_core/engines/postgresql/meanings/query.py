"""Digests of a query: two that mean the same have the same. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from orm_views_core.engines.postgresql.rules.node_kinds import (
    CTE,
    FUNCTION,
    GROUP,
    JOIN,
    RELATION,
    RESULT,
    SUBQUERY,
    TABLEFUNC,
    VALUES,
    Unknown,
)
from orm_views_core.engines.postgresql.rules.nodes import Node
from orm_views_core.engines.postgresql.rules.query_node import QueryNode
from orm_views_core.engines.postgresql.rules.set_operations import part

from .nodes import SPECIAL, parts


class QueryDigests(QueryNode):
    """A query whose nodes have all their fields, and the digests of what it has.

    Args:
        node: its node.
        name_of: returns the name of a relation by its oid.
        columns_of: returns the names of a relation's columns by its oid.
        outer: the query that it is part of.
    """

    def __init__(
        self,
        node: Node,
        name_of: Callable[[int], str],
        columns_of: Callable[[int], Mapping[int, str]],
        outer: QueryDigests | None = None,
    ) -> None:
        super().__init__(node, outer)
        self.name_of, self.columns_of = name_of, columns_of
        self._inner: dict[int, QueryDigests] = {}
        self._columns: dict[tuple[int, int], str] = {}
        self._within: set[str] = set()

    @cached_property
    def columns(self) -> list[str]:
        """What each output column means."""
        operation = self.node.node("setOperations")
        if operation:
            return self._combined(operation)
        return [self.digest(each.node("expr")) for each in self.targets]

    @cached_property
    def rows(self) -> str:
        """What decides which rows it has, and in which order."""
        operation = self.node.node("setOperations")
        return self.digest(
            self.grouped,
            self._combined_rows(operation) if operation else None,
            self.columns if self.node.nodes("distinctClause") else None,
            *self._keys("distinctClause"),
            *self._keys("sortClause"),
            *(
                self.node.fields.get(each)
                for each in ("hasDistinctOn", "limitOffset", "limitCount", "limitOption")
            ),
        )

    @cached_property
    def whole(self) -> str:
        """What its columns and its rows mean together."""
        return self.digest(self.columns, self.rows)

    @cached_property
    def from_(self) -> str:
        """What decides which rows an aggregate has to do with."""
        grouping = [*self._keys("groupClause"), *self._grouping_sets(), self.node.fields.get("groupDistinct")]
        return self.digest(self.node.node("jointree"), grouping)

    @cached_property
    def grouped(self) -> str:
        """What decides which rows a window function has to do with."""
        return self.digest(self.from_, self.node.fields.get("havingQual"))

    def digest(self, *values: Any) -> str:
        """Return the digest of nodes, lists and texts. A column alone has that of what it is."""
        if len(values) == 1 and isinstance(values[0], Node) and values[0].name in SPECIAL:
            return SPECIAL[values[0].name](self, values[0])
        found = hashlib.blake2b(digest_size=16)
        pending = [*reversed(values)]
        while pending:
            value = pending.pop()
            if isinstance(value, Node):
                if special := SPECIAL.get(value.name):
                    text = special(self, value)
                else:
                    fields = parts(value)
                    pending += reversed(fields)
                    text = f"{value.name} {len(fields)}"
            elif isinstance(value, list):
                pending += reversed(value)
                text = f"list {len(value)}"
            else:
                text = "null" if value is None else f"text {value}"
            found.update(f"{len(text)} {text} ".encode())
        return found.hexdigest()

    # Queries around and inside.

    def inner(self, select: Any) -> QueryDigests:
        """Return a query that is part of it."""
        if not isinstance(select, Node):
            raise Unknown("a subquery that is not there")
        if id(select) not in self._inner:
            self._inner[id(select)] = QueryDigests(select, self.name_of, self.columns_of, self)
        return self._inner[id(select)]

    # What an entry of the range table means.

    def column(self, number: int, attribute: int) -> str:
        """Return what a column of an entry means; 0 stands for the whole row, system columns are below."""
        if (number, attribute) not in self._columns:
            self._columns[number, attribute] = self._column(number, attribute)
        return self._columns[number, attribute]

    def _column(self, number: int, attribute: int) -> str:
        entry = self.entry(number)
        kind = entry.number("rtekind")
        if kind == RELATION:
            names = self.columns_of(entry.number("relid"))
            columns = [*names.values()] if attribute == 0 else [names.get(attribute, str(attribute))]
            return self.digest("column", self.name_of(entry.number("relid")), self._rank(number), columns)
        if kind in (JOIN, GROUP) and attribute > 0:
            return self.digest(entry.nodes("joinaliasvars" if kind == JOIN else "groupexprs")[attribute - 1])
        if kind == SUBQUERY:
            query = self.inner(entry.fields.get("subquery"))
            return query.columns[attribute - 1] if attribute > 0 else query.whole
        if kind == CTE:
            return self._of_cte(entry, attribute)
        if kind == VALUES and attribute > 0:
            return self.digest("values", [row[attribute - 1] for row in entry.nodes("values_lists")])
        return self.digest("of", self.rows_of(number), str(attribute))

    def _rank(self, number: int) -> str:
        """Return which one of several entries for the same relation an entry is."""
        oid, entries = self.entry(number).fields.get("relid"), self.node.nodes("rtable")[: number - 1]
        return str(
            sum(each.number("rtekind") == RELATION and each.fields.get("relid") == oid for each in entries)
        )

    def rows_of(self, number: int) -> str:
        """Return what decides the rows of an entry."""
        entry = self.entry(number)
        kind = entry.number("rtekind")
        if kind == RELATION:
            name = self.name_of(entry.number("relid"))
            return self.digest(str(kind), name, entry.fields.get("inh"), entry.fields.get("tablesample"))
        if kind == SUBQUERY:
            return self.digest(str(kind), self.inner(entry.fields.get("subquery")).rows)
        if kind == CTE:
            return self.digest(str(kind), self._of_cte(entry, None))
        if kind in (FUNCTION, TABLEFUNC, VALUES, JOIN, GROUP, RESULT):
            fields = (
                "functions",
                "funcordinality",
                "tablefunc",
                "values_lists",
                "joinaliasvars",
                "groupexprs",
            )
            return self.digest(str(kind), *(entry.fields.get(each) for each in fields))
        raise Unknown(f"an entry of kind {kind} in a range table")

    def _of_cte(self, entry: Node, attribute: int | None) -> str:
        """Return what a column of a WITH query means; with None, what decides its rows.

        Everything in a recursive one may pass its values on to everything else of it.
        """
        home, name = self.out(entry.number("ctelevelsup")), entry.text("ctename") or ""
        cte = home.cte(name)
        if name in home._within:
            return self.digest("itself", str(attribute))
        query = home.inner(cte.fields.get("ctequery"))
        if not cte.flag("cterecursive"):
            if attribute:
                return query.columns[attribute - 1]
            return query.rows if attribute is None else query.whole
        home._within.add(name)
        try:
            clauses = [cte.fields.get(each) for each in ("search_clause", "cycle_clause")]
            return self.digest("recursive", query.whole, clauses, str(attribute))
        finally:
            home._within.discard(name)

    # What refers to the target list.

    def _keys(self, clause: str) -> Iterator[Any]:
        for key in self.node.nodes(clause):
            yield from self.key(key)

    def key(self, key: Node) -> Iterator[Any]:
        """Yield what a key of GROUP BY, of ORDER BY or of a window means."""
        yield self._by_reference(key.number("tleSortGroupRef"))
        yield from (key.fields.get(each) for each in ("eqop", "sortop", "nulls_first"))

    def _by_reference(self, reference: int) -> str:
        target = self.referred_to(reference)
        if self.node.node("setOperations"):
            return self.columns[target.number("resno") - 1]
        return self.digest(target.node("expr"))

    def _grouping_sets(self) -> Iterator[Any]:
        pending = [*reversed(self.node.nodes("groupingSets"))]
        while pending:
            value = pending.pop()
            if isinstance(value, Node):
                content = value.nodes("content")
                yield f"{value.fields.get('kind')} {len(content)}"
                pending += reversed(content)
            else:
                yield value if value == "i" else self._by_reference(int(value))

    # UNION and the like.

    def _combined(self, operation: Node) -> list[str]:
        def columns_of(side: Node) -> list[str]:
            if side.name == "SETOPERATIONSTMT":
                return self._combined(side)
            return self.inner(self.entry(side.number("rtindex")).fields.get("subquery")).columns

        kind = [operation.fields.get("op"), operation.fields.get("all")]
        left, right = map(columns_of, _sides(operation))
        return [self.digest("set", kind, *pair) for pair in zip(left, right, strict=True)]

    def _combined_rows(self, operation: Node) -> str:
        kind = [operation.fields.get("op"), operation.fields.get("all")]
        rows = [
            self._combined_rows(side)
            if side.name == "SETOPERATIONSTMT"
            else self.rows_of(side.number("rtindex"))
            for side in _sides(operation)
        ]
        return self.digest("set", kind, rows, None if operation.flag("all") else self._combined(operation))


def _sides(operation: Node) -> tuple[Node, Node]:
    return part(operation, "larg"), part(operation, "rarg")
