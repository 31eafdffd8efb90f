"""A foreign key of a readable view as a column: it shows the related row if the user may see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.utils import quote
from django.contrib.auth import get_permission_codename
from django.core.exceptions import ObjectDoesNotExist
from django.db import router
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from orm_views_admin.permissions import may_read_rows
from orm_views_core.names import ViewName
from orm_views_core.views.guards import read_alias
from orm_views_core.views.identity import name_of
from orm_views_core.views.options import ViewOptions
from orm_views_core.views.readable import is_readable


@dataclass(frozen=True)
class RelatedColumn:
    """A callable that takes the place of a foreign key's name in ``list_display`` and ``fields``.

    The text of a related row may contain what the view deliberately omits, a customer's name for example.
    Users who may not see the related model see only the key.

    Attributes:
        source: the foreign key.
        loads: whether the related row is shown: the user may see the related model, and its table is in the
            database of the view.
        links: whether the related row is shown as a link.
        site: the admin site.
        empty: the text for NULL.
    """

    source: Any
    loads: bool
    links: bool
    site: AdminSite = field(compare=False)
    empty: str = field(compare=False)

    @property
    def __name__(self) -> str:
        """The name by which Django finds the help text, and a part of a CSS class."""
        return str(self.source.name)

    @property
    def short_description(self) -> str:
        return str(self.source.verbose_name)

    @property
    def admin_order_field(self) -> str:
        return str(self.source.attname)

    def __call__(self, row: Any) -> Any:
        key = getattr(row, self.source.attname)
        if key is None:
            return self.empty
        try:
            related = getattr(row, self.source.name) if self.loads else None
        except ObjectDoesNotExist:  # no constraint enforces a view's foreign keys
            related = None
        if related is None:
            return str(key)
        if not self.links:
            return str(related)
        opts = related._meta
        url = reverse(
            f"admin:{opts.app_label}_{opts.model_name}_change",
            args=[quote(related.pk)],
            current_app=self.site.name,
        )
        return format_html('<a href="{}">{}</a>', url, related)


def related_column(
    source: Any, request: HttpRequest, site: AdminSite, *, alias: str, empty: str, inside_link: bool = False
) -> RelatedColumn:
    """Return the column of a foreign key for the user of a request.

    Args:
        source: the foreign key.
        request: the request.
        site: the admin site.
        alias: the database of the view.
        empty: the text for NULL.
        inside_link: whether the column is a link to the view's own row.
    """
    model = source.remote_field.model
    shown = site._registry.get(model)
    if shown is not None:
        allowed = shown.has_view_permission(request)
    else:
        codename = get_permission_codename("view", model._meta)
        allowed = request.user.has_perm(f"{model._meta.app_label}.{codename}")
    if is_readable(model):
        allowed = allowed and may_read_rows(request.user, model)
    # The database that the admin reads the related model from. The same key means another row elsewhere.
    home = (read_alias(model) if is_readable(model) else None) or router.db_for_read(model)
    if is_readable(model):
        is_there = _share_database(source.model, model)
    else:
        is_there = home == alias or router.allow_migrate_model(alias, model)
    return RelatedColumn(
        source,
        loads=allowed and is_there,
        links=allowed and shown is not None and home == alias and not inside_link,
        site=site,
        empty=empty,
    )


def related_views(model: Any) -> list[ViewName]:
    """Return the name of a readable view, and those of the readable views that its foreign keys lead to.

    Views of other databases are left out: they are not read with it.
    """
    found = [model]
    for view in found:
        sources = [source for source in view._meta.concrete_fields if source.is_relation]
        for related in (source.remote_field.model for source in sources):
            if related not in found and is_readable(related) and _share_database(view, related):
                found.append(related)
    return [name_of(view) for view in found]


def _share_database(view: Any, other: Any) -> bool:
    """Return whether two readable views are declared for one database."""
    return ViewOptions(view).database == ViewOptions(other).database
