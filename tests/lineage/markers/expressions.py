"""Writes expressions of a type over the columns that are in scope."""

from __future__ import annotations

import enum
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .tables import ADDRESS, CONSTANTS, DATE, INT, JSON, KEY, ROWS, TABLES, TEXT, TEXTS


class Mode(enum.Enum):
    """What the views are for.

    Those of PICKS show values of the tables unchanged, and no others. What those of STABLE show depends on
    nothing that SQL leaves open: which rows a LIMIT takes, or which of two equal rows comes first.
    """

    ANY = enum.auto()
    PICKS = enum.auto()
    STABLE = enum.auto()


@dataclass(frozen=True)
class Scope:
    """What an expression may name. Columns are pairs of SQL and type.

    Attributes:
        columns: those of the query's own FROM.
        rows: the aliases in it, whose whole rows may be named.
        outer: the columns of the queries around it.
        outer_rows: their aliases.
        windows: whether window functions may be called.
    """

    columns: Sequence[tuple[str, str]] = ()
    rows: Sequence[str] = ()
    outer: Sequence[tuple[str, str]] = ()
    outer_rows: Sequence[str] = ()
    windows: bool = False

    @property
    def everything(self) -> list[tuple[str, str]]:
        """All columns."""
        return [*self.columns, *self.outer]

    @property
    def all_rows(self) -> list[str]:
        """All aliases."""
        return [*self.rows, *self.outer_rows]

    def within(self) -> Scope:
        """What a query within it sees of it."""
        return Scope(outer=self.everything, outer_rows=self.all_rows)

    def beside(self, columns: Sequence[tuple[str, str]], rows: Sequence[str]) -> Scope:
        """The same with another FROM."""
        return Scope(columns, rows, self.outer, self.outer_rows)

    def alone(self) -> Scope:
        """The scope of an argument of an aggregate, which would else belong to a query around it."""
        return Scope(self.columns, self.rows)

    def without_windows(self) -> Scope:
        """The same, where no window function may be called."""
        return self.beside(self.columns, self.rows)


