"""How an engine writes values as texts, cuts and compares them."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple, Protocol, cast

from orm_views_core.engines.base import PlainEngine

from .kinds import Kind

#: The modules of the engines, by the first word of their spelling.
_MODULES = {"sqlite": ".sqlite", "mariadb": ".mariadb"}


#: Stands behind the length of a number where the type of the column does not tell that it is one.
IS_NUMBER = "n"


class Filter(NamedTuple):
    """A condition as SQL, and its parameters."""

    sql: str
    params: tuple[str, ...] = ()


class Dialect(Protocol):
    """How an engine writes values. Names are quoted for statements with parameters.

    Attributes:
        orders_any: whether it compares values of a type that is not known.
    """

    orders_any: bool

    def quote(self, identifier: str) -> str:
        """Return a name as SQL has it, with each per cent sign twice."""
        ...

    def text(self, column: str, kind: Kind) -> str:
        """Return the expression of a value's text, which is NULL where the value is."""
        ...

    def cell(self, column: str, kind: Kind, limit: int) -> str:
        """Return the expression of a text's length, ``IS_NUMBER`` or nothing, a colon, and its beginning.

        It is in bytes of UTF-8.

        Args:
            column: the column, quoted.
            kind: the kind of its values.
            limit: how many bytes of the text are needed. There may be some more.
        """
        ...

    def compared(self, column: str, kind: Kind, operator: str, value: str) -> Filter:
        """Return a comparison of a column with a value.

        Args:
            column: the column, quoted.
            kind: the kind of its values.
            operator: ``=``, ``<=`` or ``>=``.
            value: the value as it is sent.
        """
        ...

    def contains(self, column: str, kind: Kind, part: str) -> Filter:
        """Return whether the text has a part in it, in capitals or not."""
        ...

    def begins(self, column: str, kind: Kind, part: str) -> Filter:
        """Return whether the text begins with a part."""
        ...


def dialect_of(engine: PlainEngine) -> Dialect:
    """Return how an engine writes values."""
    module = import_module(_MODULES[engine.spelling.words[0]], __package__)
    return cast("Dialect", module.DIALECT)
