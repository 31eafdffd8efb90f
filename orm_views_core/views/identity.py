"""The label of a view class and the name of its view."""

from __future__ import annotations

from django.apps import apps

from orm_views_core.exceptions import InvalidViewError
from orm_views_core.names import MAX_IDENTIFIER_BYTES, ViewKind, ViewName
from orm_views_core.quoting import because, embedded

from .base import BasePostgresView, PostgresMaterialisedViewMixin
from .options import ViewOptions
from .readable import is_readable


def label_of(view: type) -> str:
    """Return ``app_label.ClassName`` of a view class."""
    if is_readable(view):
        return str(view._meta.label)  # type: ignore[attr-defined]
    app = apps.get_containing_app_config(view.__module__)
    return f"{app.label if app else view.__module__.partition('.')[0]}.{view.__name__}"


def kind_of(view: type) -> ViewKind:
    """Return the kind that a view class declares."""
    is_materialised = issubclass(view, PostgresMaterialisedViewMixin)
    return ViewKind.MATERIALISED_VIEW if is_materialised else ViewKind.VIEW


def describe(view: type) -> str:
    """Return the label, the file and the line of a view class, for messages."""
    source = ViewOptions(view).source
    return f"{label_of(view)} ({source})" if source else label_of(view)


def invalid(view: type, problem: str) -> InvalidViewError:
    """Return an error about a view class. It names the class, its file and line."""
    return InvalidViewError(embedded(f"{describe(view)}: ", problem))


def name_of(view: type[BasePostgresView], default_schema: str | None = None) -> ViewName:
    """Return the name of a view class's view in its database.

    Args:
        view: the class.
        default_schema: the schema of a view that names none; that of the settings when None.

    Raises:
        InvalidViewError: the name is no string, or PostgreSQL would change it.
    """
    try:
        name = ViewOptions(view).relation(default_schema)
    except Exception as error:
        raise invalid(view, because("its name cannot be read", error)) from error
    for part, value in (("schema", name.schema), ("name", name.name)):
        if not isinstance(value, str) or not value or "\0" in value:
            raise invalid(view, f"its {part} is {value!r}. Give it a non-empty string.")
        if (size := len(value.encode())) > MAX_IDENTIFIER_BYTES:
            problem = f"its {part} {value!r} has {size} bytes, and PostgreSQL keeps {MAX_IDENTIFIER_BYTES}."
            raise invalid(view, f"{problem} Set a shorter {part!r} on the class.")
    return name
