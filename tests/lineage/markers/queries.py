"""Writes queries, and views that read each other."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from orm_views_core.names import ViewName

from .expressions import Mode, Scope
from .items import Items, Relation
from .tables import ADDRESS, DATE, INT, JSON, SCHEMA, TABLES, TEXT, TEXTS


@dataclass(frozen=True)
class View:
    """A view that was written."""

    name: ViewName
    columns: tuple[str, ...]
    statement: str


@dataclass
class Queries(Items):
    """Writes queries."""

    def query(self, types: Sequence[str], scope: Scope, depth: int) -> str:
        """Write a query whose columns have some types, with the columns around it that it may name."""
        outer = scope.within()
        if depth <= 0:
            return self._select(types, outer, 0)
        ways = [self._select] * 5 + [self._grouped] * 3 + [self._set_operation] * 2 + [self._with] * 2
        return self.random.choice([*ways, self._recursive, self._of_view])(types, outer, depth)

    def _select(self, types: Sequence[str], scope: Scope, depth: int) -> str:
        source, scope = self.source(scope, depth)
        whole = Scope(scope.columns, scope.rows, scope.outer, scope.outer_rows, windows=depth > 0)
        values = [self._selected(kind, whole, depth) for kind in types]
        distinct, order = "", ""
        if self.chance(10):
            distinct = "DISTINCT "
        elif self.chance(10) and self.mode is not Mode.STABLE:
            distinct = f"DISTINCT ON ({self.expression(TEXT, scope, 1)}) "
        elif self.chance(20):
            order = f" ORDER BY {self.expression(TEXT, scope, depth - 1)}"
        where = f" WHERE {self.condition(scope, depth - 1)}" if self.chance(40) else ""
        return f"SELECT {distinct}{', '.join(values)} FROM {source}{where}{order}{self.limit(6)}"

    def _selected(self, kind: str, scope: Scope, depth: int) -> str:
        """Write what is selected: as an expression, or as rows of an array."""
        if kind == TEXT and depth > 0 and self.mode is not Mode.PICKS and self.chance(10):
            return f"unnest({self.expression(TEXTS, scope.without_windows(), depth - 1)})"
        return self.expression(kind, scope, depth)

    def _grouped(self, types: Sequence[str], scope: Scope, depth: int) -> str:
        source, scope = self.source(scope, depth)
        own = [(sql, kind) for sql, kind in scope.columns if kind in (TEXT, INT, DATE) and sql[0] != "("]
        keys = self.random.sample(own, min(len(own), self.random.randint(0, 2)))
        alone, within = scope.alone(), scope.beside(keys, [])
        values = []
        for kind in types:
            if self.mode is Mode.PICKS or (any(type_ == kind for _, type_ in keys) and self.chance(40)):
                values.append(self.expression(kind, within, depth - 1))
            else:
                values.append(self._aggregate(kind, alone, depth - 1))
        having = f" HAVING count({self._own(TEXT, alone)}) > 0" if self.chance(20) else ""
        listed = ", ".join(sql for sql, _ in keys)
        grouped = self.random.choice((listed, listed, f"ROLLUP ({listed})")) if keys else "()"
        return f"SELECT {', '.join(values)} FROM {source} GROUP BY {grouped}{having}{self.limit(6)}"

    def _own(self, kind: str, scope: Scope) -> str:
        """Write a column of the query's own FROM, so that the aggregate around it belongs to this query."""
        return self.random.choice([sql for sql, type_ in scope.columns if type_ == kind] or ["NULL::text"])

    def _aggregate(self, kind: str, scope: Scope, depth: int) -> str:
        value = self.expression(kind, scope, depth)
        text = f"({self.expression(TEXT, scope, depth)})::text"
        order = f" ORDER BY {self.expression(TEXT, scope, 0)}" if self.chance(50) else ""
        order, by_text = (
            (f" ORDER BY {value}", f" ORDER BY {text}") if self.mode is Mode.STABLE else (order, order)
        )
        where = f" FILTER (WHERE {self.condition(scope, depth - 1)})" if self.chance(20) else ""
        first = f"(array_agg({value}{order}){where})[1]"
        ways = {
            TEXT: [
                f"{self.random.choice(('min', 'max'))}({value}){where}",
                f"string_agg({text}, ','{by_text}){where}",
                first,
            ],
            INT: [f"max({value}){where}", f"count({value})::int", first],
            DATE: [f"min({value}){where}", f"mode() WITHIN GROUP (ORDER BY {value}){where}"],
            TEXTS: [f"array_agg({text}{by_text}){where}", f"array_agg(DISTINCT {text}){where}"],
            JSON: [
                f"jsonb_agg({value}{order}){where}",
                f"jsonb_build_object('a', max({text}), 'b', jsonb_agg({value}{order}))",
            ],
        }.get(kind, [first])
        return self.random.choice(ways)

    def _set_operation(self, types: Sequence[str], scope: Scope, depth: int) -> str:
        word = self.random.choice(("UNION ALL", "UNION ALL", "UNION", "UNION", "EXCEPT", "INTERSECT ALL"))
        one, two = (self.query(types, scope, depth - 1) for _ in range(2))
        order = " ORDER BY 1" if self.chance(20) and types[0] in (TEXT, INT, DATE) else ""
        return f"({one}) {word} ({two}){order}"

    def _with(self, types: Sequence[str], scope: Scope, depth: int) -> str:
        kinds, name = self.some_types(), self.name("w")
        # Some have the name of another CTE that is in scope, and hide it.
        hidden = [each.name for each in self.ctes if each.name.isidentifier()]
        if hidden and self.chance(30):
            name = self.random.choice(hidden)
        word = self.random.choice(("", "MATERIALIZED ", "NOT MATERIALIZED "))
        return self._reading(
            self._cte(name, kinds, f"AS {word}({self.query(kinds, scope, depth - 1)})"), types, scope, depth
        )

    def _cte(self, name: str, kinds: Sequence[str], body: str) -> tuple[Relation, str]:
        names = [self.name("c") for _ in kinds]
        return Relation(name, dict(zip(names, kinds, strict=True))), f"{name} ({', '.join(names)}) {body}"

    def _reading(
        self, made: tuple[Relation, str], types: Sequence[str], scope: Scope, depth: int, word: str = ""
    ) -> str:
        """Write a query that has a CTE in scope."""
        cte, sql = made
        before = self.ctes
        self.ctes = [*(each for each in before if each.name != cte.name), cte, cte]
        body = self.query(types, scope, depth - 1)
        self.ctes = before
        # A query that begins with WITH may not follow another WITH.
        return f"WITH {word}{sql} SELECT * FROM ({body}) AS {self.name('t')}"

    def _recursive(self, types: Sequence[str], scope: Scope, depth: int) -> str:
        kinds = [kind for kind in self.some_types() if kind not in (ADDRESS, *self.fields)] or [TEXT]
        name, alias = self.name("w"), self.name("t")
        names = [self.name("c") for _ in kinds]
        first = self._of_query(kinds, scope, depth)
        source, beside = self.source(scope, 0)
        columns = [(f"{alias}.{each}", kind) for each, kind in zip(names, kinds, strict=True)]
        inner = scope.beside([*columns, *columns, *beside.columns], beside.rows)
        base = ", ".join(f"({sql})::{kind}" for sql, kind in first.columns)
        step = ", ".join(f"({self.expression(kind, inner, 2)})::{kind}" for kind in kinds)
        sql = (
            f"{name} ({', '.join(names)}, n) AS (SELECT {base}, 1 FROM {first.sql}"
            f" UNION ALL SELECT {step}, {alias}.n + 1 FROM {name} AS {alias}, {source} WHERE {alias}.n < 3)"
        )
        shown = dict(zip(names, kinds, strict=True))
        if self.mode is not Mode.PICKS and self.chance(40):
            clauses = (
                "SEARCH DEPTH FIRST BY {} SET o",
                "SEARCH BREADTH FIRST BY {} SET o",
                "CYCLE {} SET l USING o",
            )
            sql += f" {self.random.choice(clauses).format(self.random.choice(names))}"
            shown["o::text"] = TEXT
        made = Relation(
            f"(SELECT {', '.join(shown)} FROM {name})",
            {each.partition(":")[0]: shown[each] for each in shown},
        )
        return self._reading((made, sql), types, scope, depth, "RECURSIVE ")

    def _of_view(self, types: Sequence[str], scope: Scope, depth: int) -> str:
        """Write a query that reads the newest view."""
        before = self.ctes
        self.ctes = [*before, *self.relations[-1:] * 3]
        sql = self._select(types, scope, depth)
        self.ctes = before
        return sql


def write_views(choices: random.Random, mode: Mode) -> list[View]:
    """Write some views, each of which may read those before it."""
    tables = [Relation(table.qualified, table.types, table.qualified) for table in TABLES]
    queries = Queries(choices, mode, {table.name: table.columns for table in tables}, relations=tables)
    views = []
    for number in range(choices.choice((1, 1, 2, 3))):
        name = ViewName(SCHEMA, f"v{number}")
        columns = {f"c{n}": kind for n, kind in enumerate(queries.some_types(rows=mode is not Mode.PICKS))}
        kind = "MATERIALIZED VIEW" if mode is not Mode.STABLE and queries.chance(30) else "VIEW"
        select = queries.query(
            list(columns.values()), Scope(), choices.randint(1, 3 if mode is Mode.STABLE else 4)
        )
        views.append(View(name, tuple(columns), f"CREATE {kind} {name} ({', '.join(columns)}) AS {select}"))
        queries.fields[str(name)] = columns
        queries.relations = [*queries.relations, *[Relation(str(name), columns, str(name))] * 3]
    return views