@dataclass
class Expressions(ABC):
    """Writes expressions.

    Attributes:
        random: what decides.
        mode: what the views are for.
        fields: the columns of each relation whose rows may be values.
    """

    random: random.Random
    mode: Mode = Mode.ANY
    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    names: int = 0

    @abstractmethod
    def query(self, types: Sequence[str], scope: Scope, depth: int) -> str:
        """Write a SELECT whose columns have some types, with the columns around it that it may name."""

    def name(self, letter: str) -> str:
        """Return a name that is not used yet."""
        self.names += 1
        return f"{letter}{self.names}"

    def chance(self, percent: int) -> bool:
        """Return true so many times out of a hundred."""
        return self.random.randint(1, 100) <= percent

    def expression(self, kind: str, scope: Scope, depth: int) -> str:
        """Write an expression of a type."""
        if depth <= 0 or self.chance(30):
            return self.column(kind, scope)
        ways = [self._coalesce, self._case, self._scalar, self._nullif, self.column]
        if kind in (TEXT, INT, DATE):
            ways.append(self._extreme)
        if self.mode is Mode.PICKS and kind in self.fields:
            return self.column(kind, scope)
        if self.mode is Mode.PICKS:
            return self.random.choice(ways)(kind, scope, depth - 1)
        if kind in (TEXT, INT, DATE):
            ways.append(self._extreme_of_query)
        if scope.windows:
            ways += [self._window, self._window]
        ways += {
            TEXT: 3 * [self._text],
            TEXTS: 3 * [self._texts],
            JSON: 3 * [self._json],
            INT: [self._int],
            ADDRESS: [self._address],
        }.get(kind, [])
        return self.random.choice(ways)(kind, scope, depth - 1)

    def column(self, kind: str, scope: Scope, depth: int = 0) -> str:
        """Write a column, a row or a field of a row; if there is none, a value of a table, or a constant."""
        found = [sql for sql, type_ in scope.everything if type_ == kind]
        if kind in self.fields:
            return self.random.choice(found) if found else self._row_of_table(kind)
        for sql, row in scope.everything:
            found += [f"({sql}).{name}" for name, type_ in self.fields.get(row, {}).items() if type_ == kind]
        own = [sql for sql, type_ in scope.columns if type_ == kind]
        if own and self.chance(60):
            return self.random.choice(own)
        if found and self.chance(97):
            return self.random.choice(found)
        return CONSTANTS[kind] if self.chance(20) else self._value_of_table(kind)

    def _value_of_table(self, kind: str) -> str:
        columns = [(each, name) for each in TABLES for name, type_ in each.types.items() if type_ == kind]
        table, column = self.random.choice([each for each in columns if each[1] != KEY])
        alias, key = self.name("t"), self.random.choice(ROWS)
        return f"(SELECT {alias}.{column} FROM {table.qualified} AS {alias} WHERE {alias}.{KEY} = {key})"

    def _row_of_table(self, kind: str) -> str:
        # Nothing is said of the fields of a row that a subselect gives.
        if self.mode is Mode.PICKS or kind not in {table.qualified for table in TABLES}:
            return f"NULL::{kind}"
        alias, key = self.name("t"), self.random.choice(ROWS)
        return f"(SELECT {alias} FROM {kind} AS {alias} WHERE {alias}.{KEY} = {key})"

    def condition(self, scope: Scope, depth: int) -> str:
        """Write a condition that holds for most rows."""
        keys = [sql for sql, type_ in scope.everything if sql.endswith(f".{KEY}")]
        ways: list[Callable[[], str]] = [
            lambda: f"{self.expression(TEXT, scope, depth - 1)} IS NOT NULL",
            lambda: f"{self.expression(DATE, scope, depth - 1)} IS DISTINCT FROM NULL",
            lambda: f"{self.expression(INT, scope, depth - 1)} > 0",
            lambda: f"{self.column(TEXT, scope)} <> {self.column(TEXT, scope)}",
        ]
        if keys:
            ways += 2 * [lambda: f"{self.random.choice(keys)} {self.random.choice(('<', '>'))}= 2"]
        if depth > 0:
            ways += [
                lambda: f"EXISTS ({self.query([INT], scope, depth - 1)})",
                lambda: f"({self.column(INT, scope)} IN ({self.query([INT], scope, depth - 1)})) IS NOT TRUE",
                lambda: f"{self.column(TEXT, scope)} <> ALL ({self.query([TEXT], scope, depth - 1)})",
                lambda: f"{self.condition(scope, depth - 1)} OR {self.condition(scope, depth - 1)}",
            ]
        return f"({self.random.choice(ways)()})"

    def _coalesce(self, kind: str, scope: Scope, depth: int) -> str:
        values = ", ".join(self.expression(kind, scope, depth) for _ in range(2))
        return f"coalesce({values})"

    def _nullif(self, kind: str, scope: Scope, depth: int) -> str:
        return f"nullif({self.expression(kind, scope, depth)}, {self.expression(kind, scope, 0)})"

    def _extreme(self, kind: str, scope: Scope, depth: int) -> str:
        values = ", ".join(self.expression(kind, scope, depth) for _ in range(2))
        return f"{self.random.choice(('greatest', 'least'))}({values})"

    def _case(self, kind: str, scope: Scope, depth: int) -> str:
        a, b = (self.expression(kind, scope, depth) for _ in range(2))
        scope = scope.without_windows()
        if self.chance(50):
            return f"CASE WHEN {self.condition(scope, depth)} THEN {a} ELSE {b} END"
        values = f"{self.expression(TEXT, scope, depth - 1)} WHEN {self.column(TEXT, scope)}"
        return f"CASE {values} THEN {a} ELSE {b} END"

    def limit(self, rows: int) -> str:
        """Write a LIMIT, where one may be."""
        return "" if self.mode is Mode.STABLE else f" LIMIT {rows}"

    def _scalar(self, kind: str, scope: Scope, depth: int) -> str:
        if self.mode is not Mode.STABLE:
            return f"(SELECT * FROM ({self.query([kind], scope, depth)}) AS {self.name('s')} LIMIT 1)"
        if kind in (TEXT, INT, DATE):
            return self._extreme_of_query(kind, scope, depth)
        return self.column(kind, scope)

    def _extreme_of_query(self, kind: str, scope: Scope, depth: int) -> str:
        query, name = self.query([kind], scope, depth), self.name("s")
        return f"(SELECT {self.random.choice(('min', 'max'))}({name}.c) FROM ({query}) AS {name} (c))"

    def _window(self, kind: str, scope: Scope, depth: int) -> str:
        inner = scope.without_windows()
        value = self.expression(kind, inner, depth)
        part = f"PARTITION BY {self.expression(INT, inner, 0)} " if self.chance(40) else ""
        if self.mode is Mode.STABLE:
            return f"first_value({value}) OVER ({part}ORDER BY {value})"
        functions = ("lag({})", "lead({})", "first_value({})", "last_value({})", "nth_value({}, 2)")
        function = self.random.choice(functions).format(value)
        frame = " ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING" if self.chance(30) else ""
        return f"{function} OVER ({part}ORDER BY {self.expression(TEXT, inner, 0)}{frame})"

    def _int(self, kind: str, scope: Scope, depth: int) -> str:
        return f"length({self.expression(TEXT, scope, depth)})"

    def _address(self, kind: str, scope: Scope, depth: int) -> str:
        return f"ROW({self.expression(TEXT, scope, depth)}, {self.expression(TEXT, scope, depth)})::{ADDRESS}"

    def _text(self, kind: str, scope: Scope, depth: int) -> str:
        def of(*kinds: str) -> str:
            return self.expression(self.random.choice(kinds or [TEXT]), scope, depth)

        ways: list[Callable[[], str]] = [
            lambda: f"{of()} || '/' || {of()}",
            lambda: f"{self.random.choice(('upper', 'lower', 'markers.same'))}({of()})",
            lambda: f"concat({of()}, '/', {of(INT)})",
            lambda: f"{of(INT, DATE, JSON, TEXTS)}::text",
            lambda: f'{of()}::varchar COLLATE "C" COLLATE "default"',
            lambda: f"({of(TEXTS)})[{self.random.choice('12')}]",
            lambda: f"array_to_string({of(TEXTS)}, ',')",
            lambda: f"({of(JSON)} ->> 'a')",
            lambda: f"({of(JSON)} #>> '{{b,0}}')",
            lambda: f"({of(ADDRESS)}).{self.random.choice(('street', 'town'))}",
            lambda: f"ROW({of()}, {of(DATE)})::text",
        ]
        if scope.all_rows:
            ways += 2 * [lambda: f"{self.random.choice(scope.all_rows)}::text"]
        rows = [sql for sql, row in scope.everything if row in self.fields]
        if rows:
            ways += 2 * [lambda: f"to_jsonb({self.random.choice(rows)})::text"]
        return f"({self.random.choice(ways)()})"

    def _texts(self, kind: str, scope: Scope, depth: int) -> str:
        def of(kind: str) -> str:
            return self.expression(kind, scope, depth)

        ways: list[Callable[[], str]] = [
            lambda: f"ARRAY[{of(TEXT)}::text, {of(TEXT)}]",
            lambda: self._array_of_query(scope, depth),
            lambda: f"({of(TEXTS)} || {of(TEXTS)})",
            lambda: f"array_append({of(TEXTS)}, {of(TEXT)}::text)",
            lambda: f"({of(TEXTS)})[1:2]",
            lambda: f"string_to_array({of(TEXT)}, '/')",
        ]
        return self.random.choice(ways)()

    def _array_of_query(self, scope: Scope, depth: int) -> str:
        query, name = self.query([TEXT], scope, depth), self.name("s")
        return f"ARRAY(SELECT {name}.c::text FROM ({query}) AS {name} (c) ORDER BY 1)"

    def _json(self, kind: str, scope: Scope, depth: int) -> str:
        def of(*kinds: str) -> str:
            return self.expression(self.random.choice(kinds), scope, depth)

        ways: list[Callable[[], str]] = [
            lambda: f"jsonb_build_object('a', {of(TEXT)}, 'b', {of(TEXTS)})",
            lambda: f"to_jsonb({of(INT, DATE, TEXTS)})",
            lambda: f"to_jsonb({of(TEXT)}::text)",
            lambda: f"({of(JSON)} -> 'b')",
            lambda: f"jsonb_build_array({of(JSON)}, {of(DATE)})",
            lambda: f"jsonb_path_query_first({of(JSON)}, '$.b[*]')",
        ]
        if scope.all_rows:
            ways += 2 * [lambda: f"to_jsonb({self.random.choice(scope.all_rows)})"]
        return self.random.choice(ways)()
