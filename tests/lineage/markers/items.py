"""Writes what is in FROM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .expressions import Expressions, Mode, Scope
from .tables import ADDRESS, DATE, INT, JSON, KEY, TEXT, TEXTS

#: What columns of subqueries, CTEs and views may be.
KINDS = (TEXT, TEXT, TEXT, TEXT, INT, DATE, TEXTS, JSON, ADDRESS)


class Relation(NamedTuple):
    """A table, a view or a CTE. ``row`` is the type of its rows, if that has a name."""

    name: str
    columns: dict[str, str]
    row: str = ""


class Item(NamedTuple):
    """One item of FROM, as it is written, and what it has."""

    sql: str
    columns: list[tuple[str, str]]
    rows: list[str]
    key: str = ""


@dataclass
class Items(Expressions):
    """Writes items of FROM. ``relations`` are the tables and views, ``ctes`` those in scope."""

    relations: list[Relation] = field(default_factory=list)
    ctes: list[Relation] = field(default_factory=list)

    def some_types(self, *, rows: bool = True) -> list[str]:
        """Return the types of the columns of a subquery; with rows, if there may be some."""
        kinds = [*KINDS, *self.fields] if rows and self.chance(40) else KINDS
        return [self.random.choice(kinds) for _ in range(self.random.randint(1, 4))]

    def source(self, scope: Scope, depth: int) -> tuple[str, Scope]:
        """Write a FROM clause. Returns it with the scope of the expressions beside it."""
        item = self._item(scope, depth)
        sql, scope = item.sql, scope.beside(item.columns, item.rows)
        key = item.key
        for left in reversed(range(self.random.choice((0, 0, 1, 1, 2)) if depth > 0 else 0)):
            item = self._item(scope.within(), depth - 1)
            scope = scope.beside([*scope.columns, *item.columns], [*scope.rows, *item.rows])
            # What follows a comma is joined before it, so that no condition may name what is to its left.
            sql += f", {item.sql}" if not left and self.chance(25) else self._join(item, key, scope, depth)
            key = key or item.key
        return sql, scope

    def _join(self, item: Item, key: str, joined: Scope, depth: int) -> str:
        if self.chance(15):
            return f" CROSS JOIN {item.sql}"
        if key and item.key and self.chance(70):
            # A FULL JOIN takes no other conditions, and nothing to its right may name what is to its left.
            kinds = ("", "LEFT ") if "(" in item.sql else ("", "LEFT ", "RIGHT ", "FULL ")
            return f" {self.random.choice(kinds)}JOIN {item.sql} ON {item.key} = {key}"
        return f" {self.random.choice(('', 'LEFT '))}JOIN {item.sql} ON {self.condition(joined, depth - 1)}"

    def _item(self, scope: Scope, depth: int) -> Item:
        ways = [self._named, self._named, self._named]
        if depth > 0:
            ways += [self._subquery, self._subquery, self._joined, self._values, self._rows, self._nested]
            if self.mode is not Mode.PICKS:
                ways.append(self._function)
        return self.random.choice(ways)(scope, depth)

    def _named(self, scope: Scope, depth: int) -> Item:
        """A table, a view or a CTE; some with other names for their first columns."""
        found = self.ctes if self.ctes and self.chance(60) else self.relations
        relation, alias = self.random.choice(found), self.name("t")
        names = list(relation.columns)
        number = self.random.randint(1, len(names)) if self.chance(20) else 0
        renamed = [self.name("c") for _ in range(number)]
        types = relation.columns.values()
        columns = [(f"{alias}.{name}", t) for name, t in zip([*renamed, *names[number:]], types, strict=True)]
        # Of an alias with other names for its columns, PostgreSQL finds no field by its own name.
        if relation.row and not renamed:
            columns.append((alias, relation.row))
        key = columns[names.index(KEY)][0] if KEY in names else ""
        listed = f" ({', '.join(renamed)})" if renamed else ""
        return Item(f"{relation.name} AS {alias}{listed}", columns, [alias], key)

    def _subquery(self, scope: Scope, depth: int) -> Item:
        lateral = scope if self.chance(60) else Scope()
        return self._of_query(self.some_types(), lateral, depth)

    def _of_query(self, types: Sequence[str], scope: Scope, depth: int) -> Item:
        alias, names = self.name("t"), [self.name("c") for _ in types]
        columns = [(f"{alias}.{name}", type_) for name, type_ in zip(names, types, strict=True)]
        word = "LATERAL " if scope.outer else ""
        sql = f"{word}({self.query(types, scope, depth - 1)}) AS {alias} ({', '.join(names)})"
        return Item(sql, columns, [alias])

    def _joined(self, scope: Scope, depth: int) -> Item:
        """A join of tables with an alias of its own."""
        tables = [each for each in self.relations if KEY in each.columns]
        a, b = self.random.choice(tables), self.random.choice(tables)
        types = [INT, *(type_ for each in (a, b) for name, type_ in each.columns.items() if name != KEY)]
        alias, names = self.name("j"), [self.name("c") for _ in types]
        columns = [(f"{alias}.{name}", type_) for name, type_ in zip(names, types, strict=True)]
        kind = self.random.choice(("", "LEFT ", "RIGHT ", "FULL "))
        inner = f"{a.name} AS {self.name('t')} {kind}JOIN {b.name} AS {self.name('t')} USING ({KEY})"
        return Item(f"({inner}) AS {alias} ({', '.join(names)})", columns, [alias], columns[0][0])

    def _values(self, scope: Scope, depth: int) -> Item:
        types = self.some_types()
        alias, names = self.name("v"), [self.name("c") for _ in types]
        rows = (", ".join(self._typed(kind, scope, depth - 1) for kind in types) for _ in range(2))
        columns = [(f"{alias}.{name}", type_) for name, type_ in zip(names, types, strict=True)]
        return Item(
            f"LATERAL (VALUES ({'), ('.join(rows)})) AS {alias} ({', '.join(names)})", columns, [alias]
        )

    def _typed(self, kind: str, scope: Scope, depth: int) -> str:
        value = self.expression(kind, scope, depth)
        return f"({value})::text" if kind == TEXT else value

    def _rows(self, scope: Scope, depth: int) -> Item:
        """A subquery with a row that has no type of its own, read by its fields."""
        alias, inner = self.name("t"), self.name("t")
        source, within = self.source(scope, depth - 1)
        values = [self._typed(TEXT, within, depth - 1), self.expression(DATE, within, depth - 1)]
        sql = f"SELECT ROW({', '.join(values)}) AS r FROM {source}"
        if self.chance(40):
            sql = f"SELECT {inner}.r FROM ({sql}) AS {inner}"
        word = "LATERAL " if scope.outer else ""
        return Item(
            f"{word}({sql}{self.limit(4)}) AS {alias}",
            [(f"({alias}.r).f1", TEXT), (f"({alias}.r).f2", DATE)],
            [alias],
        )

    def _nested(self, scope: Scope, depth: int) -> Item:
        """A subquery that hands whole rows on."""
        kinds = [self.random.choice(list(self.fields)), TEXT]
        return self._of_query(kinds, scope, depth)

    def _function(self, scope: Scope, depth: int) -> Item:
        """A function that returns rows."""
        alias = self.name("f")
        one, two = (self.expression(TEXTS, scope, depth - 1) for _ in range(2))
        json = self.expression(JSON, scope, depth - 1)
        objects = f"jsonb_build_array(jsonb_build_object('a', {json}, 'b', {json}))"
        functions = [
            (f"unnest({one}) AS {alias} (a)", [TEXT]),
            (f"unnest({one}) WITH ORDINALITY AS {alias} (a, n)", [TEXT]),
            (f"unnest({one}, {two}) AS {alias} (a, b)", [TEXT, TEXT]),
            (f"ROWS FROM (unnest({one}), jsonb_path_query({json}, '$.b')) AS {alias} (a, b)", [TEXT, JSON]),
            (f"jsonb_array_elements_text(jsonb_build_array({json})) AS {alias} (a)", [TEXT]),
            (f"jsonb_to_recordset({objects}) AS {alias} (a text, b jsonb)", [TEXT, JSON]),
        ]
        sql, types = self.random.choice(functions)
        columns = [(f"{alias}.{name}", type_) for name, type_ in zip("ab", types, strict=False)]
        return Item(f"LATERAL {sql}", columns, [alias])
