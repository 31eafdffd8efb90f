"""The metaclass that makes a readable view an unmanaged Django model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.db.models import Manager, ManyToManyField
from django.db.models.base import ModelBase
from django.db.models.fields.related import RelatedField
from django.db.models.manager import BaseManager
from django.utils import translation

from orm_views_core.exceptions import InvalidViewError
from orm_views_core.names import ViewName, parse_db_table, written_at
from orm_views_core.sentences import Sentence, says, says_in
from orm_views_core.spelling import spelling_on

from .aliases import follow_connection
from .fields import add_fields, inherit_fields
from .guards import guard_cascades, guard_inherited_managers, guarded
from .options import OPTION_NAMES, OfClass, ViewOptions, declared, find_class_statement
from .reverse_relations import keep_reverse_relations

#: Options of Meta that PostgreSQL has for tables only, and what to write instead.
_NOT_ON_VIEWS = {
    "constraints": says("a view has none; the unique index of a materialised view is its pk_field"),
    "unique_together": says(
        "a view has no constraints; the unique index of a materialised view is its pk_field"
    ),
    "order_with_respect_to": says("its order is a column that Django would have to write; use ordering"),
    "swappable": says("a view cannot be swapped for a table"),
    "db_table_comment": says("the comment of a view is its docstring"),
    "db_tablespace": says("write db_tablespace in the body of a materialised view's class"),
}


class ReadableViewBase(ModelBase):
    """Creates readable views: models that are never managed and whose table is the view.

    A proxy of a readable view is another class for the same view, and not a view itself.

    ``Meta`` may have any option that views support: Django's metaclass reads it, with ``managed`` set to
    False. The name of the table is set afterwards, because a view's name may be a ``classproperty`` of the
    finished class. The missing fields and the key are added while Django's metaclass adds the declared fields
    (``_MissingFields``).
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
        if not (abstract or hasattr(parent, "default_permissions") or _is_updatable(attrs, bases)):
            meta["default_permissions"] = ("view",)
        if own_meta is not None:
            meta["__qualname__"] = own_meta.__qualname__
        is_shared = own_meta is None and not abstract
        make_meta = _shared_meta if is_shared else _meta
        attrs = {**attrs, "Meta": make_meta(parent, **meta)}
        if problem := next(_unsupported(bases, attrs, abstract=abstract, proxy=proxy), None):
            statement = find_class_statement(attrs["__module__"])
            where = written_at(f"{attrs['__module__']}.{name}", statement.location if statement else None)
            raise InvalidViewError(says("%(where)s: %(problem)s", where=where, problem=problem))
        attrs["_view_declared"] = {word: attrs[word] for word in OPTION_NAMES & attrs.keys()}
        if not abstract:
            # Read before Django writes "LoanBook(id, amount)" into an empty __doc__.
            attrs["_view_docstring"] = attrs.get("__doc__")
            db_table = getattr(parent, "db_table", None)
            attrs["_view_db_table"] = parse_db_table(db_table) if db_table else None
        is_view = not (abstract or proxy)
        if is_view:
            attrs["_view_fields"] = _MissingFields()  # the last attribute, after the declared fields
        view: Any = super().__new__(
            mcs, name, bases, attrs, should_register=should_register and is_view, **kwargs
        )
        if not proxy:
            _hide_options(view)
        if is_view:
            _set_field_descriptors(view)
            guard_cascades(view)
        if not abstract:
            _set_table(view)
        guard_inherited_managers(view)
        return view

    def add_to_class(self, name: str, value: Any) -> None:
        """Add an attribute that Django's metaclass has found, or created. Managers are guarded."""
        if isinstance(value, RelatedField):
            keep_reverse_relations(value, partial(super().add_to_class, name, value))
        else:
            super().add_to_class(name, guarded(value) if isinstance(value, BaseManager) else value)

    @property
    def _base_manager(self: Any) -> Manager[Any]:
        """The manager that Django uses for ``refresh_from_db()``, related objects and cascades."""
        return guarded(self._meta.base_manager)  # type: ignore[no-any-return]


class _MissingFields:
    """An attribute of a view that adds fields when Django's metaclass processes it.

    At this moment the class exists, so that its ``get_queryset()`` can be called. Django has not chosen a
    primary key yet.
    """

    def contribute_to_class(self, view: Any, name: str) -> None:
        inherit_fields(view)
        setattr(view, name, add_fields(view))


