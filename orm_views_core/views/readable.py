"""The metaclass that makes a readable view an unmanaged Django model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db.models import ManyToManyField
from django.db.models.base import ModelBase
from django.utils import translation

from orm_views_core.exceptions import InvalidViewError
from orm_views_core.names import READ_PAST_FIELDS, ViewName, declared, find_class_statement

from .fields import inherit_fields, settle_fields
from .guards import guard_cascades, guard_manager, guard_managers

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
    Fields and key are settled while that metaclass adds the fields that are declared (``_Fields``).
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
        abstract = is_abstract_model or bool(getattr(own_meta, "abstract", False))
        proxy = not abstract and bool(getattr(own_meta, "proxy", False))
        parent = own_meta or next((base.Meta for base in bases if hasattr(base, "Meta")), object)
        meta: dict[str, Any] = {"abstract": True} if abstract else {"managed": False}
        if own_meta is not None:
            meta["__qualname__"] = own_meta.__qualname__
        attrs = {**attrs, "Meta": type("Meta", (parent,), meta)}
        refuse_what_views_lack(name, bases, attrs, abstract=abstract, proxy=proxy)
        attrs["_view_said"] = {word: attrs[word] for word in READ_PAST_FIELDS & attrs.keys()}
        if not abstract:
            if not hasattr(parent, "default_permissions") and not _is_updatable(attrs, bases):
                attrs["Meta"].default_permissions = ("view",)
            # Captured before Django writes "LoanBook(id, amount)" into an empty __doc__.
            attrs["_view_docstring"] = attrs.get("__doc__")
            db_table = getattr(parent, "db_table", None)
            attrs["_view_db_table"] = parse_db_table(db_table) if db_table else None
        if not (abstract or proxy):
            attrs["_view_fields"] = _Fields()  # behind those that are declared
        should_register = should_register and not (abstract or proxy)
        view: Any = super().__new__(mcs, name, bases, attrs, should_register=should_register, **kwargs)
        if proxy:
            shown = view._meta.concrete_model
            view._view_db_table = shown._view_schema(), shown._view_name()
        elif not abstract:
            mcs._reinstate_field_descriptors(view)
            # One that is no string at all is for a system check to report.
            guard_cascades(view)
            view._meta.db_table = ViewName(str(view._view_schema()), str(view._view_name())).quoted
        guard_managers(view)
        return view

    @property
    def _base_manager(self: Any) -> Any:
        """The manager of Django itself, for ``refresh_from_db()``, related managers, cascades."""
        return guard_manager(self._meta.base_manager)

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


class _Fields:
    """Stands among the attributes of a view, and adds fields when Django's metaclass comes to it.

    That is the one moment for it: the class exists and can be asked for its queryset, and Django has not
    settled on a key yet.
    """

    def contribute_to_class(self, view: Any, name: str) -> None:
        inherit_fields(view)
        setattr(view, name, settle_fields(view))


def _is_updatable(attrs: Mapping[str, Any], bases: tuple[type, ...]) -> bool:
    found = [attrs.get("updatable"), *(declared(base, "updatable") for base in bases)]
    return bool(next((value for value in found if isinstance(value, bool)), False))


def refuse_what_views_lack(
    name: str, bases: tuple[type, ...], attrs: Mapping[str, Any], *, abstract: bool, proxy: bool
) -> None:
    """Raise an error for what Django would take and PostgreSQL could not give.

    Raises:
        InvalidViewError: it names the class, where it is written, and what to write instead.
    """
    why = next(_lacking(bases, attrs, abstract=abstract, proxy=proxy), None)
    if why:
        source = find_class_statement(attrs["__module__"])
        raise InvalidViewError(f"{attrs['__module__']}.{name}{f' ({source})' if source else ''}: {why}")


def _lacking(
    bases: tuple[type, ...], attrs: Mapping[str, Any], *, abstract: bool, proxy: bool
) -> Iterator[str]:
    for word, value in attrs.items():
        if isinstance(value, ManyToManyField) and value.remote_field.through is None:
            yield (
                f"its {word} is a ManyToManyField without through, and nobody would create the table "
                "between. Say through = … with a model or a view that has the pairs."
            )
    concrete = [
        base
        for parent in bases
        for base in parent.__mro__
        if isinstance(base, ModelBase) and hasattr(base, "_meta") and not base._meta.abstract
    ]
    if proxy and not concrete:
        yield "its Meta says proxy, and it inherits from no view that it could be a proxy of. Take it away."
    if abstract or proxy:
        return
    for option, why in _NOT_ON_VIEWS.items():
        if getattr(attrs["Meta"], option, None):
            yield f"its Meta has {option}, which cannot work: {why}."
    for base in concrete:
        if is_readable(base):
            yield (
                f"it inherits from the view {base.__name__}, and views have no tables that could be joined. "
                "Make the common part a base with is_abstract_model=True, or say proxy = True in its Meta to "
                "look at the same rows in another way."
            )
        yield (
            f"it inherits from the model {base.__name__}, and a view has no table that could be joined "
            "to its table. Make the common part an abstract model."
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
