"""The metaclass that makes a readable view an unmanaged Django model."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import Field
from django.db.models.base import ModelBase
from django.utils import translation

from .exceptions import InvalidViewError
from .fields import settle_fields
from .names import ViewName, declared, find_class_statement
from .read_only import guard_managers

_QUOTED_TABLE = re.compile(r'"((?:[^"]|"")+)"(?:\."((?:[^"]|"")+)")?')


def parse_db_table(db_table: str) -> tuple[str | None, str]:
    """Split ``Meta.db_table`` into schema and name: ``name``, ``"name"`` or ``"schema"."name"``."""
    match = _QUOTED_TABLE.fullmatch(db_table)
    if match is None:
        return None, db_table
    first, second = (part and part.replace('""', '"') for part in match.groups())
    return (first, second) if second else (None, first or db_table)


#: What PostgreSQL has on tables only, and what to write instead.
_NOT_ON_VIEWS = {
    "constraints": "a view has none; the unique index of a materialised one is its pk_field",
    "unique_together": "a view has no constraints; the unique index of a materialised one is its pk_field",
    "order_with_respect_to": "its order is a column that Django would have to write; use ordering",
    "swappable": "a view cannot be swapped for a table",
    "db_table_comment": "the comment of a view is its docstring",
    "db_tablespace": "move a materialised one with ALTER MATERIALIZED VIEW; it stays where it is then",
}


class ReadableViewBase(ModelBase):
    """Creates readable views: models that are never managed and whose table is the view.

    A proxy of one is another way to look at the same view, and is not a view itself.

    ``Meta`` is free: Django's own metaclass reads it, with ``managed`` set to False. Only the table's
    name is settled afterwards, because a view's name may be a ``classproperty`` of the finished class.
    Fields and key are settled before, because Django's metaclass wants them whole.
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
        if not (abstract or proxy):
            _refuse_what_views_lack(name, attrs, bases)
            if not hasattr(parent, "default_permissions") and not _is_updatable(attrs, bases):
                attrs["Meta"].default_permissions = ("view",)
            twin = super().__new__(mcs, name, bases, _of_twin(attrs), should_register=False, **kwargs)
            attrs |= settle_fields(twin)
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
        guard_managers(view)
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


def _of_twin(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of an abstract twin, which can be asked for its queryset and declared fields.

    The class itself cannot: Django wants all fields, and the key above all, when it is created. Fields are
    copied, because they remember the class that they are put on; nothing else of Django's is needed.
    """
    said: dict[str, Any] = {}
    for name, value in attrs.items():
        if isinstance(value, Field):
            said[name] = copy.deepcopy(value)
        elif isinstance(value, type) or not hasattr(value, "contribute_to_class"):
            said[name] = value
    said["Meta"] = type("Meta", (attrs["Meta"],), {"abstract": True})
    return said


def _is_updatable(attrs: Mapping[str, Any], bases: tuple[type, ...]) -> bool:
    found = [attrs.get("updatable"), *(declared(base, "updatable") for base in bases)]
    return bool(next((value for value in found if isinstance(value, bool)), False))


def _refuse_what_views_lack(name: str, attrs: Mapping[str, Any], bases: tuple[type, ...]) -> None:
    """Raise an error for what Django would take and PostgreSQL could not give.

    Raises:
        InvalidViewError: it names the class, where it is written, and what to write instead.
    """
    where = f"{attrs['__module__']}.{name}"
    source = find_class_statement(attrs["__module__"])
    where += f" ({source})" if source else ""
    for option, why in _NOT_ON_VIEWS.items():
        if getattr(attrs["Meta"], option, None):
            raise InvalidViewError(f"{where}: its Meta has {option}, which cannot work: {why}.")
    for base in bases:
        if is_readable(base) and not base._meta.abstract:  # type: ignore[attr-defined]
            raise InvalidViewError(
                f"{where}: it inherits from the view {base.__name__}, and views have no tables that could be "
                "joined. Make the common part a base with is_abstract_model=True, or say proxy = True in its "
                "Meta to look at the same rows in another way."
            )


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
