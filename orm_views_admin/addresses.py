"""The address of a view in URLs and forms: names are escaped, because they may contain any character."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from orm_views_core.names import ViewName

_ESCAPED = re.compile(r"~([0-9A-F]{2})")


class Recorded(Protocol):
    """What is recorded of a view or of a database, such as a run."""

    database: str

    @property
    def view_name(self) -> ViewName | None: ...


class ViewAddress(NamedTuple):
    """A database and the name of a view in it.

    Attributes:
        database: the alias.
        name: the schema and the name of the view.
    """

    database: str
    name: ViewName

    @property
    def key(self) -> str:
        """The address as a string with two slashes; :meth:`parse` is the inverse."""
        return "/".join(escape(part) for part in (self.database, *self.name))

    @property
    def parts(self) -> dict[str, str]:
        """The address as the arguments of a URL pattern."""
        return {"database": self.database, "schema": self.name.schema, "name": self.name.name}

    @classmethod
    def of(cls, recorded: Recorded) -> ViewAddress | None:
        """Return the address of the view that is recorded with something; None for a whole database.

        Args:
            recorded: what is recorded, such as a ``Run``.
        """
        return cls(recorded.database, recorded.view_name) if recorded.view_name else None

    @classmethod
    def parse(cls, key: str) -> ViewAddress:
        """Return the address of a key.

        Args:
            key: the text, as :attr:`key` has it.

        Raises:
            ValueError: if it is not the key of an address.
        """
        database, schema, name = (unescape(part) for part in key.split("/"))
        return cls(database, ViewName(schema, name))


def by_database(addresses: Iterable[ViewAddress]) -> dict[str, list[ViewName]]:
    """Return the names of views by their database."""
    names: defaultdict[str, list[ViewName]] = defaultdict(list)
    for address in addresses:
        names[address.database].append(address.name)
    return names


def escape(part: str) -> str:
    """Return a name as one segment of a path.

    Percent-encoding is not enough: servers decode ``%2F`` before Django sees it. Names of dots are escaped
    because browsers resolve the segments ``.`` and ``..``.
    """
    part = part.replace("~", "~7E").replace("/", "~2F")
    return part.replace(".", "~2E") if part in {".", ".."} else part


def unescape(segment: str) -> str:
    """Return the name of a segment; the inverse of :func:`escape`.

    Raises:
        ValueError: if the name contains NUL, which PostgreSQL does not allow. The path is then not found.
    """
    name = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), segment)
    if "\0" in name:
        raise ValueError(f"{name!r} contains NUL")
    return name


class SegmentConverter:
    """A path converter for names. Django percent-encodes all other special characters."""

    regex = "[^/]+"
    to_python = staticmethod(unescape)
    to_url = staticmethod(escape)
