"""The label of a view class and the name of its view."""

from __future__ import annotations

from django.apps import apps

from orm_views_core.exceptions import InvalidViewError
from orm_views_core.names import MAX_IDENTIFIER_BYTES, ViewKind, ViewName, written_at
from orm_views_core.quoting import because, embedded
from orm_views_core.sentences import Sentence, says

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


def describe(view: type) -> Sentence:
    """Return the label, the file and the line of a view class, for messages."""
    return written_at(label_of(view), ViewOptions(view).source)


def invalid(view: type, problem: Sentence) -> InvalidViewError:
    """Return an error about a view class. It names the class, its file and line."""
    return InvalidViewError(embedded(says("%(where)s: %(problem)s", where=describe(view), problem=problem)))


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
        raise invalid(view, because(says("its name cannot be read"), error)) from error
    for part, value in (("schema", name.schema), ("name", name.name)):
        if not isinstance(value, str) or not value or "\0" in value:
            raise invalid(
                view,
                says("its %(option)s is %(value)r. Give it a non-empty string.", option=part, value=value),
            )
        if (size := len(value.encode())) > MAX_IDENTIFIER_BYTES:
            problem = says(
                "its %(option)s %(value)r has %(size)s bytes, and PostgreSQL keeps %(most)s. Set a shorter "
                "%(option)r on the class.",
                option=part,
                value=value,
                size=size,
                most=MAX_IDENTIFIER_BYTES,
            )
            raise invalid(view, problem)
    return name
