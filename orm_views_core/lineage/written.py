"""Names as people write them: parts with dots between them, in quotes where a part has a dot itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from orm_views_core.database.lineage import RelationColumn
from orm_views_core.exceptions import UnknownNameError
from orm_views_core.names import ViewName, quote_identifier
from orm_views_core.sentences import Sentence

#: In the place of a column: all columns of the relation.
ALL_COLUMNS = "*"

_PART = re.compile(r'"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[^".]+)')
_PLAIN = re.compile(r'[^\s".,()*](?:[^".,()\n]*[^\s".,()])?')


class Part(NamedTuple):
    """A part of a name, and whether it was written in quotes. Only names in the database can be quoted."""

    text: str
    is_quoted: bool


def parts_of(text: str) -> list[Part]:
    """Split a name at its dots. A part in double quotes may have dots; a quote in it is written twice.

    Raises:
        UnknownNameError: the text is no such name.
    """
    parts, position = [], 0
    while match := _PART.match(text, position):
        quoted = match["quoted"]
        parts.append(Part(quoted.replace('""', '"'), True) if quoted else Part(match["plain"], False))
        position = match.end()
        if position == len(text):
            return parts
        if text[position] != ".":
            break
        position += 1
    raise UnknownNameError(
        Sentence(
            f"{text!r} is no name: a part is empty, or a quote is open. Write names with dots between them, "
            "such as lending.Loan.status or public.lending_loan.status. Put a part that has a dot in double "
            "quotes: "
            '"odd.name".'
        )
    )


def relations_of(parts: Sequence[Part]) -> Iterator[RelationColumn]:
    """Yield the relations, and the columns of relations, that up to three parts may be.

    A schema that is not named is "". So is the column of a whole relation.
    """
    *most, last = (part.text for part in parts)
    if most and parts[-1] == Part(ALL_COLUMNS, False):
        last = ""
    if not most:
        yield RelationColumn(ViewName("", last), "")
    elif len(most) == 1:
        yield RelationColumn(ViewName("", most[0]), last)
        if last:
            yield RelationColumn(ViewName(most[0], last), "")
    else:
        yield RelationColumn(ViewName(most[0], most[1]), last)


def write_relation(relation: ViewName) -> str:
    """Return the name of a relation as :func:`parts_of` reads it."""
    return ".".join(map(write_name, relation))


def write_column(column: RelationColumn) -> str:
    """Return the name of a column with its relation as :func:`parts_of` reads it."""
    return f"{write_relation(column.relation)}.{write_name(column.column)}"


def write_name(part: str) -> str:
    """Return a part of a name, in quotes if it needs them."""
    return part if _PLAIN.fullmatch(part) else quote_identifier(part)
