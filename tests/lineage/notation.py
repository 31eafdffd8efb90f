"""The truth about views, as it is written in `truth/*.sql`.

A file begins with statements that the views need. Then each view has a head, its truth and its SQL:

    -- view contacts since 15
    -- id: = customer.id; band: ~ customer.born; one: -
    -- note: = customer.note ~ customer.kind ! public.fmt(text)
    -- uses: customer.status, city.*
    SELECT ...;

``=`` goes before the columns that an output column shows, ``~`` before those that it is computed from, ``!``
before what it reads through, and ``-`` stands for a column that is made of nothing. ``uses`` are the columns
that decide which rows there are; several such lines add up. ``customer.*`` are all columns of a table.
Entries end with ``;`` or with the line, unless it ends with a comma. Names are quoted as in SQL, also as
``U&"a\\000Ab"``. A table that is written without a schema is in that of the file. What is read through is
written as PostgreSQL does: without a schema, it is a function of PostgreSQL's own.

After the name of the view may follow: ``materialised``, the first version of PostgreSQL that has its syntax,
and ``needs libxml``, without which some PostgreSQLs are built. SQL that begins with CREATE is run as it is,
and has to create the view.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from orm_views_core.lineage import RelationColumn
from orm_views_core.names import ViewName

_NAME = r'U&"(?:[^"]|"")*"|"(?:[^"]|"")*"|[^\s":;,.=~!()*]+'
_HEAD = re.compile(rf"^-- view ({_NAME})( materialised)?(?: since (\d+))?( needs libxml)?$", re.MULTILINE)
_TOKEN = re.compile(rf"\s*(?:(?P<name>{_NAME})|(?P<types>\([^)]*\))|(?P<sign>[:;,.=~!*]))")
_ESCAPE = re.compile(r"\\([0-9A-Fa-f]{4})")
#: Stands for all columns of a relation. No column has this name.
ALL = ""


@dataclass(frozen=True)
class Sources:
    """What an output column is made of. The column ``ALL`` of a relation stands for all its columns."""

    shows: frozenset[RelationColumn] = frozenset()
    computed_from: frozenset[RelationColumn] = frozenset()
    through: frozenset[str] = frozenset()

    def expand(self, expand: Callable[[frozenset[RelationColumn]], frozenset[RelationColumn]]) -> Sources:
        """Put the columns of a relation in the place of ``ALL``. What is shown is not computed from, too."""
        shows = expand(self.shows)
        return Sources(shows, expand(self.computed_from) - shows, self.through)


@dataclass(frozen=True)
class TrueView:
    """A view, and what is true of it."""

    name: ViewName
    sql: str
    columns: dict[str, Sources] = field(default_factory=dict)
    uses: frozenset[RelationColumn] = frozenset()
    since: int = 14
    is_materialised: bool = False
    needs_libxml: bool = False

    @property
    def statements(self) -> str:
        """What creates it."""
        if self.sql.startswith("CREATE"):
            return self.sql
        return (
            f"CREATE {'MATERIALIZED ' if self.is_materialised else ''}VIEW {self.name.quoted} AS {self.sql}"
        )


def read_file(text: str, schema: str) -> tuple[str, list[TrueView]]:
    """Return what a file creates first, and its views in their order."""
    first, *parts = _HEAD.split(text)
    views = []
    for name, materialised, since, libxml, rest in zip(*(parts[i::5] for i in range(5)), strict=True):
        truth, sql = _divide(rest.strip("\n").split("\n"))
        try:
            columns, uses = read_truth(truth, schema)
        except ValueError as error:
            raise ValueError(f"The truth of {name} cannot be read: {error}") from error
        view = ViewName(schema, unquote(name))
        views.append(TrueView(view, sql, columns, uses, int(since or 14), bool(materialised), bool(libxml)))
    return first.strip(), views


def _divide(lines: Sequence[str]) -> tuple[list[str], str]:
    """Divide what follows a head into the lines of the truth, without their dashes, and the SQL."""
    end = next(i for i, line in enumerate(lines) if not line.startswith("--"))
    return [line[2:].strip() for line in lines[:end]], "\n".join(lines[end:]).strip()


def read_truth(lines: Sequence[str], schema: str) -> tuple[dict[str, Sources], frozenset[RelationColumn]]:
    """Read the lines between a head and its SQL.

    Returns the sources of each output column in their order, and what the view uses.

    Raises:
        ValueError: something is not written as it should be. The message quotes it.
    """
    columns: dict[str, Sources] = {}
    uses: set[RelationColumn] = set()
    for entry in _entries(lines):
        name, colon, *rest = entry
        if colon != ":":
            raise ValueError(f"a colon should follow {name!r}, not {colon!r}")
        if name == "uses":
            uses.update(_column(each, schema) for each in _split(rest, ","))
            continue
        if unquote(name) in columns:
            raise ValueError(f"{name!r} is there twice")
        columns[unquote(name)] = _sources(rest, schema)
    return columns, frozenset(uses)


def _entries(lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield the tokens of each entry."""
    text = "".join(line if line.endswith((",", ";")) else f"{line};" for line in lines)
    yield from filter(None, _split(_tokens(text), ";"))


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"nothing like this is known: {text[at : at + 20]!r}")
        tokens.append(match[match.lastgroup or 0])
        at = match.end()
    return tokens


def _split(tokens: Sequence[str], separator: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _sources(tokens: Sequence[str], schema: str) -> Sources:
    """Read what follows the colon after an output column."""
    if list(tokens) == ["-"]:
        return Sources()
    signs = [i for i, token in enumerate(tokens) if token in ("=", "~", "!")]
    if not signs or signs[0] != 0:
        raise ValueError(f"one of = ~ ! - should come before {''.join(tokens)!r}")
    found: dict[str, list[list[str]]] = {"=": [], "~": [], "!": []}
    for start, end in zip(signs, [*signs[1:], len(tokens)], strict=True):
        found[tokens[start]] += _split(tokens[start + 1 : end], ",")
    return Sources(
        frozenset(_column(each, schema) for each in found["="]),
        frozenset(_column(each, schema) for each in found["~"]),
        frozenset(map("".join, found["!"])),
    )


def _column(tokens: Sequence[str], schema: str) -> RelationColumn:
    """Read ``table.column`` or ``schema.table.column``."""
    names = [ALL if token == "*" else unquote(token) for token in tokens[::2]]
    if len(names) not in (2, 3) or any(dot != "." for dot in tokens[1::2]):
        raise ValueError(f"{''.join(tokens)!r} is no table.column")
    return RelationColumn(ViewName(schema if len(names) == 2 else names[0], names[-2]), names[-1])


def unquote(name: str) -> str:
    """Return what a name as it is written in SQL stands for."""
    if not name.endswith('"'):
        return name
    if not name.startswith("U&"):
        return name[1:-1].replace('""', '"')
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), name[3:-1].replace('""', '"'))
