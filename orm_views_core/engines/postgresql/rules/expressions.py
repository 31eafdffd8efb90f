"""What an expression of a query is made of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from .node_kinds import (
    ARRAY,
    COMPUTING,
    CTE,
    EXISTS,
    EXPR,
    FUNCTIONS,
    MULTIEXPR,
    OPERATORS,
    PICKING,
    RELATION,
    SUBQUERY,
    Unknown,
)
from .nodes import Node
from .sources import WHOLE, Functions, Made, together


class Around(Protocol):
    """The query that an expression is in; see :class:`.query.Query`."""

    node: Node
    functions: Functions

    @property
    def columns(self) -> Sequence[Made]: ...
    @property
    def targets(self) -> Sequence[Node]: ...
    @property
    def rows(self) -> Made: ...

    def made_of(self, *expressions: Any, shown: bool = True) -> Made: ...
    def column_of(self, number: int, attribute: int) -> Made: ...
    def by_reference(self, reference: int) -> Made: ...
    def entry(self, number: int) -> Node: ...
    def inner(self, select: Node) -> Around: ...
    def out(self, levels: int) -> Around: ...
    def select_of(self, number: int) -> Around | None: ...


#: The entries of a range table whose whole rows have the columns of the table.
_WITH_ROWS = (RELATION, SUBQUERY, CTE)


def made_of(query: Around, expressions: Iterable[Any], shown: bool) -> Made:
    """Return what expressions are made of together. Lists of expressions and NULLs are accepted as well.

    Args:
        query: the query that they are in.
        shown: whether what an expression shows counts as shown.

    Raises:
        Unknown: an expression has a node that is not known.
    """
    made = Made()
    pending = [(expression, shown) for expression in expressions]
    while pending:
        node, shown = pending.pop()
        if isinstance(node, list):
            pending += [(each, shown) for each in node]
        if not isinstance(node, Node):
            continue
        special = _SPECIAL.get(node.name)
        if special and special(query, node, made, shown):
            continue
        picked = PICKING.get(node.name)
        if picked is None:
            if node.name not in COMPUTING:
                raise Unknown(f"a {node.name} node")
            picked = set()
            _add_functions(query, node, made)
        pending += [(value, shown and field in picked) for field, value in node.fields.items()]
    return made


def _add_functions(query: Around, node: Node, made: Made) -> None:
    """Add the functions of a node that may read any table."""
    opaque, operators = query.functions.opaque, query.functions.operators
    functions = [int(node.fields[each]) for each in FUNCTIONS if each in node.fields]
    made.through |= {opaque[oid] for oid in functions if oid in opaque}
    if operators:
        numbers = [*(node.fields[each] for each in OPERATORS if each in node.fields), *node.nodes("opnos")]
        made.through |= {operators[int(n)] for n in numbers if n.isdigit() and int(n) in operators}


# Nodes that are not the sum of what is below them. Each function returns whether it has dealt with the node.


def _variable(query: Around, node: Node, made: Made, shown: bool) -> bool:
    its_query = query.out(node.number("varlevelsup"))
    made.add(its_query.column_of(node.number("varno"), node.number("varattno")), shown)
    return True


def _sublink(query: Around, node: Node, made: Made, shown: bool) -> bool:
    kind, select = node.number("subLinkType"), node.node("subselect")
    if kind > ARRAY or kind == MULTIEXPR or select is None:
        raise Unknown(f"a subquery of kind {kind} in an expression")
    inner = query.inner(select)
    if kind in (EXPR, ARRAY):
        made.add(inner.columns[0], shown and kind == EXPR)
        made.used |= inner.rows.used
        return True
    made.computed |= inner.rows.used
    made.through |= inner.rows.through
    if kind != EXISTS:
        made.add(query.made_of(node.fields.get("testexpr")), shown=False)
        made.add(together(inner.columns, shown=False), shown=False)
    return True


def _function(query: Around, node: Node, made: Made, shown: bool) -> bool:
    """A window counts for its function. The arguments of a safe function are only used."""
    field = {"AGGREF": "aggfnoid", "WINDOWFUNC": "winfnoid", "FUNCEXPR": "funcid"}[node.name]
    if node.name == "WINDOWFUNC":
        made.add(_window(query, node.number("winref")), shown=False)
    if node.number(field) not in query.functions.safe:
        return False
    made.add_used(query.made_of(node.fields.get("args")))
    made.add(query.made_of(node.fields.get("aggfilter")), shown=False)
    return True


def _window(query: Around, number: int) -> Made:
    for window in query.node.nodes("windowClause"):
        if window.number("winref") == number:
            made = query.made_of(window.node("startOffset"), window.node("endOffset"), shown=False)
            for key in [*window.nodes("partitionClause"), *window.nodes("orderClause")]:
                made.add(query.by_reference(key.number("tleSortGroupRef")), shown=False)
            return made
    raise Unknown("a window that is not there")


def _grouping(query: Around, node: Node, made: Made, shown: bool) -> bool:
    made.add_used(query.made_of(node.fields.get("args")))
    return True


def _null_if(query: Around, node: Node, made: Made, shown: bool) -> bool:
    first, *others = node.nodes("args")
    _add_functions(query, node, made)
    made.add(query.made_of(first), shown)
    made.add(query.made_of(*others), shown=False)
    return True


def _field(query: Around, node: Node, made: Made, shown: bool) -> bool:
    found = _field_of(query, node)
    if isinstance(found, Made):
        made.add(found, shown)
    elif found:
        inner, expression = found
        made.add(inner.made_of(expression), shown)
    else:
        made.add(query.made_of(node.fields.get("arg")), shown=False)
    return True


def _field_of(query: Around, node: Node) -> Made | tuple[Around, Any] | None:
    """Return what a field of a row is: a column of the relation with the row, or an expression of a query.

    None means that it cannot be told from the rest of the row.
    """
    row, number = node.node("arg"), node.number("fieldnum")
    found = _row(query, row) if row else None
    if found is None:
        return None
    inner, row = found
    if row.name in ("ROWEXPR", "ROW"):
        return inner, row.nodes("args")[number - 1]
    entry = row.number("varno")
    return inner.column_of(entry, number) if inner.entry(entry).number("rtekind") in _WITH_ROWS else None


def _row(query: Around, node: Node) -> tuple[Around, Node] | None:
    """Return the row that an expression is, through subqueries: a whole row, or a ROW constructor."""
    if node.name in ("ROWEXPR", "ROW"):
        return query, node
    if node.name == "FIELDSELECT":
        found = _field_of(query, node)
        return _row(*found) if isinstance(found, tuple) and isinstance(found[1], Node) else None
    if node.name != "VAR":
        return None
    query = query.out(node.number("varlevelsup"))
    attribute = node.number("varattno")
    if attribute == WHOLE:
        return query, node
    select = query.select_of(node.number("varno"))
    if select is None or select.node.node("setOperations"):
        return None
    expression = select.targets[attribute - 1].node("expr")
    return _row(select, expression) if expression else None


_SPECIAL: Mapping[str, Callable[[Around, Node, Made, bool], bool]] = {
    "VAR": _variable,
    "SUBLINK": _sublink,
    "AGGREF": _function,
    "WINDOWFUNC": _function,
    "FUNCEXPR": _function,
    "GROUPINGFUNC": _grouping,
    "NULLIFEXPR": _null_if,
    "FIELDSELECT": _field,
}
