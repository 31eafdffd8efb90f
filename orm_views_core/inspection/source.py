"""The fields of a view as the source text of a model, from the columns that it has. Pure."""

from __future__ import annotations

import keyword
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orm_views_core.database.relations import Column
from orm_views_core.names import SourceLocation
from orm_views_core.sql.types import FieldSource, NamedType, field_for


@dataclass(frozen=True)
class DeclaredColumn:
    """A column, and the field that reads it.

    Attributes:
        attribute: what the field is called; not as the column where Python or Django would not have it.
        arguments: those that its type does not ask for.
    """

    column: Column
    attribute: str
    field: FieldSource
    arguments: tuple[str, ...] = ()

    @property
    def source(self) -> str | None:
        """The field as it is written behind its name; None when Django cannot read the column."""
        return self.field.write(*self.arguments) if can_be_field(self.column.name) else None


@dataclass(frozen=True)
class Inspection:
    """A view with the fields that read it.

    Attributes:
        label: ``app_label.ClassName`` of its class.
        source: where that is written.
        database: the alias.
        view: its name.
        is_readable: whether it is a model already.
        bases: the base class that it has, and the one that would make it a model; for one that is none.
        key: the columns that identify a row; empty when that is not known.
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
    named: Mapping[str, NamedType],
) -> tuple[DeclaredColumn, ...]:
    """Return the fields that read some columns.

    Args:
        columns: those, in their order.
        key: the columns that identify a row.
        taken: the names that no field may have.
        named: the domains and enums among the columns' types.
    """
    used: set[str] = set()
    declared = []
    for column in columns:
        only_key = list(key) == [column.name]
        attribute = attribute_name(column.name, {*taken, *used}, is_key=only_key)
        used.add(attribute)
        arguments = ["primary_key=True"] if only_key else []
        if column.name not in key:
            # A view's columns carry no NOT NULL, and an outer join may make any of them NULL.
            arguments = ["null=True", "blank=True"]
        if attribute != column.name:
            arguments.append(f"db_column={column.name!r}")
        field_source = field_for(column.type, named)
        declared.append(DeclaredColumn(column, attribute, field_source, tuple(arguments)))
    return tuple(declared)


def can_be_field(column: str) -> bool:
    """Say whether Django can read a column of this name.

    It doubles neither quotes nor per cent signs in it, for which the driver then wants parameters.
    """
    return not {"%", '"'} & set(column)


def attribute_name(column: str, taken: Collection[str], *, is_key: bool = False) -> str:
    """Return what to call the field of a column.

    Args:
        column: its name, which may be anything.
        taken: the names that it may not have.
        is_key: whether it is the key by itself: Django has no other field called ``id``.
    """
    # Django reads a double underscore as the way to a related model, and allows no underscore at the end.
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
    """Yield the source text to paste: what to import, then the fields, as far in as a class has them."""
    where = f" ({inspection.source})" if inspection.source else ""
    yield f"# The fields of {inspection.label}{where}, for below its class statement."
    if not inspection.is_readable:
        base, readable = inspection.bases
        yield f"# It is no model yet: let it inherit {readable} instead of {base}."
    yield from _imports(inspection)
    yield ""
    attributes = {declared.column.name: declared.attribute for declared in inspection.columns}
    if len(inspection.key) > 1:
        parts = ", ".join(f'"{attributes[column]}"' for column in inspection.key)
        yield f"    pk = models.CompositePrimaryKey({parts})"
    elif not inspection.key:
        yield "    # Which columns identify a row is not known; without a key Django looks for a column id."
        yield "    # Write primary_key=True in one field, in the place of null=True, blank=True; for several:"
        yield '    # pk = models.CompositePrimaryKey("…", "…")'
    for declared in inspection.columns:
        if declared.source is None:
            name = " ".join(declared.column.name.split())
            yield f'    # {name!r}: Django reads no column with % or " in its name. Rename it in the SQL.'
            continue
        comment = f"  # {declared.field.comment}" if declared.field.comment else ""
        yield f"    {declared.attribute} = {declared.source}{comment}"


def _imports(inspection: Inspection) -> Iterator[str]:
    names: defaultdict[str, set[str]] = defaultdict(set)
    for module, name in [("django.db", "models"), *(i for c in inspection.columns for i in c.field.imports)]:
        names[module].add(name)
    if not inspection.is_readable:
        names["orm_views_core.views"].add(inspection.bases[1])
    needs_app = any(module.startswith("django.contrib.postgres") for module in names)
    if needs_app and not inspection.has_contrib_postgres:
        yield '# Add "django.contrib.postgres" to INSTALLED_APPS.'
    for module in sorted(names):
        yield f"from {module} import {', '.join(sorted(names[module]))}"


def inspection_as_dict(inspection: Inspection) -> dict[str, Any]:
    """Return the facts as JSON has them."""
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
