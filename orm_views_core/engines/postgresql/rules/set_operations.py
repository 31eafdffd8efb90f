"""What the columns of UNION, INTERSECT and EXCEPT are made of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from orm_views_core.sentences import says

from .node_kinds import EXCEPT, UNION, Unknown
from .nodes import Node
from .sources import Made
from .stored import FIRST_USER_OID

# The type of an expression is in a field of another name for each kind of node. Others have none.
_TYPES = """
    vartype consttype funcresulttype opresulttype aggtype wintype resulttype casetype coalescetype minmaxtype
    array_typeid
    """.split()  # noqa: SIM905 - one name a line would fill a page
# PostgreSQL takes the one for the other without changing the value.
_TEXT = {"25", "1043"}


class Leaf(NamedTuple):
    """A query of a set operation.

    Attributes:
        columns: what its columns are made of.
        types: the oids of their types, as texts; None for those that are not known.
    """

    columns: Sequence[Made]
    types: Sequence[str | None]


def type_of(expression: Node | None) -> str | None:
    """Return the oid of the type of an expression, as a text; None when it is not known."""
    if expression is None:
        return None
    return next((expression.fields[each] for each in _TYPES if each in expression.fields), None)


def combined(operation: Node, read: Callable[[Node], Leaf]) -> list[Made]:
    """Return what the columns of a set operation are made of.

    Args:
        operation: its node.
        read: reads the query that a node refers to.
    """
    done: list[Leaf] = []
    for node in _in_order(operation):
        if node.name == "RANGETBLREF":
            done.append(read(node))
        else:
            right, left = done.pop(), done.pop()
            done.append(_combined(node, left, right))
    return list(done.pop().columns)


def _combined(operation: Node, left: Leaf, right: Leaf) -> Leaf:
    types: list[str | None] = [each for each in operation.nodes("colTypes") if each != "o"]
    columns = []
    for i, (mine, other) in enumerate(zip(left.columns, right.columns, strict=True)):
        made = Made()
        made.add(mine, shown=not _is_converted(left.types[i : i + 1], types[i : i + 1]))
        if operation.number("op") == EXCEPT:
            made.add_used(other)
        else:
            made.add(other, shown=not _is_converted(right.types[i : i + 1], types[i : i + 1]))
        columns.append(made)
    return Leaf(columns, types)


def _in_order(operation: Node) -> Iterator[Node]:
    """Yield the nodes of a set operation, each after its two parts. Many branches make a deep tree."""
    pending = [(operation, False)]
    while pending:
        node, is_done = pending.pop()
        if is_done or node.name == "RANGETBLREF":
            yield node
        else:
            pending += [(node, True), (part(node, "rarg"), False), (part(node, "larg"), False)]


def _is_converted(before: Sequence[str | None], after: Sequence[str | None]) -> bool:
    """Return whether a column gets another type, so that its values are computed.

    The planner adds these casts, so that no node has them. Of domains and other types of users we do not know
    whether the values change. They count as shown.
    """
    types = {*before, *after}
    if len(types) < 2 or types == _TEXT:
        return False
    return all(each is not None and int(each) < FIRST_USER_OID for each in types)


def compares(operation: Node) -> bool:
    """Return whether a set operation compares rows: whether it is more than UNION ALL."""
    operations = (node for node in _in_order(operation) if node.name != "RANGETBLREF")
    return any(node.number("op") != UNION or not node.flag("all") for node in operations)


def chooses(operation: Node) -> bool:
    """Return whether a set operation compares rows to choose some: whether it has INTERSECT or EXCEPT."""
    return any(node.name != "RANGETBLREF" and node.number("op") != UNION for node in _in_order(operation))


def leaves(operation: Node) -> Iterator[Node]:
    """Yield the nodes that refer to the queries of a set operation."""
    return (node for node in _in_order(operation) if node.name == "RANGETBLREF")


def part(operation: Node, side: str) -> Node:
    node = operation.node(side) if operation.name == "SETOPERATIONSTMT" else None
    if node is None:
        raise Unknown(says("a %(operation)s node in a set operation", operation=operation.name))
    return node
