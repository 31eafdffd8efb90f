"""Writes SELECTs by a grammar: expressions of every type in queries of every shape, over tables and views.

The same seed writes the same SELECTs.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

#: The columns that expressions are made of, by table. Those of other types are left to the written views.
TABLES = {
    "buyers": {"buyer_id": "int", "buyer_name": "text", "segment": "word", "balance": "num"},
    "parts": {"part_id": "int", "part_name": "text", "kind": "word", "size": "int", "price": "num"},
    "purchases": {"purchase_id": "int", "state": "char", "total": "num", "placed": "date", "urgency": "word"},
    "purchase_lines": {"line": "int", "price": "num", "shipped": "date", "due": "date", "way": "word"},
    "days": {"day_key": "int", "day": "date", "year": "int", "weekday": "word"},
    "items": {"item_key": "int", "item_code": "char", "category": "word", "list_price": "num"},
    "store_sales": {"store_key": "int", "ticket": "int", "paid": "num", "profit": "num"},
    "books": {"book_id": "int", "title": "text", "subjects": "texts", "isbn": "char", "pages": "int"},
    "loans": {"book_id": "int", "reader": "text", "period": "range"},
    "patients": {"surname": "word", "born": "date", "blood": "char", '"Next of Kin"': "text"},
    "stays": {"stay_id": "int", "ward": "word", "pulse": "ints", "occupancy": "num"},
    "events": {
        "at": "stamp", "level": "enum", "payload": "json", "tags": "texts", "took": "span"
    },
    "employees": {"id": "int", "name": "word", "salary": "num"},
}  # fmt: skip

#: Also right for every type: `{t}` is the type itself.
ANY = ["COALESCE({t}, {t})", "CASE WHEN {bool} THEN {t} ELSE {t} END", "NULLIF({t}, {t})", "(({t}))"]


def _read() -> dict[str, dict[str, list[str]]]:
    """Read the sections of the grammar: expressions by their types."""
    sections: dict[str, dict[str, list[str]]] = {}
    for line in (Path(__file__).parent / "sql" / "grammar.txt").read_text().splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            kind, _, expression = line.partition(": ")
            section.setdefault(kind, []).append(expression)
    return sections


#: Aggregates may have FILTER, or be window functions.
CONSTANTS, PRODUCTIONS, AGGREGATES = _read().values()
FRAMES = [
    "",
    " ROWS BETWEEN 1 PRECEDING AND CURRENT ROW",
    " ROWS UNBOUNDED PRECEDING",
    " GROUPS BETWEEN CURRENT ROW AND 2 FOLLOWING",
]
GROUPINGS = [
    "{a}, {b}",
    "ROLLUP ({a}, {b})",
    "CUBE ({a}, {b})",
    "GROUPING SETS (({a}), ({b}), ())",
    "{a}, ROLLUP ({b})",
    "DISTINCT ROLLUP ({a}, {b})",
]

#: Types whose values can be grouped, sorted and put together by UNION.
_SORTED = ("int", "num", "word", "text", "date", "bool")
_HOLE = re.compile(r"\{(\w+)\}")
_DEPTH = 3

Columns = dict[str, str]


class Generated(NamedTuple):
    """A SELECT, and the types of its columns by name."""

    sql: str
    columns: Columns


class Grammar:
    """Writes SELECTs that are valid on PostgreSQL 14 and later."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._aliases = 0
        #: What a SELECT may read: tables, and the views that were written so far.
        self.sources = dict(TABLES)

    def selects(self, prefix: str = "made") -> Iterator[tuple[str, Generated]]:
        """Yield names and SELECTs for ever; some read `views.<an earlier name>`."""
        shapes = [
            self._plain,
            self._grouped,
            self._windowed,
            self._united,
            self._cte,
            self._lateral,
            self._nested,
        ]
        shapes += [self._recursive, self._distinct, self._starred]
        number = 0
        while True:
            number += 1
            shape = shapes[number % len(shapes)]
            name = f"{prefix}_{number:04d}_{shape.__name__.strip('_')}"
            made = shape()
            yield name, made
            if number % 3 == 0:
                self.sources[f"views.{name}"] = made.columns

    def expression(self, kind: str, scope: Columns, depth: int = _DEPTH) -> str:
        """Write an expression of a type, in parentheses where it is not one word."""
        leaves = [name for name, of in scope.items() if of == kind]
        if depth <= 0 or self._random.random() < 0.15:
            return self._pick(leaves if leaves and self._random.random() < 0.8 else CONSTANTS[kind])
        production = self._pick(PRODUCTIONS[kind] + [each.replace("{t}", f"{{{kind}}}") for each in ANY])
        return f"({self._fill(production, scope, depth - 1)})"

    def _fill(self, production: str, scope: Columns, depth: int = 1) -> str:
        return _HOLE.sub(lambda hole: self.expression(hole[1], scope, depth), production)

    def _pick(self, options):
        return self._random.choice(list(options))

    def _from(self, most: int = 3) -> tuple[str, Columns]:
        """Write a FROM of one to three sources; return it with the columns in scope."""
        sql, scope = "", Columns()
        for position in range(self._random.randint(1, most)):
            source = self._pick(self.sources)
            self._aliases += 1
            alias = f"t{self._aliases}"
            here = {f"{alias}.{name}": kind for name, kind in self.sources[source].items()}
            if position == 0:
                sql = f"{source} {alias}"
            elif self._random.random() < 0.2:
                sql += f" CROSS JOIN {source} AS {alias}"
            else:
                join = self._pick(["JOIN", "LEFT JOIN", "RIGHT OUTER JOIN", "INNER JOIN"])
                on = f"{self.expression('int', scope, 1)} = {self.expression('int', here, 1)}"
                sql += f" {join} {source} {alias} ON {on}"
                if self._random.random() < 0.3:
                    sql += f" AND {self.expression('bool', {**scope, **here}, 2)}"
            scope |= here
        return sql, scope

    def _where(self, scope: Columns) -> str:
        return (
            f" WHERE {self._fill(self._pick(PRODUCTIONS['bool']), scope, 2)}"
            if self._random.random() < 0.8
            else ""
        )

    def _columns(self, kinds=None) -> Columns:
        kinds = kinds or [self._pick(PRODUCTIONS) for _ in range(self._random.randint(1, 5))]
        return {f"c{i}": kind for i, kind in enumerate(kinds, 1)}

    def _items(self, columns: Columns, scope: Columns) -> str:
        # A cast gives a column the type that the grammar believes it to have.
        casts = {
            "word": "varchar",
            "char": "char(9)",
            "num": "numeric",
            "int": "int",
            "texts": "text[]",
            "ints": "int[]",
        }
        cast = {name: f"::{casts[kind]}" if kind in casts else "" for name, kind in columns.items()}
        return ", ".join(f"({self.expression(k, scope)}){cast[n]} AS {n}" for n, k in columns.items())

    def _plain(self) -> Generated:
        source, scope = self._from()
        columns = self._columns()
        end = self._pick(
            [
                "",
                "",
                f" ORDER BY {self.expression('text', scope, 1)}::text DESC NULLS LAST",
                " LIMIT 9 OFFSET 1",
            ]
        )
        return Generated(
            f"SELECT {self._items(columns, scope)} FROM {source}{self._where(scope)}{end}", columns
        )

    def _grouped(self) -> Generated:
        source, scope = self._from()
        keys = self._columns([self._pick(_SORTED) for _ in range(2)])
        inner = f"SELECT {self._items(keys, scope)}, {self._inner(scope)} FROM {source}{self._where(scope)}"
        here = {**{f"g.{name}": kind for name, kind in keys.items()}, "g.v": "int", "g.w": "word"}
        found = {f"c{i}": self._pick(AGGREGATES) for i in (3, 4)}
        items = ""
        for name, kind in found.items():
            call = f"{self._fill(self._pick(AGGREGATES[kind]), here)}{self._filter(here)}"
            items += f", ({call})::int AS {name}" if kind == "int" else f", {call} AS {name}"
        grouping = self._pick(GROUPINGS).format(a="g.c1", b="g.c2")
        having = (
            f" HAVING {self._pick(['count(*) > 1', 'max(g.v) BETWEEN 1 AND 9 AND count(*) < 5'])}"
            if self._random.random() < 0.4
            else ""
        )
        return Generated(
            f"SELECT g.c1, g.c2{items} FROM ({inner}) g GROUP BY {grouping}{having}", {**keys, **found}
        )

    def _inner(self, scope: Columns) -> str:
        return f"{self.expression('int', scope, 1)} AS v, {self.expression('word', scope, 1)}::varchar AS w"

    def _filter(self, scope: Columns) -> str:
        return f" FILTER (WHERE {self.expression('bool', scope, 2)})" if self._random.random() < 0.3 else ""

    def _windowed(self) -> Generated:
        source, scope = self._from()
        key, order = (self.expression(self._pick(_SORTED), scope, 1) for _ in range(2))
        found = {f"c{i}": self._pick(["int", "num", "bool", "date"]) for i in (1, 2)}
        over = [
            self._fill(self._pick([a for a in AGGREGATES[k] if "DISTINCT" not in a]), scope)
            for k in found.values()
        ]
        items = [
            f"({call} OVER (w{self._pick(FRAMES)})){'::int' * (k == 'int')} AS {name}"
            for (name, k), call in zip(found.items(), over, strict=True)
        ]
        rank = self._pick(["row_number()", "rank()", "dense_rank()", "ntile(3)"])
        before = f"lag({self.expression('word', scope, 1)}::varchar) OVER w AS before"
        return Generated(
            f"SELECT {', '.join(items)}, {rank} OVER w AS place, {before}"
            f" FROM {source}{self._where(scope)} WINDOW w AS (PARTITION BY ({key}) ORDER BY ({order}) DESC)",
            {**found, "before": "word"},
        )

    def _united(self) -> Generated:
        columns = self._columns([self._pick(_SORTED) for _ in range(self._random.randint(1, 3))])
        parts = []
        for _ in range(self._random.randint(2, 3)):
            source, scope = self._from(2)
            parts.append(f"(SELECT {self._items(columns, scope)} FROM {source}{self._where(scope)})")
        sql = parts[0]
        for part in parts[1:]:
            sql += f" {self._pick(['UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT', 'EXCEPT ALL'])} {part}"
        return Generated(sql + self._pick(["", " ORDER BY 1 DESC"]), columns)

    def _cte(self) -> Generated:
        inner, other = self._plain(), self._grouped()
        scope = {
            f"{a}.{name}": kind
            for a, made in (("x", inner), ("y", other))
            for name, kind in made.columns.items()
        }
        columns = self._columns()
        kept = self._pick(["", "MATERIALIZED ", "NOT MATERIALIZED "])
        return Generated(
            f"WITH x AS {kept}({inner.sql}), y AS ({other.sql})"
            f" SELECT {self._items(columns, scope)} FROM x, y{self._where(scope)}",
            columns,
        )

    def _lateral(self) -> Generated:
        source, scope = self._from(2)
        words, number = self.expression("texts", scope, 1), self.expression("int", scope, 1)
        text = self.expression("text", scope, 2)
        item = self._pick(
            [
                f"unnest({words}) WITH ORDINALITY AS l (v, n)",
                f"generate_series(1, {number} % 5) AS l (n)",
                f"(SELECT {text} AS v, area_id AS n FROM areas WHERE area_id = {number} LIMIT 1) l",
            ]
        )
        columns = self._columns()
        items = self._items(columns, {**scope, "l.n::int": "int"})
        return Generated(
            f"SELECT {items} FROM {source} CROSS JOIN LATERAL {item}{self._where(scope)}", columns
        )

    def _nested(self) -> Generated:
        inner = self._pick([self._united, self._grouped, self._windowed, self._plain])()
        scope = {f"n.{name}": kind for name, kind in inner.columns.items()}
        columns = self._columns()
        return Generated(
            f"SELECT {self._items(columns, scope)} FROM ({inner.sql}) AS n{self._where(scope)}", columns
        )

    def _recursive(self) -> Generated:
        scope = {"r.n": "int", "r.word": "word", "e.id": "int", "e.name": "word", "e.salary": "num"}
        union, top = self._pick(["UNION", "UNION ALL"]), self._random.randint(2, 5)
        counted = f"SELECT 1, 'a'::varchar {union} SELECT n + 1, word FROM r WHERE n BETWEEN 0 AND {top}"
        columns = self._columns()
        return Generated(
            f"WITH RECURSIVE r (n, word) AS ({counted}) SELECT {self._items(columns, scope)}"
            f" FROM r JOIN employees e ON e.id = r.n{self._where(scope)}",
            columns,
        )

    def _distinct(self) -> Generated:
        source, scope = self._from()
        columns = self._columns([self._pick(_SORTED) for _ in range(3)])
        head = self._pick(["DISTINCT", "DISTINCT ON (c1)", "DISTINCT ON (c1, c2)"])
        inner = f"SELECT {self._items(columns, scope)} FROM {source}{self._where(scope)}"
        return Generated(f"SELECT {head} * FROM ({inner}) d ORDER BY c1, c2 DESC, c3", columns)

    def _starred(self) -> Generated:
        source = self._pick(self.sources)
        scope = {f"s.{name}": kind for name, kind in self.sources[source].items()}
        columns = self.sources[source]
        extra = f"x{len(columns)}"
        sql = f"SELECT s.*, ({self.expression('word', scope)})::varchar AS {extra} FROM {source} s"
        return Generated(sql + self._where(scope), {**columns, extra: "word"})
