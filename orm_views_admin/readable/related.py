"""A foreign key of a readable view as a column: what it leads to, for whoever may see that."""

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

from orm_views_core.views.guards import read_alias
from orm_views_core.views.readable import is_readable


@dataclass(frozen=True)
class RelatedColumn:
    """What ``list_display`` and ``fields`` take in the place of a foreign key's name.

    The text of a related row may be what a view was made to leave out: a customer's name, say. Who may
    not see the related model gets the key alone.

    Attributes:
        source: the foreign key.
        allowed: whether the user may see the model that it leads to.
        loads: whether that model's table is in the database that the view is read from.
        links: whether the text is a link.
        site: the admin site.
        empty: what stands for NULL.
    """

    source: Any
    allowed: bool
    loads: bool
    links: bool
    site: AdminSite = field(compare=False)
    empty: str = field(compare=False)

    @property
    def __name__(self) -> str:
        """The name of a CSS class, and where Django looks for the help text."""
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
        related = self._load(row) if self.allowed and self.loads else None
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

    def _load(self, row: Any) -> Any:
        try:
            return getattr(row, self.source.name)
        except ObjectDoesNotExist:  # nothing in the database keeps a view's foreign keys
            return None


def related_column(
    source: Any, request: HttpRequest, site: AdminSite, *, alias: str, empty: str, inside_link: bool = False
) -> RelatedColumn:
    """Return the column of a foreign key, as the user of a request may see it.

    Args:
        source: the foreign key.
        request: the request.
        site: the admin site.
        alias: the database that the view is read from.
        empty: what stands for NULL.
        inside_link: whether the column is the link to the row itself.
    """
    model = source.remote_field.model
    shown = site._registry.get(model)
    if shown is not None:
        allowed = shown.has_view_permission(request)
    else:
        codename = get_permission_codename("view", model._meta)
        allowed = request.user.has_perm(f"{model._meta.app_label}.{codename}")
    # Where the admin's page of the related model would look; another database has other rows.
    home = (read_alias(model) if is_readable(model) else None) or router.db_for_read(model)
    return RelatedColumn(
        source,
        allowed=allowed,
        loads=home == alias or router.allow_migrate_model(alias, model),
        links=allowed and shown is not None and home == alias and not inside_link,
        site=site,
        empty=empty,
    )
