"""What an expression of a query is made of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from orm_views_core.sentences import says

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
    @property
    def is_chosen(self) -> bool: ...

    def made_of(self, *expressions: Any, shown: bool = True) -> Made: ...
    def column_of(self, number: int, attribute: int) -> Made: ...
    def by_reference(self, reference: int) -> Made: ...
    def entry(self, number: int) -> Node: ...
    def inner(self, select: Node) -> Around: ...
    def out(self, levels: int) -> Around: ...
    def expressions_of(self, number: int, attribute: int) -> list[tuple[Around, Any]] | None: ...


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
                raise Unknown(says("a %(node)s node", node=node.name))
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
        raise Unknown(says("a subquery of kind %(kind)s in an expression", kind=kind))
    inner = query.inner(select)
    if kind in (EXPR, ARRAY):
        made.add(inner.columns[0], shown and kind == EXPR)
        made.used |= inner.rows.used
        return True
    made.computed |= inner.rows.used
    made.through |= inner.rows.through
    if kind != EXISTS:
        made.add(query.made_of(node.fields.get("testexpr")), shown=False)
    if kind != EXISTS or inner.is_chosen:
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
    raise Unknown(says("a window that is not there"))


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
    fields = _fields(query, node)
    if fields is None:
        made.add(query.made_of(node.fields.get("arg")), shown=False)
    for inner, field in fields or ():
        made.add(inner.made_of(field) if isinstance(field, Node) else inner.column_of(*field), shown)
    return True


def _fields(query: Around, node: Node) -> list[tuple[Around, Node | tuple[int, int]]] | None:
    """Return what a field of a row is; None when that cannot be told from the rest of the row.

    Returns:
        the expressions in ROW constructors that it is, and the columns of the range table that it is, each
        with its query. A column is the number of its entry and its own number.
    """
    row, number = node.node("arg"), node.number("fieldnum")
    rows = _rows(query, row) if row else None
    fields: list[tuple[Around, Node | tuple[int, int]]] = []
    for inner, each in rows or ():
        entry = each.number("varno")
        if each.name != "VAR":
            fields.append((inner, each.nodes("args")[number - 1]))
        elif inner.entry(entry).number("rtekind") in _WITH_ROWS:
            fields.append((inner, (entry, number)))
        else:
            return None
    return None if rows is None else fields


def _rows(query: Around, node: Node) -> list[tuple[Around, Node]] | None:
    """Return the rows that an expression may be, through subqueries: whole rows, and ROW constructors."""
    if node.name in ("ROWEXPR", "ROW"):
        return [(query, node)]
    if node.name == "CONST":
        return []
    expressions: Sequence[tuple[Around, Any]] | None = None
    if node.name == "VAR":
        query = query.out(node.number("varlevelsup"))
        if node.number("varattno") == WHOLE:
            return [(query, node)]
        expressions = query.expressions_of(node.number("varno"), node.number("varattno"))
    elif node.name == "FIELDSELECT":
        expressions = _fields(query, node)
    rows = []
    for inner, expression in expressions or ():
        found = _rows(inner, expression) if isinstance(expression, Node) else None
        if found is None:
            return None
        rows += found
    return None if expressions is None else rows


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
