"""What a view class declares about itself, read into one value, as Django reads ``Meta`` into ``Options``."""

from __future__ import annotations

import inspect
import sys
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from orm_views_core.conf import default_schema, schema_on
from orm_views_core.names import SourceLocation, ViewName
from orm_views_core.spelling import spelling_on

T = TypeVar("T")
_MISSING = object()


def declared(view: type, attribute: str, default: Any = None) -> Any:
    """Return the value of a class attribute, ignoring model fields of the same name.

    A readable view may have columns called ``name``, ``sql``, ``prefix``, ``hidden``, ``database`` or
    ``pk_field``. Django puts a field descriptor where the class attribute was. The metaclass keeps the
    attribute in ``_view_declared``.

    Args:
        view: the view class.
        attribute: a plain attribute or a ``classproperty``, of the class or of one of its bases.
        default: the result when only fields have that name.
    """
    for base in view.__mro__:
        if attribute not in (attributes := base.__dict__):
            continue
        value = attributes[attribute]
        if hasattr(value, "field") or hasattr(value, "contribute_to_class"):
            kept = attributes.get("_view_declared", {})
            if attribute not in kept or hasattr(kept[attribute], "contribute_to_class"):
                continue
            value = kept[attribute]
        return value.__get__(None, view) if hasattr(value, "__get__") else value
    return default


class _Option(Generic[T]):
    """A class attribute of a view. It is read at its first use and then kept in the ``ViewOptions`` object.

    Reading has to wait: a ``classproperty`` may fail, or need other models to be loaded.
    """

    def __init__(self, default: T) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, options: ViewOptions, owner: type) -> T:
        value: Any = getattr(options.view, self.name, _MISSING)
        # A value of one of these types is no field. declared() is slower, and only needed for other values.
        if not (value is None or isinstance(value, (bool, str, list, tuple))):
            value = declared(options.view, self.name, self.default)
        options.__dict__[self.name] = value
        return value  # type: ignore[no-any-return]  # the values are not checked


@dataclass
class ParameterisedSQL:
    """SQL with ``%s`` placeholders, and their values, as ``cursor.execute`` takes them.

    Attributes:
        sql: the SQL.
        params: the values, in the order of the placeholders.
        columns: the names for the columns of a SELECT; empty if the SQL names them itself.
    """

    sql: str
    params: Sequence[Any] = field(default_factory=list)
    columns: tuple[str, ...] = ()


class OfClass:
    """An option that a readable view has, and its rows do not: ``row.name`` is a column, or nothing.

    Args:
        view: the view.
        name: the name of the option.
    """

    def __init__(self, view: type, name: str) -> None:
        self.view, self.name = view, name
        self.own = vars(view).get(name, _MISSING)

    def __get__(self, row: object | None, view: type) -> Any:
        if row is not None:
            raise AttributeError(f"{view.__name__!r} object has no attribute {self.name!r}")
        if self.own is _MISSING:
            return getattr(super(self.view, view), self.name)
        return self.own.__get__(None, view) if hasattr(self.own, "__get__") else self.own


