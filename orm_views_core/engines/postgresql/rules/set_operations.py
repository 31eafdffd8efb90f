"""What the columns of UNION, INTERSECT and EXCEPT are made of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from .node_kinds import EXCEPT, UNION, Unknown
from .nodes import Node
from .sources import Made

# The type of an expression is in a field of another name for each kind of node. Others have none.
_TYPES = """
    vartype consttype funcresulttype opresulttype aggtype wintype resulttype casetype coalescetype minmaxtype
    array_typeid
    """.split()  # noqa: SIM905 - one name a line would fill a page
# PostgreSQL takes the one for the other without changing the value.
_TEXT = {"25", "1043"}
_FIRST_USER_OID = 16384


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
    return list(_combined(operation, read).columns)


def _combined(operation: Node, read: Callable[[Node], Leaf]) -> Leaf:
    if operation.name == "RANGETBLREF":
        return read(operation)
    left, right = (_combined(_part(operation, side), read) for side in ("larg", "rarg"))
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


def _is_converted(before: Sequence[str | None], after: Sequence[str | None]) -> bool:
    """Return whether a column gets another type, so that its values are computed.

    The planner adds these casts, so that no node has them. Of domains and other types of users we do not know
    whether the values change. They count as shown.
    """
    types = {*before, *after}
    if len(types) < 2 or types == _TEXT:
        return False
    return all(each is not None and int(each) < _FIRST_USER_OID for each in types)


def compares(operation: Node) -> bool:
    """Return whether a set operation compares rows: whether it is more than UNION ALL."""
    if operation.name == "RANGETBLREF":
        return False
    if operation.number("op") != UNION or not operation.flag("all"):
        return True
    return any(compares(_part(operation, side)) for side in ("larg", "rarg"))


def leaves(operation: Node) -> Iterator[Node]:
    """Yield the nodes that refer to the queries of a set operation."""
    if operation.name == "RANGETBLREF":
        yield operation
        return
    for side in ("larg", "rarg"):
        yield from leaves(_part(operation, side))


def _part(operation: Node, side: str) -> Node:
    node = operation.node(side) if operation.name == "SETOPERATIONSTMT" else None
    if node is None:
        raise Unknown(f"a {operation.name} node in a set operation")
    return node
