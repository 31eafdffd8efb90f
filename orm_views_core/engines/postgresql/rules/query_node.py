"""A query of a node tree among the queries around it: what its nodes refer to by number or by name. Pure."""

from __future__ import annotations

from functools import cached_property
from typing import Any, TypeVar

from orm_views_core.sentences import says

from .node_kinds import Unknown
from .nodes import Node

Q = TypeVar("Q", bound="QueryNode")


class QueryNode:
    """A query, for whoever reads what is in it.

    Args:
        node: its node.
        outer: the query that it is part of, read by the same class; None for the outermost.
    """

    def __init__(self, node: Node, outer: Any = None) -> None:
        if node.name != "QUERY":
            raise Unknown(says("a %(node)s in the place of a query", node=node.name))
        self.node, self.outer = node, outer

    @cached_property
    def targets(self) -> list[Node]:
        """The entries of the target list that are output columns."""
        return [target for target in self.node.nodes("targetList") if not target.flag("resjunk")]

    def out(self: Q, levels: int) -> Q:
        """Return the query that is some levels further out."""
        query = self
        for _ in range(levels):
            if query.outer is None:
                raise Unknown(says("a name of a query that is not there"))
            query = query.outer
        return query

    def entry(self, number: int) -> Node:
        """Return an entry of the range table by its number, from 1."""
        entries = self.node.nodes("rtable")
        if not 1 <= number <= len(entries):
            raise Unknown(says("entry %(number)s of a range table of %(n)s", number=number, n=len(entries)))
        entry: Node = entries[number - 1]
        return entry

    def referred_to(self, reference: int) -> Node:
        """Return what GROUP BY, ORDER BY or a window refers to in the target list."""
        for target in self.node.nodes("targetList"):
            if target.number("ressortgroupref") == reference:
                found: Node = target
                return found
        raise Unknown(says("a reference to the target list that is not there"))

    def cte(self, name: str) -> Node:
        """Return the WITH query of a name."""
        for cte in self.node.nodes("cteList"):
            if cte.text("ctename") == name:
                found: Node = cte
                return found
        raise Unknown(says("a WITH query that is not there"))
