"""Reads the stored SELECT of a view. One that cannot be read to the end may show all that it reads. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orm_views_core.sentences import says

from .node_kinds import NEWEST, Unknown
from .nodes import Malformed, Node, parse
from .query import Query
from .sources import WHOLE, Functions, Made, Source
from .stored import Stored


@dataclass(frozen=True)
class Select:
    """What the SELECT of a view is made of.

    Attributes:
        columns: its output columns, in their order.
        used: what decides which rows it has.
        is_distinct: whether its columns are compared, so that all of them decide which rows it has.
        may_show: what every column may show besides. Empty when the SELECT could be read to the end.
        why: why it could not be, in words.
    """

    columns: tuple[Made, ...]
    used: frozenset[Source]
    is_distinct: bool = False
    may_show: frozenset[Source] = frozenset()
    why: str = ""


def read_select(stored: Stored, oid: int) -> Select:
    """Return what the SELECT of a view is made of.

    Args:
        stored: what was read of the catalogs.
        oid: that of the view.
    """
    rule = stored.rules[oid]
    width = len(stored.relations[oid].columns)
    tree: Any = None
    try:
        tree = parse(rule.text)
        if stored.version > NEWEST:
            raise Unknown(
                says(
                    "PostgreSQL %(version)s, and %(newest)s is the newest version whose rules are known",
                    version=stored.version,
                    newest=NEWEST,
                )
            )
        return _read(select_node(tree), stored.functions, width)
    except (Unknown, Malformed, RecursionError) as error:
        may_show = frozenset(Source(relation, WHOLE) for relation in rule.reads)
        why = says("it has %(what)s", what=error.args[0])
        if isinstance(error, RecursionError):
            why = says("it is nested too deeply")
        return Select(_origins(tree, width), may_show, may_show=may_show, why=why)


def select_node(tree: Any) -> Node:
    if isinstance(tree, list) and len(tree) == 1 and isinstance(tree[0], Node):
        return tree[0]
    raise Unknown(says("more than one query"))


def _read(node: Node, functions: Functions, width: int) -> Select:
    """Read a query, and compare the result with what PostgreSQL itself has noted of it.

    The parser notes the column that an output column is, where it is one (``resorigtbl``, ``resorigcol``).
    The protocol hands that on to clients.
    """
    query = Query(node, functions)
    columns, used = query.columns, query.rows.used
    if len(columns) != width:
        raise Unknown(says("%(n)s columns instead of %(width)s", n=len(columns), width=width))
    for column, target in zip(columns, query.targets, strict=True):
        origin = _origin(target)
        if origin is not None and origin not in column.shows:
            raise Unknown(
                says("a column whose origin is another one (%(number)s)", number=target.number("resno"))
            )
    return Select(tuple(columns), frozenset(used), query.table.is_distinct)


def _origin(target: Node) -> Source | None:
    """Return the column that PostgreSQL has noted as the origin, unless it is a system column."""
    relation, attribute = target.number("resorigtbl"), target.number("resorigcol")
    return Source(relation, attribute) if relation and attribute > 0 else None


def _origins(tree: Any, width: int) -> tuple[Made, ...]:
    """Return the noted origins of the output columns, as far as they can be found in a tree."""
    columns = [Made() for _ in range(width)]
    try:
        targets = select_node(tree).nodes("targetList")
        for target in targets:
            number = target.number("resno")
            origin = _origin(target)
            if origin and not target.flag("resjunk") and number <= width:
                columns[number - 1].shows.add(origin)
    except (Unknown, Malformed, AttributeError):
        pass
    return tuple(columns)