def _meta(parent: type, **options: Any) -> type:
    return type("Meta", (parent,), options)


#: The Meta of views that have none of their own. Django writes to that of abstract classes only.
_shared_meta = cache(_meta)


def _set_table(view: Any) -> None:
    """Make the name of the view that of the model's table."""
    options = ViewOptions(view._meta.concrete_model)
    schema = options.schema_or_function
    if callable(schema):
        follow_connection(view)
    elif view._meta.proxy:
        view._view_db_table = options.in_schema(schema)
    else:
        # A name that is not a string is reported by a system check.
        name = ViewName(*map(str, options.in_schema(schema)))
        view._meta.db_table = spelling_on(str(options.database)).place(name)


def _set_field_descriptors(view: Any) -> None:
    """Set the descriptors of fields with the name of an option, such as ``name`` or ``sql``.

    Django omits a descriptor if the class inherits an attribute of that name. A deferred field would then
    have the value of the option instead of the row's.
    """
    for field in view._meta.local_fields:
        if field.column and not hasattr(vars(view).get(field.attname), "field"):
            setattr(view, field.attname, field.descriptor_class(field))


def _hide_options(view: Any) -> None:
    """Keep the options of a view from being attributes of its rows. Fields of the same names stay.

    A base class that is readable has hidden its own, and those that it inherits.
    """
    is_hidden_in_bases = all(isinstance(base, ReadableViewBase) for base in view.__bases__)
    names = vars(view)["_view_declared"].keys() if is_hidden_in_bases else OPTION_NAMES
    if not names:
        return
    fields = {field.name for field in (*view._meta.local_fields, *view._meta.private_fields)}
    for name in names - fields:
        base = next((base for base in view.__mro__ if name in vars(base)), None)
        if base and not isinstance(vars(base)[name], OfClass):
            setattr(view, name, OfClass(view, name))


def _is_updatable(attrs: Mapping[str, Any], bases: tuple[type, ...]) -> bool:
    values = [attrs.get("updatable"), *(declared(base, "updatable") for base in bases)]
    return next((value for value in values if isinstance(value, bool)), False)


def _unsupported(
    bases: tuple[type, ...], attrs: Mapping[str, Any], *, abstract: bool, proxy: bool
) -> Iterator[Sentence]:
    """Yield what Django allows in a model and PostgreSQL cannot do with a view, and what to write instead."""
    for word, value in attrs.items():
        if isinstance(value, ManyToManyField) and value.remote_field.through is None:
            yield (
                says(
                    "its %(field)s is a ManyToManyField without through, and nothing would create its "
                    "table. Set through = … to a model or a view that has the pairs.",
                    field=word,
                )
            )
    models = [base for parent in bases for base in parent.__mro__ if hasattr(base, "_meta")]
    concrete = [model for model in models if not model._meta.abstract]
    if proxy and not concrete:
        yield says("its Meta has proxy = True, but it inherits from no view. Remove proxy.")
    if abstract or proxy:
        return
    for option, reason in _NOT_ON_VIEWS.items():
        if getattr(attrs["Meta"], option, None):
            yield says(
                "its Meta has %(option)s, which views do not support: %(reason)s.",
                option=option,
                reason=reason,
            )
    for base in concrete:
        advice = says("Move the common part to an abstract model.")
        if is_readable(base):
            advice = says(
                "Move the common part to a base class with is_abstract_model=True. For another class "
                "with the same rows, set proxy = True in its Meta."
            )
        kind = says_in("in a database", "view") if is_readable(base) else says_in("in Django", "model")
        yield says(
            "it inherits from the %(kind)s %(base)s, and a view has no table to join. %(advice)s",
            kind=kind,
            base=base.__name__,
            advice=advice,
        )


def is_readable(view: type) -> bool:
    """Return whether a view class is a Django model too."""
    return isinstance(view, ReadableViewBase)


def column_comments(view: type) -> dict[str, str]:
    """Return the ``help_text`` of a readable view's fields, by column.

    The texts are in the language of ``LANGUAGE_CODE``. In the language of the current user, the view would
    look changed.
    """
    if not is_readable(view):
        return {}
    fields = view._meta.concrete_fields  # type: ignore[attr-defined]
    with translation.override(settings.LANGUAGE_CODE):
        return {field.column: str(field.help_text) for field in fields if field.column and field.help_text}
