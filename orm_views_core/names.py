"""The name, the kind and the source location of a view, and the quoting of identifiers."""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from orm_views_core.sentences import Sentence, says, says_in

#: NAMEDATALEN - 1. PostgreSQL silently truncates longer identifiers, so that two names could become one.
MAX_IDENTIFIER_BYTES = 63

_QUOTED_TABLE = re.compile(r'(?:"((?:[^"]|"")+)"\.)?"((?:[^"]|"")+)"')


def quote_identifier(identifier: str) -> str:
    """Quote an identifier for PostgreSQL. Without quotes it could be folded, or taken for a keyword."""
    return '"' + identifier.replace('"', '""') + '"'


def printable(name: str) -> str:
    """Return a name that anybody may have chosen as messages show it: on one line.

    Escape sequences and the like are written out, because a terminal would carry them out.
    """
    if name.isprintable():
        return name
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in name)


class ViewName(NamedTuple):
    """The name of a relation in one database.

    ``str()`` is ``schema.name`` as messages have it.

    Attributes:
        schema: the schema.
        name: the name in that schema.

    Example:
        >>> from orm_views_core.names import ViewName
        >>> name = ViewName("views", "loan_book")
        >>> print(name, name.quoted)
        views.loan_book "views"."loan_book"
    """

    schema: str
    name: str

    @property
    def quoted(self) -> str:
        """``"schema"."name"``, ready for SQL and for ``Meta.db_table``."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.name)}"

    def __str__(self) -> str:
        return printable(f"{self.schema}.{self.name}" if self.schema else self.name)


def parse_db_table(db_table: str) -> ViewName:
    """Split ``Meta.db_table`` into schema and name: ``name``, ``"name"``, ``"schema"."name"`` or
    ``schema"."name``, to which Django adds the outer quotes.

    The schema is "" if the text names none.
    """
    is_quoted = db_table.startswith('"') and db_table.endswith('"')  # as Django decides it
    match = _QUOTED_TABLE.fullmatch(db_table if is_quoted else f'"{db_table}"')
    if match is None:
        return ViewName("", db_table)
    schema, name = (part.replace('""', '"') for part in match.groups(default=""))
    return ViewName(schema, name)


def table_label(db_table: str) -> str:
    """Return a ``Meta.db_table`` as it is written in messages: ``schema.name``, without quotes."""
    name = parse_db_table(db_table)
    return str(name) if name.schema else printable(name.name)


def column_list(columns: Sequence[str]) -> str:
    """Return the column list that follows a view's name, `` ("a", "b")``; "" for no columns."""
    return f" ({', '.join(map(quote_identifier, columns))})" if columns else ""


def key_name(view: str, columns: Sequence[str]) -> str:
    """Return the name of the unique index of a view's key.

    It is the name that PostgreSQL gives to the index of a table's key. A name that is too long is truncated
    and gets a hash, so that it stays unique.
    """
    name = "_".join([view, *columns, "key"])
    if len(name.encode()) <= MAX_IDENTIFIER_BYTES:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{view.encode()[:50].decode(errors='ignore')}_{digest}_key"


class ViewKind(enum.Enum):
    """A plain or a materialised view. The value is the keyword in PostgreSQL's DDL.

    Attributes:
        VIEW: a plain view.
        MATERIALISED_VIEW: a materialised view.
    """

    VIEW = "VIEW"
    MATERIALISED_VIEW = "MATERIALIZED VIEW"

    @property
    def label(self) -> Sentence:
        """The kind as it is written in messages."""
        return (
            says_in("in a database", "view")
            if self is ViewKind.VIEW
            else says_in("in a database", "materialised view")
        )


@dataclass(frozen=True)
class SourceLocation:
    """The file and line of a class statement."""

    file: str
    line: int

    def __str__(self) -> str:
        return str(self.sentence)

    @property
    def sentence(self) -> Sentence:
        """The place in words."""
        path = Path(self.file)
        if path.is_relative_to(Path.cwd()):
            path = path.relative_to(Path.cwd())
        return says("%(file)s, line %(line)s", file=path, line=self.line)


__all__ = ["ViewKind", "ViewName"]


def written_at(label: str, source: SourceLocation | None) -> Sentence:
    """Return the label of a class and where it is written, for messages."""
    return says("%(label)s (%(place)s)", label=label, place=source.sentence) if source else Sentence(label)
