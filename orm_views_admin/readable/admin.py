"""The base class for showing the rows of a readable view in Django's admin."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured, PermissionDenied
from django.db import DatabaseError, models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.disclosure import error_for
from orm_views_admin.permissions import Permission, may, may_read_rows
from orm_views_admin.runs.accesses import NotRecordedError
from orm_views_admin.sites import url_in
from orm_views_admin.ui import django_versions
from orm_views_admin.ui.shell import Shell
from orm_views_core.conf import get_settings
from orm_views_core.engines.connections import open_database
from orm_views_core.engines.rows import limiting, reading, unavailable
from orm_views_core.exceptions import RowsUnavailableError
from orm_views_core.sentences import translate
from orm_views_core.views.identity import name_of
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.readable import is_readable

from .paginator import EstimatingPaginator
from .recording import record_action, record_completion, record_page
from .related import RelatedColumn, related_column, related_views
from .response import UNREADABLE, LimitedResponse
from .values import representable

logger = logging.getLogger(__name__)

#: The default number of columns in the list: more do not fit beside sidebar and filters at 1280 pixels.
COLUMNS = 8
#: The OFFSET of later pages could exceed the largest number that PostgreSQL accepts.
_LAST_PAGE = 1_000_000_000


class ReadableChangeList(ChangeList):
    """A page of rows. It is read within a time-out, even if its rows cannot be counted in time.

    Attributes:
        is_exact: whether ``result_count`` is exact and not the planner's estimate.
    """

    is_exact = True

    def apply_select_related(self, qs: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        """Read related rows with one query for each foreign key, unless ``list_select_related`` is set.

        Django would join them. But no constraint enforces a view's foreign keys, and an inner join would omit
        rows whose related row is missing, although they are counted.
        """
        if self.list_select_related:
            return super().apply_select_related(qs)
        return qs.prefetch_related(
            *(c.source.name for c in self.list_display if isinstance(c, RelatedColumn) and c.loads)
        )

    def get_results(self, request: HttpRequest) -> None:
        paginator: Any = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)
        count = paginator.count
        exact = getattr(paginator, "is_exact", True)
        self.can_show_all = exact and count <= self.list_max_show_all
        first, size = (self.page_num - 1) * self.list_per_page, self.list_per_page
        if self.show_all and self.can_show_all:
            first, size = 0, self.list_max_show_all
        elif not exact or count > self.list_per_page:
            last = paginator.num_pages if exact else _LAST_PAGE
            if not 1 <= self.page_num <= last:
                raise IncorrectLookupParameters
        else:
            first = 0
        rows = self._read(first, size)
        if not exact:
            if first and not rows:
                raise IncorrectLookupParameters
            count, exact = _amend(count, first, rows, size)
            paginator.count = count
        root = self.model_admin.get_paginator(request, self.root_queryset, self.list_per_page)
        self.show_full_result_count = self.model_admin.show_full_result_count
        self.full_result_count = root.count if self.show_full_result_count else None
        self.show_admin_actions = not self.show_full_result_count or bool(self.full_result_count)
        self.result_list = rows[:size]
        self.result_count = count
        self.is_exact = exact
        self.multi_page = count > self.list_per_page
        self.paginator = paginator

    def _read(self, first: int, size: int) -> list[Any]:
        """Return the rows of a page, and one more if there is a next page."""
        queryset = self.queryset
        with representable(self.model), reading(open_database(queryset.db), get_settings().PREVIEW_TIMEOUT):
            return list(queryset[first : first + size + 1])


def _amend(estimate: int, first: int, rows: Sequence[Any], size: int) -> tuple[int, bool]:
    """Correct an estimate by the rows of a page; return the number of rows, and whether it is exact."""
    seen = first + min(len(rows), size)
    return (max(estimate, seen + 1), False) if len(rows) > size else (seen, True)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A ModelAdmin with which nobody can add, change or delete anything."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadableViewAdmin(ReadOnlyAdmin):
    """Shows the rows of a readable view to users who have its ``view`` permission. Nobody can change them.

    A subclass has the options of any ModelAdmin. By default, the list has the first eight fields, with the
    primary key first, and is ordered by the primary key. Rows are read from the view's database within the
    time-outs of ``ORM_VIEWS``. Django's admin does not accept models with a composite primary key.
    """

    actions = None
    change_form_template = "orm_views_admin/readable_change_form.html"
    change_list_template = "orm_views_admin/readable_change_list.html"
    paginator = EstimatingPaginator
    show_full_result_count = False

    def __init__(self, model: Any, admin_site: admin.AdminSite) -> None:
        if not is_readable(model):
            raise ImproperlyConfigured(
                f"{type(self).__name__} shows readable views, and {model._meta.label} is not one. "
                "Derive from django.contrib.admin.ModelAdmin instead."
            )
        super().__init__(model, admin_site)
        # Without a total order, Django would add the primary key in descending order.
        self.ordering = self.ordering or self.opts.ordering or (self.opts.pk.name,)  # type: ignore[misc, assignment]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user has the ``view`` permission, and nothing else keeps the rows back."""
        return super().has_view_permission(request, obj) and may_read_rows(request.user, self.model)

    # Columns, fields and rows.

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        names: list[Any] = list(super().get_list_display(request))
        if names == ["__str__"]:
            names = [f.name for f in self._fields() if not isinstance(f, models.BinaryField)][:COLUMNS]
        inside_link = super().get_list_display_links(request, names) or ()
        return [self._column(request, name, inside_link=name in inside_link) for name in names]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        links = super().get_list_display_links(request, list_display)
        return links and [self._column(request, name, inside_link=True) for name in links]

    def get_sortable_by(self, request: HttpRequest) -> Any:
        if self.sortable_by is None:
            return self.get_list_display(request)
        # The list has one of the two columns, depending on ``list_display_links``.
        return [
            self._column(request, name, inside_link=inside)
            for name in self.sortable_by
            for inside in (False, True)
        ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        excluded = self.get_exclude(request, obj) or ()
        return self.fields or [f.name for f in self._fields() if f.name not in excluded]

    def _fields(self) -> list[Any]:
        """Return the fields, the primary key first."""
        return sorted(self.opts.concrete_fields, key=lambda field: not field.primary_key)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [
            (title, {**options, "fields": self._columns(request, options["fields"])})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def _columns(self, request: HttpRequest, names: Any) -> list[Any]:
        return [
            self._columns(request, name) if isinstance(name, (list, tuple)) else self._column(request, name)
            for name in names
        ]

    def _column(self, request: HttpRequest, name: Any, *, inside_link: bool = False) -> Any:
        """Return the related column for the name of a foreign key; other names stay as they are."""
        try:
            field = self.opts.get_field(name) if isinstance(name, str) else None
        except FieldDoesNotExist:
            return name
        if not isinstance(field, models.ForeignKey):
            return name
        return related_column(
            field,
            request,
            self.admin_site,
            alias=self.get_queryset(request).db,
            empty=self.get_empty_value_display(),
            inside_link=inside_link,
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ReadableChangeList

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        with representable(self.model), self._limits(request, reading):
            return super().get_object(request, object_id, from_field)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Refuse to search in rows that may not be read, for the autocompletion of a foreign key as well."""
        try:
            with self._limits(request):
                found = super().get_search_results(request, queryset, search_term)
            record_completion(self, request, search_term)
        except (RowsUnavailableError, NotRecordedError) as error:
            raise PermissionDenied(translate(error)) from error
        return found

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().response_action(request, queryset, *args, **kwargs)
        if response is not None:
            record_action(self, request)
        return response

    # Pages within the limits, and the page that explains why rows cannot be read.

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._limited(request, super().changelist_view, *args, **kwargs)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._limited(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._limited(request, super().delete_view, *args, **kwargs)

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._limited(request, super().history_view, *args, **kwargs)

    def _limits(
        self, request: HttpRequest, limit: Callable[..., AbstractContextManager[Any]] = limiting
    ) -> AbstractContextManager[Any]:
        connection = open_database(self.get_queryset(request).db)
        home = ViewOptions(self.model).database
        return limit(connection, get_settings().PREVIEW_TIMEOUT, *related_views(self.model), home=home)

    def _limited(self, request: HttpRequest, page: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return a page of Django's admin, or the page that explains why it cannot be shown.

        That somebody reads rows is recorded before the page is rendered.
        """
        try:
            with self._limits(request):
                response = page(request, *args, **kwargs)
            record_page(self, request, getattr(response, "context_data", None))
        except UNREADABLE as error:
            if not self.has_view_permission(request):
                raise PermissionDenied from error
            return self._explain(request, error)
        if isinstance(response, TemplateResponse) and not response.is_rendered:
            links = {"view_url": self._status_url(request), "shell": Shell()}
            response.context_data = {**links, **(response.context_data or {})}
            return LimitedResponse(response, partial(self._limits, request), partial(self._explain, request))
        return response

    def _explain(self, request: HttpRequest, error: Exception) -> TemplateResponse:
        """Return the page that explains why rows cannot be shown."""
        logger.warning("%s cannot be shown: %s", self.opts.label, error, exc_info=error)
        if isinstance(error, DatabaseError):
            error = unavailable(name_of(self.model), error, open_database(self.get_queryset(request).db))
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": _("The rows cannot be shown"),
            "page_opts": self.opts,
            "markup": django_versions.CONTEXT,
            "shell": Shell(),
            "list_url": reverse(
                f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist",
                current_app=self.admin_site.name,
            ),
            "error": error_for(request.user, error, self._address(request)),
            "status_url": self._status_url(request),
        }
        return TemplateResponse(request, "orm_views_admin/readable_unavailable.html", context)

    def _address(self, request: HttpRequest) -> ViewAddress:
        """Return the address of the view in the database that its rows are read from."""
        return ViewAddress(self.get_queryset(request).db, name_of(self.model))

    def _status_url(self, request: HttpRequest) -> str:
        """Return the URL of the view's page; "" if the user may not open it."""
        address = self._address(request)
        if not may(request.user, Permission.VIEW, address):
            return ""
        try:
            return url_in(self.admin_site, "detail", **address.parts)
        except NoReverseMatch:  # this site has no pages for views
            return ""
