"""The source text of a model's fields, from the columns of a view. Pure."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from orm_views_core.database.relations import Column
from orm_views_core.names import SourceLocation
from orm_views_core.sql.types import FieldSource


@dataclass(frozen=True)
class DeclaredColumn:
    """A column, and the field that reads it.

    Attributes:
        attribute: the name of the field. It is the column's name unless Python or Django forbids that.
        arguments: the arguments of the field besides those of its type.
    """

    column: Column
    attribute: str
    field: FieldSource
    arguments: tuple[str, ...] = ()

    @property
    def source(self) -> str | None:
        """The source of the field without its name; None when Django cannot read the column."""
        return self.field.write(*self.arguments) if can_be_field(self.column.name) else None


@dataclass(frozen=True)
class Inspection:
    """A view with the fields that read it.

    Attributes:
        label: ``app_label.ClassName``.
        source: the file and line of the class.
        database: the alias.
        view: the name of the view.
        is_readable: whether the class is a model.
        key: the columns that identify a row; empty when they are not known.
        bases: the base class of a view that is not a model, and the base class that would make it one.
        has_contrib_postgres: whether ``django.contrib.postgres`` is installed.
    """

    label: str
    source: SourceLocation | None
    database: str
    view: str
    is_readable: bool
    columns: tuple[DeclaredColumn, ...] = ()
    key: tuple[str, ...] = ()
    bases: tuple[str, str] = ("", "")
    has_contrib_postgres: bool = False


def declare_columns(
    columns: Sequence[Column],
    key: Collection[str],
    taken: Collection[str],
    field_of: Callable[[str], FieldSource],
) -> tuple[DeclaredColumn, ...]:
    """Return the field for each column.

    Args:
        key: the names of the columns that identify a row.
        taken: the names that no field may have.
        field_of: returns the field for a type.
    """
    used = set(taken)
    declared = []
    for column in columns:
        is_key = list(key) == [column.name]
        attribute = attribute_name(column.name, used, is_key=is_key)
        used.add(attribute)
        arguments = ["primary_key=True"] if is_key else []
        if column.name not in key:
            # A column of a view has no NOT NULL constraint, and an outer join may make any column NULL.
            arguments = ["null=True", "blank=True"]
        if attribute != column.name:
            arguments.append(f"db_column={column.name!r}")
        declared.append(DeclaredColumn(column, attribute, field_of(column.type), tuple(arguments)))
    return tuple(declared)


def can_be_field(column: str) -> bool:
    """Return whether Django can read a column with this name.

    Django does not double a quote in a name, nor a per cent sign, which the driver takes for a parameter.
    """
    return not {"%", '"'} & set(column)


def attribute_name(column: str, taken: Collection[str], *, is_key: bool = False) -> str:
    """Return a name for the field of a column.

    Args:
        column: the name of the column, which may be any text.
        taken: the names that the field may not have.
        is_key: whether the column is the whole key. Django allows no other field the name ``id``.
    """
    # Django forbids a double underscore, which is a lookup in a related model, and an underscore at the end.
    name = re.sub(r"_+", "_", re.sub(r"\W", "_", column.lower())).strip("_")
    if not name or not name.isidentifier():
        name = f"column_{name}".rstrip("_")
    if keyword.iskeyword(name) or name in taken or (name == "id" and not is_key):
        name = f"{name}_field"
    number, free = 2, name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def declaration_lines(inspection: Inspection) -> Iterator[str]:
    """Yield the source text to paste: the imports, then the fields, indented as in a class."""
    where = f" ({inspection.source})" if inspection.source else ""
    yield f"# The fields of {inspection.label}{where}. Paste them below its class statement."
    if not inspection.is_readable:
        base, readable = inspection.bases
        yield f"# It is not a model yet. Let it inherit from {readable} instead of {base}."
    yield from _imports(inspection)
    yield ""
    attributes = {declared.column.name: declared.attribute for declared in inspection.columns}
    if len(inspection.key) > 1:
        parts = ", ".join(f'"{attributes[column]}"' for column in inspection.key)
        yield f"    pk = models.CompositePrimaryKey({parts})"
    elif not inspection.key:
        yield "    # Which columns identify a row is not known. Without a key, Django reads a column id."
        yield "    # In one field, write primary_key=True instead of null=True, blank=True. For several:"
        yield '    # pk = models.CompositePrimaryKey("…", "…")'
    for declared in inspection.columns:
        if declared.source is None:
            name = " ".join(declared.column.name.split())
            problem = 'Django cannot read a column with % or " in its name. Rename it in the SQL.'
            yield f"    # {name!r}: {problem}"
            continue
        comment = f"  # {declared.field.comment}" if declared.field.comment else ""
        yield f"    {declared.attribute} = {declared.source}{comment}"


def _imports(inspection: Inspection) -> Iterator[str]:
    imports = {("django.db", "models"), *(i for column in inspection.columns for i in column.field.imports)}
    if not inspection.is_readable:
        imports.add(("orm_views_core.views", inspection.bases[1]))
    modules = sorted({module for module, _ in imports})
    needs_app = any(module.startswith("django.contrib.postgres") for module in modules)
    if needs_app and not inspection.has_contrib_postgres:
        yield '# Add "django.contrib.postgres" to INSTALLED_APPS.'
    for module in modules:
        yield f"from {module} import {', '.join(sorted(name for of, name in imports if of == module))}"


def inspection_as_dict(inspection: Inspection) -> dict[str, Any]:
    """Return an inspection as a JSON object."""
    return {
        "view": inspection.view,
        "class": inspection.label,
        "source": str(inspection.source) if inspection.source else None,
        "database": inspection.database,
        "readable": inspection.is_readable,
        "key": list(inspection.key),
        "columns": [
            {
                "name": declared.column.name,
                "type": declared.column.type,
                "collation": declared.column.collation or None,
                "attribute": declared.attribute,
                "field": declared.source,
                "imports": [f"{module}.{name}" for module, name in declared.field.imports],
                "comment": declared.field.comment or None,
            }
            for declared in inspection.columns
        ],
    }
