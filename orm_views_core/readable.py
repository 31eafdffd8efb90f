"""The metaclass that makes a readable view an unmanaged Django model."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.db.models.base import ModelBase
from django.utils import translation

from .names import ViewName

_QUOTED_TABLE = re.compile(r'"((?:[^"]|"")+)"(?:\."((?:[^"]|"")+)")?')


def parse_db_table(db_table: str) -> tuple[str | None, str]:
    """Split ``Meta.db_table`` into schema and name: ``name``, ``"name"`` or ``"schema"."name"``."""
    match = _QUOTED_TABLE.fullmatch(db_table)
    if match is None:
        return None, db_table
    first, second = (part and part.replace('""', '"') for part in match.groups())
    return (first, second) if second else (None, first or db_table)


class ReadableViewBase(ModelBase):
    """Creates readable views: models that are never managed and whose table is the view.

    A proxy of one is another way to look at the same view, and is not a view itself.

    ``Meta`` is free: Django's own metaclass reads it, with ``managed`` set to False. Only the table's
    name is settled afterwards, because a view's name may be a ``classproperty`` of the finished class.
    """

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        attrs: dict[str, Any],
        *,
        should_register: bool = True,
        is_abstract_model: bool = False,
        **kwargs: Any,
    ) -> Any:
        own_meta = attrs.get("Meta")
        abstract = is_abstract_model or bool(vars(own_meta).get("abstract", False) if own_meta else False)
        proxy = not abstract and bool(getattr(own_meta, "proxy", False))
        parent = own_meta or next((base.Meta for base in bases if hasattr(base, "Meta")), object)
        meta: dict[str, Any] = {"abstract": True} if abstract else {"managed": False}
        if own_meta is not None:
            meta["__qualname__"] = own_meta.__qualname__
        db_table = vars(own_meta).get("db_table") if own_meta else None
        attrs = {**attrs, "Meta": type("Meta", (parent,), meta)}
        if not abstract:
            # Captured before Django writes "LoanBook(id, amount)" into an empty __doc__.
            attrs["_view_docstring"] = attrs.get("__doc__")
            attrs["_view_db_table"] = parse_db_table(db_table) if db_table else None
        should_register = should_register and not (abstract or proxy)
        view: Any = super().__new__(mcs, name, bases, attrs, should_register=should_register, **kwargs)
        if proxy:
            shown = view._meta.concrete_model
            view._view_db_table = shown._view_schema(), shown._view_name()
        elif not abstract:
            mcs._reinstate_field_descriptors(view)
            view._meta.db_table = ViewName(view._view_schema(), view._view_name()).quoted
        return view

    @staticmethod
    def _reinstate_field_descriptors(view: Any) -> None:
        """Put the descriptor of a field called ``name``, ``sql``, ``database`` … on the class.

        Django leaves it out where an inherited attribute has that name; then a deferred field would give
        the view's name instead of the row's.
        """
        for field in view._meta.concrete_fields:
            descriptor = vars(view).get(field.attname)
            if not hasattr(descriptor, "field"):
                setattr(view, field.attname, field.descriptor_class(field))


def is_readable(view: type) -> bool:
    """Say whether a view class is a Django model too."""
    return isinstance(view, ReadableViewBase)


def column_comments(view: type) -> dict[str, str]:
    """Return the ``help_text`` of a readable view's fields, by column, in the project's own language.

    Not in that of whoever happens to ask: the view would look changed to them.
    """
    if not is_readable(view):
        return {}
    fields = view._meta.concrete_fields  # type: ignore[attr-defined]
    with translation.override(settings.LANGUAGE_CODE):
        return {field.column: str(field.help_text) for field in fields if field.column and field.help_text}
