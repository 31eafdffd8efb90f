"""Nodes whose digest is not that of their fields: they refer to something, or have to do with rows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from orm_views_core.engines.postgresql.rules.node_kinds import Unknown
from orm_views_core.engines.postgresql.rules.nodes import Node


class Digests(Protocol):
    """The query that a node is in; see :class:`.query.QueryDigests`."""

    node: Node

    @property
    def whole(self) -> str: ...
    @property
    def from_(self) -> str: ...
    @property
    def grouped(self) -> str: ...

    def digest(self, *values: Any) -> str: ...
    def inner(self, select: Any) -> Digests: ...
    def out(self, levels: int) -> Digests: ...
    def column(self, number: int, attribute: int) -> str: ...
    def rows_of(self, number: int) -> str: ...
    def key(self, key: Node) -> Iterator[Any]: ...


#: The fields that say where something is written, how it is written, or what follows from the rest.
_IGNORED = frozenset(
    """
    aggargtypes aggno aggpresorted aggtransno aggtranstype aggtype array_typeid casetype coalescetype
    coerceformat convertformat element_typeid funcformat funcresulttype list_end list_start location
    minmaxtype multidims operName opresulttype relabelformat resname resorigcol resorigtbl row_format
    runCondition wintype
    """.split()  # noqa: SIM905 - one name a line would fill a page
)


def parts(node: Node, *passed_over: str) -> list[Any]:
    """Return the fields of a node, each after its name, without those that say nothing."""
    kept = [each for each in node.fields.items() if each[0] not in _IGNORED and each[0] not in passed_over]
    return [part for each in kept for part in each]


def _subquery(query: Digests, node: Node) -> str:
    return query.inner(node).whole


def _variable(query: Digests, node: Node) -> str:
    return query.out(node.number("varlevelsup")).column(node.number("varno"), node.number("varattno"))


def _aggregate(query: Digests, node: Node) -> str:
    its_query = query.out(node.number("agglevelsup"))
    return query.digest("aggregate", its_query.from_, parts(node, "agglevelsup"))


def _window_function(query: Digests, node: Node) -> str:
    for window in query.node.nodes("windowClause"):
        if window.fields.get("winref") == node.fields.get("winref"):
            clauses = ("partitionClause", "orderClause")
            keys = [[part for key in window.nodes(each) for part in query.key(key)] for each in clauses]
            frame = [window.fields.get(each) for each in ("frameOptions", "startOffset", "endOffset")]
            return query.digest("window", query.grouped, keys, frame, parts(node, "winref"))
    raise Unknown("a window that is not there")


def _grouping(query: Digests, node: Node) -> str:
    return query.digest("grouping", query.from_, node.fields.get("args"))


def _table(query: Digests, node: Node) -> str:
    return query.rows_of(node.number("rtindex"))


def _from_list(query: Digests, node: Node) -> str:
    items = sorted(map(query.digest, node.nodes("fromlist")))
    return query.digest("from", items, node.fields.get("quals"))


def _join(query: Digests, node: Node) -> str:
    return query.digest("join", *(node.fields.get(each) for each in ("jointype", "larg", "rarg", "quals")))


SPECIAL: Mapping[str, Callable[[Digests, Node], str]] = {
    "QUERY": _subquery,
    "VAR": _variable,
    "AGGREF": _aggregate,
    "WINDOWFUNC": _window_function,
    "GROUPINGFUNC": _grouping,
    "RANGETBLREF": _table,
    "FROMEXPR": _from_list,
    "JOINEXPR": _join,
}
