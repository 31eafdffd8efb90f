"""What a view class is called: by people, and in its database."""

from __future__ import annotations

from django.apps import apps

from orm_views_core.exceptions import InvalidViewError
from orm_views_core.names import MAX_IDENTIFIER_BYTES, ViewName

from .base import BasePostgresView
from .readable import is_readable


def label_of(view: type) -> str:
    """Return ``app_label.ClassName`` of a view class."""
    if is_readable(view):
        return str(view._meta.label)  # type: ignore[attr-defined]
    app = apps.get_containing_app_config(view.__module__)
    return f"{app.label if app else view.__module__.partition('.')[0]}.{view.__name__}"


def describe(view: type) -> str:
    """Return a view class's label and where it is written, for messages."""
    source = vars(view).get("_view_source")
    return f"{label_of(view)} ({source})" if source else label_of(view)


def name_of(view: type[BasePostgresView], default_schema: str | None = None) -> ViewName:
    """Return the name that a view class has in its database.

    Args:
        view: the class.
        default_schema: the schema of a view that names none; the setting's when None.

    Raises:
        InvalidViewError: when it is not one that PostgreSQL would keep as it is.
    """
    try:
        name = ViewName(view._view_schema(default_schema), view._view_name())
    except Exception as error:
        raise InvalidViewError(
            f"{describe(view)}: its name cannot be had: {type(error).__name__}: {error}"
        ) from error
    for part, value in (("schema", name.schema), ("name", name.name)):
        if not isinstance(value, str) or not value or "\0" in value:
            raise InvalidViewError(f"{describe(view)}: its {part} is {value!r}. Give it a non-empty string.")
        if (size := len(value.encode())) > MAX_IDENTIFIER_BYTES:
            raise InvalidViewError(
                f"{describe(view)}: its {part} {value!r} has {size} bytes, and PostgreSQL keeps "
                f"{MAX_IDENTIFIER_BYTES}. Set a shorter {part!r} on the class."
            )
    return name
