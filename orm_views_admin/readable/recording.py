"""Recording that somebody reads rows of a readable view in Django's admin: what a page has asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import (
    ALL_VAR,
    ERROR_FLAG,
    IGNORED_PARAMS,
    ORDER_VAR,
    PAGE_VAR,
    SEARCH_VAR,
)
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import RowAccess
from orm_views_admin.runs.accesses import is_recorded, record
from orm_views_core.database.rows import Condition, Operator
from orm_views_core.sentences import listed, says
from orm_views_core.views.identity import name_of
from orm_views_core.views.options import ViewOptions

#: The parameters of a list that filter nothing.
_NO_FILTERS = {*IGNORED_PARAMS, PAGE_VAR, ERROR_FLAG}
#: The name of the URL that completes what is typed into a field for a row of this view.
_COMPLETION = "autocomplete"
_OPERATORS = {
    "": Operator.EQUALS,
    "exact": Operator.EQUALS,
    "in": Operator.IN,
    "gte": Operator.AT_LEAST,
    "lte": Operator.AT_MOST,
    "contains": Operator.CONTAINS,
    "icontains": Operator.CONTAINS,
    "startswith": Operator.BEGINS,
    "isnull": Operator.IS_NULL,
}
#: What Django takes for a truth value, and for no in ``__isnull``.
_TRUE, _FALSE = {"1", "t", "True"}, {"0", "f", "False"}
_NOT_NULL = {"", "0", "false"}


def address_of(model: Any) -> ViewAddress:
    """Return the address of a readable view: that of its class, although a router may read it elsewhere."""
    return ViewAddress(ViewOptions(model).database, name_of(model))


def record_page(shown: ModelAdmin[Any], request: HttpRequest, context: dict[str, Any] | None) -> None:
    """Record a page of Django's admin that shows rows: the list, a row, or the history of a row.

    Args:
        shown: the view in the admin.
        request: the request.
        context: the variables of the page's template; None if it has none.

    Raises:
        NotRecordedError: if it cannot be recorded. The page must not be shown then.
    """
    context = context or {}
    if changes := context.get("cl"):
        conditions, words = _asked(shown, request)
        rows = changes.result_list
        about = [*words, *_place(request, changes.list_display)]
        _record(shown, request, conditions, about, len(rows) if isinstance(rows, list) else None)
        return
    row = context.get("original")
    is_history = row is None
    if is_history:
        row = context.get("object")
    if isinstance(row, shown.model):
        key = str(row.pk)
        is_key = Condition(shown.opts.pk.column or "", Operator.EQUALS, (key,))
        which = says("history of row %(key)s", key=key) if is_history else says("row %(key)s", key=key)
        _record(shown, request, [is_key], [which], 1)


def record_action(shown: ModelAdmin[Any], request: HttpRequest) -> None:
    """Record that an action got rows. What it shows of them is not known.

    Raises:
        NotRecordedError: if it cannot be recorded.
    """
    chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
    names = ", ".join(filter(None, request.POST.getlist("action")))
    conditions, words = _asked(shown, request)
    is_all = request.POST.get("select_across") == "1"
    if not is_all:
        conditions = [*conditions, Condition(shown.opts.pk.column or "", Operator.IN, tuple(chosen))]
    _record(
        shown,
        request,
        conditions,
        [*words, says("action %(names)s", names=names)],
        None if is_all else len(chosen),
    )


def record_completion(shown: ModelAdmin[Any], request: HttpRequest, term: str) -> None:
    """Record that rows were searched to complete what somebody types, if that is what the request is for.

    Raises:
        NotRecordedError: if it cannot be recorded.
    """
    match = request.resolver_match
    if match and match.url_name == _COMPLETION:
        _record(shown, request, [], [says("completion of “%(term)s”", term=term)], None)


def _record(
    shown: ModelAdmin[Any],
    request: HttpRequest,
    conditions: Sequence[Condition],
    words: Sequence[str],
    rows: int | None,
) -> None:
    if not is_recorded():
        return
    from orm_views_admin.rights.personal import personal_columns  # the admin is imported by each process

    address = address_of(shown.model)
    record(
        request.user,
        address,
        RowAccess.Kind.ADMIN,
        conditions=conditions,
        about=listed(words),
        rows=rows,
        with_personal=bool(personal_columns(address, shown.get_queryset(request).db)),
    )


def _asked(shown: ModelAdmin[Any], request: HttpRequest) -> tuple[list[Condition], list[str]]:
    """Return the filters of a list: those that are conditions on columns, and all others in words."""
    own = {
        getattr(each, "parameter_name", None)
        for each in shown.get_list_filter(request)
        if isinstance(each, type) and issubclass(each, SimpleListFilter)
    }
    conditions: list[Condition] = []
    words: list[str] = []
    for name, values in request.GET.lists():
        texts = [str(value) for value in values]
        if name in _NO_FILTERS or not any(texts):
            continue
        condition = None if name in own else _condition(shown.opts, name, texts)
        if condition:
            conditions.append(condition)
        else:
            words.append(f"{name} = {', '.join(texts)}")
    if term := request.GET.get(SEARCH_VAR):
        words.append(says("search for “%(term)s”", term=term))
    return conditions, words


def _condition(opts: Any, name: str, texts: Sequence[str]) -> Condition | None:
    """Return what a lookup in a URL asks of a column; None if it is no condition that previews have."""
    first, *rest = name.split("__")
    try:
        field = opts.pk if first == "pk" else opts.get_field(first)
    except FieldDoesNotExist:
        return None
    if field.is_relation and rest and rest[0] in {"pk", field.target_field.name}:
        rest = rest[1:]
    operator = _OPERATORS.get("__".join(rest))
    if operator is None or not field.concrete:
        return None
    if operator is Operator.IS_NULL:
        asked = {text.lower() not in _NOT_NULL for text in texts}
        if len(asked) > 1:  # a row is the one or the other
            return None
        return Condition(field.column, operator if True in asked else Operator.IS_NOT_NULL)
    if operator is Operator.IN:
        texts = [text for each in texts for text in each.split(",")]
    elif len(texts) > 1:  # a row has one of them
        if operator is not Operator.EQUALS:
            return None
        operator = Operator.IN
    if isinstance(field, models.BooleanField):
        if not _TRUE.union(_FALSE).issuperset(texts):
            return None
        texts = ["t" if text in _TRUE else "f" for text in texts]
    return Condition(field.column, operator, tuple(texts))


def _place(request: HttpRequest, columns: Sequence[Any]) -> Iterator[str]:
    """Yield the order and the page of a list in words, as far as somebody has chosen them."""
    order: list[str] = []
    for key in request.GET.get(ORDER_VAR, "").split("."):
        number = key.removeprefix("-")
        if number.isdecimal() and len(number) < 4 and int(number) < len(columns):
            column = columns[int(number)]
            name = column if isinstance(column, str) else getattr(column, "__name__", "?")
            order.append(says("%(column)s, descending", column=name) if key.startswith("-") else name)
    if order:
        yield says("sorted by %(column)s", column=listed(order))
    if (page := request.GET.get(PAGE_VAR, "1")) != "1":
        yield says("page %(number)s", number=page)
    if ALL_VAR in request.GET:
        yield says("all on one page")
