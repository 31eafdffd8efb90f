"""The result of a query as others read it, and that of a WITH query, which may read itself. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from orm_views_core.sentences import says

from .node_kinds import Unknown
from .nodes import Node
from .sources import Made, together


@dataclass
class Table:
    """What a query reads from, or its own result.

    Attributes:
        columns: what each column is made of.
        rows: what decides which rows it has.
        is_distinct: whether its columns are compared, so that all of them decide which rows it has.
    """

    columns: list[Made]
    rows: Made = field(default_factory=Made)
    is_distinct: bool = False


def cte_table(
    with_list: Iterable[Node], name: str, known: dict[str, Table], read: Callable[[Node], Table]
) -> Table:
    """Return the result of a WITH query.

    A recursive one is read again and again until nothing is added: its columns may pass values on to each
    other, one at a time.

    Args:
        with_list: the WITH list that has it.
        name: its name.
        known: the results of the queries of that list. A query that reads itself finds what is known so far.
        read: reads a query.
    """
    # Each reads those before it. So none is read from within another, however many there are.
    for cte in with_list if name not in known else ():
        its_name = cte.text("ctename") or ""
        if its_name not in known:
            _read_cte(cte, its_name, known, read)
        if its_name == name:
            break
    if name not in known:
        raise Unknown(says("a WITH query that is not there"))
    return known[name]


def _read_cte(cte: Node, name: str, known: dict[str, Table], read: Callable[[Node], Table]) -> None:
    select = cte.node("ctequery")
    if select is None:
        raise Unknown(says("a WITH query without a SELECT"))
    if not cte.flag("cterecursive"):
        known[name] = _with_clauses(cte, read(select))
        return
    found = Table([Made() for _ in cte.nodes("ctecolnames")])
    while True:
        known[name] = _with_clauses(cte, found)
        again = read(select)
        if again == found:
            return
        found = again


def _with_clauses(cte: Node, table: Table) -> Table:
    """Add the columns of SEARCH and CYCLE. The rewriter makes them, so no target list has them."""
    search, cycle = cte.node("search_clause"), cte.node("cycle_clause")
    if not (search or cycle):
        return table
    names = cte.nodes("ctecolnames")
    columns = list(table.columns[: len(names)])

    def made_of(clause: Node, field: str) -> Made:
        wanted = clause.nodes(field)
        found = [column for name, column in zip(names, columns, strict=False) if name in wanted]
        return together(found, shown=False)

    if search:
        columns.append(made_of(search, "search_col_list"))
    rows = replace(table.rows, used={*table.rows.used})
    if cycle:
        compared = made_of(cycle, "cycle_col_list")
        columns += [compared] * 2
        rows.add_used(compared)
    return Table(columns, rows, table.is_distinct)
