"""What a view is called and where it is written: small values that every stage passes on."""

from __future__ import annotations

import enum
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

#: What a view class says of itself. A field may have one of these names too: :func:`declared` reads past it.
READ_PAST_FIELDS = frozenset(
    {
        "check_option",
        "database",
        "grant_select_to",
        "hidden",
        "indexes",
        "name",
        "pk_field",
        "prefix",
    }
    | {"schema", "security_barrier", "security_invoker", "sql", "updatable", "view_dependencies", "with_data"}
)

#: NAMEDATALEN - 1: PostgreSQL silently cuts longer identifiers, and two views could then become one.
MAX_IDENTIFIER_BYTES = 63


def quote_identifier(identifier: str) -> str:
    """Quote an identifier for PostgreSQL, always, so that no name is folded or taken for a keyword."""
    return '"' + identifier.replace('"', '""') + '"'


class ViewName(NamedTuple):
    """A relation's name within one database."""

    schema: str
    name: str

    @property
    def quoted(self) -> str:
        """``"schema"."name"``, ready for SQL and for ``Meta.db_table``."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.name)}"

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


def column_list(columns: Sequence[str]) -> str:
    """Return `` ("a", "b")`` to put behind a view's name, or nothing."""
    return f" ({', '.join(map(quote_identifier, columns))})" if columns else ""


def key_name(view: str, columns: Sequence[str]) -> str:
    """Name the unique index of a view's key, as PostgreSQL names that of a table's, within its limit."""
    name = "_".join([view, *columns, "key"])
    if len(name.encode()) <= MAX_IDENTIFIER_BYTES:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{view.encode()[:50].decode(errors='ignore')}_{digest}_key"


class ViewKind(enum.Enum):
    """What PostgreSQL calls the two; the value is the words of its DDL."""

    VIEW = "VIEW"
    MATERIALISED_VIEW = "MATERIALIZED VIEW"

    @property
    def label(self) -> str:
        """The kind as a person says it."""
        return "view" if self is ViewKind.VIEW else "materialised view"


@dataclass(frozen=True)
class SourceLocation:
    """Where a class statement stands."""

    file: str
    line: int

    def __str__(self) -> str:
        path = Path(self.file)
        if path.is_relative_to(Path.cwd()):
            path = path.relative_to(Path.cwd())
        return f"{path}, line {self.line}"


def find_class_statement(module: str) -> SourceLocation | None:
    """Find the class statement of ``module`` that is being executed right now.

    Reading it off the stack costs nothing; ``inspect.getsourcelines`` would parse the file again for each
    of a thousand views.
    """
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__") == module:
            return SourceLocation(frame.f_code.co_filename, frame.f_lineno)
        if frame.f_back is None:
            break
        frame = frame.f_back
    return None


def declared(cls: type, attribute: str, default: Any = None) -> Any:
    """Return what a view class says for ``attribute``, passing over a model field of that name.

    A readable view may have columns called ``name``, ``sql``, ``prefix``, ``hidden``, ``database`` or
    ``pk_field``: their field descriptors stand where the view's own declaration would, which is kept in
    ``_view_said`` then.

    Args:
        cls: the view class.
        attribute: a plain attribute or a ``classproperty``, of the class or of one of its bases.
        default: what to return when nothing but fields has that name.
    """
    for base in cls.__mro__:
        if attribute not in (said := base.__dict__):
            continue
        value = said[attribute]
        if value is None or isinstance(value, (bool, str, list, tuple)):  # nearly always
            return value
        if hasattr(value, "field") or hasattr(value, "contribute_to_class"):
            kept = said.get("_view_said", {})
            if attribute not in kept or hasattr(kept[attribute], "contribute_to_class"):
                continue
            value = kept[attribute]
        return value.__get__(None, cls) if hasattr(value, "__get__") else value
    return default
