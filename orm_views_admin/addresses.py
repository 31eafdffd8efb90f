"""Naming a view in URLs and forms: a key without slashes of its own, whatever the view is called."""

from __future__ import annotations

import re
from typing import NamedTuple

from orm_views_core.names import ViewName

_ESCAPED = re.compile(r"~([0-9A-F]{2})")


class ViewAddress(NamedTuple):
    """A view of a database."""

    database: str
    name: ViewName

    @property
    def key(self) -> str:
        """The address as one string; :meth:`parse` reads it back."""
        return "/".join(escape(part) for part in (self.database, *self.name))

    @property
    def parts(self) -> dict[str, str]:
        """The address as arguments of a URL."""
        return {"database": self.database, "schema": self.name.schema, "name": self.name.name}

    @classmethod
    def parse(cls, key: str) -> ViewAddress:
        """Read a key.

        Raises:
            ValueError: when it is none.
        """
        database, schema, name = (unescape(part) for part in key.split("/"))
        return cls(database, ViewName(schema, name))


def escape(part: str) -> str:
    """Write a name so that it is one segment of a path.

    Per cent signs would not do: servers decode ``%2F`` before Django sees it. A segment of dots is resolved
    by browsers.
    """
    part = part.replace("~", "~7E").replace("/", "~2F")
    return part.replace(".", "~2E") if part in {".", ".."} else part


def unescape(segment: str) -> str:
    """Read what :func:`escape` wrote.

    Raises:
        ValueError: when it is no name, because PostgreSQL knows no NUL; as a path it is then not found.
    """
    name = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), segment)
    if "\0" in name:
        raise ValueError(f"{name!r} has a NUL in it")
    return name


class SegmentConverter:
    """A path converter for names; Django quotes what else needs it."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        return unescape(value)

    def to_url(self, value: str) -> str:
        return escape(value)
