"""Reads one query of a node tree: what its columns are made of, and what decides which rows it has. Pure.

A query is read as PostgreSQL's parser left it: a ``Var`` node names an entry of the range table of the query,
or of one that is some levels further out. Nothing is looked up by a name, except a CTE in its WITH list.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from orm_views_core.sentences import says

from .expressions import Around, made_of
from .node_kinds import (
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
from .nodes import Node
from .query_node import QueryNode
from .set_operations import Leaf, chooses, combined, compares, leaves, type_of
from .sources import ROWS, WHOLE, Functions, Made, Source, together
from .tables import Table, cte_table


class Query(QueryNode):
    """A query and what is known around it.

    Args:
        node: its node.
        functions: what is known of functions and operators.
        outer: the query that it is part of.
    """

    def __init__(self, node: Node, functions: Functions, outer: Query | None = None) -> None:
        super().__init__(node, outer)
        self.functions = functions
        self._tables: dict[int, Table] = {}
        self._ctes: dict[str, Table] = {}

    @cached_property
    def table(self) -> Table:
        """Its result, as a table that others may read."""
        operation = self.node.node("setOperations")
        is_distinct = bool(self.node.nodes("distinctClause")) or (
            operation is not None and compares(operation)
        )
        return Table(self.columns, self.rows, is_distinct)

    @cached_property
    def is_chosen(self) -> bool:
        """Whether its columns decide which rows it has, because it has those of two queries in common."""
        operation = self.node.node("setOperations")
        return operation is not None and chooses(operation)

    @cached_property
    def columns(self) -> list[Made]:
        """What each output column is made of."""
        operation = self.node.node("setOperations")
        if operation:
            return combined(operation, self._leaf)
        return [self.made_of(target.node("expr")) for target in self.targets]

    @cached_property
    def rows(self) -> Made:
        """What decides which rows it has, and in which order."""
        made = Made()
        for expression in self._row_expressions():
            part = self.made_of(expression)
            made.add_used(part)
            made.through |= part.through
        for reference in self._references():
            made.add_used(self.by_reference(reference))
        columns = self.columns
        for number in self._from():
            table = self._table(number)
            made.add_used(table.rows)
            made.through |= table.rows.through
            for column in table.columns if table.is_distinct else ():
                made.add_used(column)
        for column in columns:
            made.used |= column.used
        return made

    def made_of(self, *expressions: Any, shown: bool = True) -> Made:
        """Return what expressions of it are made of; see :func:`.expressions.made_of`."""
        return made_of(self, expressions, shown)

    def inner(self, select: Node) -> Query:
        """Return a query that is part of it."""
        return Query(select, self.functions, self)

    def column_of(self, number: int, attribute: int) -> Made:
        """Return what a column of an entry of the range table is made of.

        Args:
            number: the number of the entry, from 1.
            attribute: that of the column, from 1; 0 for the whole row; system columns are below.
        """
        entry = self.entry(number)
        if entry.number("rtekind") == RELATION:
            if attribute < 0:
                return Made()
            source = Source(entry.number("relid"), attribute)
            return Made(computed={source}) if attribute == WHOLE else Made(shows={source})
        columns = self._table(number).columns
        if attribute == WHOLE:
            return together(columns, shown=False)
        if not 1 <= attribute <= len(columns):
            raise Unknown(says("column %(attribute)s of %(n)s", attribute=attribute, n=len(columns)))
        return columns[attribute - 1]

    def select_of(self, number: int) -> Query | None:
        """Return the query of an entry of the range table; None when it has none, or it reads itself."""
        entry = self.entry(number)
        select = entry.node("subquery")
        if select:
            return self.inner(select)
        if entry.number("rtekind") != CTE:
            return None
        outer = self.out(entry.number("ctelevelsup"))
        cte = outer.cte(entry.text("ctename") or "")
        select = None if cte.flag("cterecursive") else cte.node("ctequery")
        return outer.inner(select) if select else None

    def expressions_of(self, number: int, attribute: int) -> list[tuple[Around, Any]] | None:
        """Return the expressions that a column of an entry of the range table is, each with its query.

        None means that the entry is no subquery and no VALUES, or that not each of its rows is one of theirs.
        """
        entry = self.entry(number)
        if entry.number("rtekind") == VALUES:
            return [(self, row[attribute - 1]) for row in entry.nodes("values_lists")]
        select = self.select_of(number)
        if select is None:
            return None
        operation = select.node.node("setOperations")
        if operation is None:
            return [(select, select.targets[attribute - 1].node("expr"))]
        found: list[tuple[Around, Any]] = []
        for leaf in leaves(operation):
            expressions = select.expressions_of(leaf.number("rtindex"), attribute)
            if expressions is None:
                return None
            found += expressions
        return found

    # What an entry of the range table has.

    def _leaf(self, reference: Node) -> Leaf:
        number = reference.number("rtindex")
        select = self.select_of(number)
        types = [type_of(target.node("expr")) for target in select.targets] if select else []
        return Leaf(self._table(number).columns, types)

    def _table(self, number: int) -> Table:
        if number not in self._tables:
            self._tables[number] = self._read_table(self.entry(number))
        return self._tables[number]

    def _read_table(self, entry: Node) -> Table:
        kind = entry.number("rtekind")
        if kind == RELATION:
            rows = Made(used={Source(entry.number("relid"), ROWS)})
            rows.add_used(self.made_of(entry.node("tablesample")))
            return Table([], rows)
        if kind == SUBQUERY:
            subquery = entry.node("subquery")
            if subquery is None:
                raise Unknown(says("a subquery that is not there"))
            return Query(subquery, self.functions, self).table
        if kind == JOIN:
            return Table([self.made_of(each) for each in entry.nodes("joinaliasvars")])
        if kind == FUNCTION:
            return self._functions(entry)
        if kind == TABLEFUNC:
            return self._table_function(entry)
        if kind == VALUES:
            columns = [self.made_of(*column) for column in zip(*entry.nodes("values_lists"), strict=True)]
            return Table(columns, Made(used={each for column in columns for each in column.used}))
        if kind == CTE:
            return self.out(entry.number("ctelevelsup"))._cte(entry.text("ctename") or "")
        if kind == RESULT:
            return Table([])
        if kind == GROUP:
            return Table([self.made_of(each) for each in entry.nodes("groupexprs")])
        raise Unknown(says("an entry of kind %(kind)s in a range table", kind=kind))

    def _cte(self, name: str) -> Table:
        def read(select: Node) -> Table:
            return Query(select, self.functions, self).table

        return cte_table(self.node.nodes("cteList"), name, self._ctes, read)

    def _functions(self, entry: Node) -> Table:
        columns: list[Made] = []
        rows = Made()
        for function in entry.nodes("functions"):
            made = self.made_of(function.node("funcexpr"), shown=False)
            columns += [made] * function.number("funccolcount")
            rows.add_used(made)
            rows.through |= made.through
        if entry.flag("funcordinality"):
            columns.append(Made())
        return Table(columns, rows)

    def _table_function(self, entry: Node) -> Table:
        function = entry.node("tablefunc")
        if function is None:
            raise Unknown(says("a table function that is not there"))
        shared = [function.fields.get(each) for each in ("ns_uris", "docexpr", "rowexpr", "plan")]
        rows = self.made_of(*shared, shown=False)
        of_column = [function.nodes(each) for each in ("colexprs", "coldefexprs", "colvalexprs")]
        columns = []
        for i in range(max(map(len, of_column))):
            parts = [each[i] for each in of_column if i < len(each)]
            columns.append(self.made_of(*shared, *parts, shown=False))
        used = Made(through=rows.through)
        used.add_used(rows)
        return Table(columns, used)

    # What decides which rows there are.

    def _row_expressions(self) -> Iterator[Any]:
        yield self.node.fields.get("havingQual")
        yield self.node.fields.get("limitOffset")
        yield self.node.fields.get("limitCount")
        for node in self._from_nodes():
            yield node.fields.get("quals")
        if self.node.flag("hasTargetSRFs"):
            yield from _sets(self.node.nodes("targetList"))

    def _references(self) -> Iterator[int]:
        clauses = [
            "groupClause",
            "sortClause",
            *(["distinctClause"] if self.node.flag("hasDistinctOn") else []),
        ]
        for clause in clauses:
            for each in self.node.nodes(clause):
                yield each.number("tleSortGroupRef")

    def by_reference(self, reference: int) -> Made:
        """Return what GROUP BY, ORDER BY or a window refers to is made of."""
        target = self.referred_to(reference)
        if self.node.node("setOperations"):
            return self.columns[target.number("resno") - 1]
        return self.made_of(target.node("expr"))

    def _from(self) -> Iterator[int]:
        operation = self.node.node("setOperations")
        for node in [*self._from_nodes(), *(leaves(operation) if operation else ())]:
            if node.name == "RANGETBLREF":
                yield node.number("rtindex")

    def _from_nodes(self) -> Iterator[Node]:
        pending: list[Any] = [self.node.node("jointree")]
        while pending:
            node = pending.pop()
            if isinstance(node, list):
                pending += node
            elif isinstance(node, Node):
                if node.name not in ("FROMEXPR", "JOINEXPR", "RANGETBLREF"):
                    raise Unknown(says("a %(node)s node in FROM", node=node.name))
                yield node
                pending += [node.fields.get(each) for each in ("fromlist", "larg", "rarg")]


def _sets(targets: list[Node]) -> Iterator[Node]:
    """Yield the calls of functions in a target list that return sets: each makes rows."""
    pending = list(targets)
    while pending:
        node = pending.pop()
        if node.flag("funcretset") or node.flag("opretset"):
            yield node
        elif node.name != "SUBLINK":  # what is in a subquery makes rows there
            pending += node.children()