@dataclass(frozen=True)
class ViewOptions:
    """The options of one view class.

    The types are those that the documentation asks for. The values are not checked here.
    """

    view: type

    build_settings = _Option[Mapping[str, object]]({})
    check_option = _Option[str | None](None)
    database = _Option[str](DEFAULT_DB_ALIAS)
    db_tablespace = _Option[str | None](None)
    engines = _Option[Sequence[str] | None](None)
    exposes = _Option[Sequence[str]](())
    grant_select_to = _Option[Sequence[str]](())
    hidden = _Option[bool](False)
    index_tablespace = _Option[str | None](None)
    indexes = _Option[Sequence[object]](())
    name = _Option[str]("")
    not_personal = _Option[Sequence[str]](())
    pk_field = _Option[str | Sequence[str] | None](None)
    prefix = _Option[str | None](None)
    schema = _Option[str | Callable[[BaseDatabaseWrapper], str] | None](None)
    security_barrier = _Option[bool | None](None)
    security_invoker = _Option[bool | None](None)
    sql = _Option[str | Mapping[str, str] | None](None)
    staff = _Option[Mapping[str, Sequence[str]]]({})
    storage_parameters = _Option[Mapping[str, object]]({})
    updatable = _Option[bool](False)
    view_dependencies = _Option[Sequence[type]](())
    with_data = _Option[bool](True)

    def refresh_every(self, default: object = None) -> object:
        """Return ``refresh_every`` of the class, or ``default`` if the class does not set it."""
        return declared(self.view, "refresh_every", default)

    @property
    def key(self) -> tuple[str, ...]:
        """The names in ``pk_field``."""
        names = self.pk_field or ()
        return (names,) if isinstance(names, str) else tuple(names)

    @property
    def source(self) -> SourceLocation | None:
        """Where the class statement is written."""
        return self.statement.location if self.statement else None

    @property
    def statement(self) -> ClassStatement | None:
        """The class statement."""
        return vars(self.view).get("_view_statement")

    @property
    def docstring(self) -> str:
        """The docstring of the class itself, without indentation. That of a base class does not count."""
        attributes = vars(self.view)
        docstring = attributes.get("_view_docstring", attributes.get("__doc__"))
        return inspect.cleandoc(docstring) if docstring else ""

    def relation(self, default: str | None = None) -> ViewName:
        """Return the name of the view in its database. ``Meta.db_table`` of a readable view takes precedence.

        Args:
            default: the schema of a view that names none; that of the settings when None.
        """
        schema = self.schema_or_function if default is None else self._own_schema or default
        if callable(schema):
            schema = schema_on(connections[self.database], schema)
        return self.in_schema(schema)

    @property
    def placed(self) -> str:
        """The name of the view as SQL has it on the engine of its database, with quotes."""
        return spelling_on(self.database).place(self.relation())

    def in_schema(self, schema: str) -> ViewName:
        """Return the name of the view in some schema."""
        return ViewName(schema, self._table.name or self.name)

    @property
    def schema_or_function(self) -> str | Callable[[BaseDatabaseWrapper], str]:
        """The schema of the view, or the function that returns it for a connection."""
        return self._own_schema or default_schema()

    @property
    def _own_schema(self) -> str | Callable[[BaseDatabaseWrapper], str] | None:
        return self._table.schema or self.schema

    @property
    def _table(self) -> ViewName:
        return vars(self.view).get("_view_db_table") or ViewName("", "")


#: The class attributes that a field may share its name with. ``refresh_every`` is not one of them: no base
#: class gives it a value, so it hides no field.
OPTION_NAMES = frozenset(name for name, value in vars(ViewOptions).items() if isinstance(value, _Option))


class ClassStatement(NamedTuple):
    """Where a class statement is written, as the code and the instruction that it was executed by.

    Its line is looked up when somebody asks for it: going through the lines of a module takes time.
    """

    code: CodeType
    instruction: int

    @property
    def key(self) -> tuple[str, int]:
        """A value that tells it from other class statements. The hash of code takes long.

        A module is executed once. In a function, Python may replace an instruction by a faster one before it.
        """
        is_in_module = self.code.co_name == "<module>"
        return self.code.co_filename, self.instruction if is_in_module else self.location.line

    @property
    def location(self) -> SourceLocation:
        """The file and the line."""
        return SourceLocation(self.code.co_filename, _line(self.code, self.instruction))


def find_class_statement(module: str) -> ClassStatement | None:
    """Return the class statement of ``module`` that is being executed.

    The call stack has it already. ``inspect.getsourcelines`` would parse the file again for each view.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame and frame.f_globals.get("__name__") != module:
        frame = frame.f_back
    return ClassStatement(frame.f_code, frame.f_lasti) if frame else None


#: The code that a line was asked of last, where its lines start, and their numbers.
_lines: tuple[CodeType | None, list[int], list[int | None]] = None, [], []


def _line(code: CodeType, instruction: int) -> int:
    """Return the line of an instruction.

    ``frame.f_lineno`` goes through all lines before it. For a module of N classes that takes the time of N².
    """
    global _lines
    known, starts, numbers = _lines
    if known is not code:
        starts, numbers = map(list, zip(*((start, line) for start, _, line in code.co_lines()), strict=True))
        _lines = code, starts, numbers
    return numbers[bisect_right(starts, instruction) - 1] or code.co_firstlineno
