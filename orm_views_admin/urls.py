"""The URL patterns of the pages.

For the default admin site, add ``path("admin/orm-views/", include("orm_views_admin.urls"))`` before the
admin's own URLs. For a site of your own, add ``path("staff/orm-views/", site_urls(staff_site))``.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.urls import URLPattern, include, path, register_converter

from orm_views_admin.pages.accesses import AccessesExport, AccessesPage
from orm_views_admin.pages.compare import ComparePage
from orm_views_admin.pages.runs.cancel import CancelView
from orm_views_admin.pages.runs.file import RunFile
from orm_views_admin.pages.runs.history import HistoryExport, HistoryPage
from orm_views_admin.pages.runs.run import RunPage, RunState
from orm_views_admin.pages.sync import SyncPage
from orm_views_admin.pages.views.cell import CellPage
from orm_views_admin.pages.views.changes import ChangePage, ChangesPage
from orm_views_admin.pages.views.count import CountView
from orm_views_admin.pages.views.detail import DetailPage
from orm_views_admin.pages.views.export import ExportView
from orm_views_admin.pages.views.graph import GraphPage
from orm_views_admin.pages.views.list import ListPage
from orm_views_admin.pages.views.preview import PreviewPage
from orm_views_admin.pages.views.refresh import RefreshPage

from .addresses import SegmentConverter
from .sites import namespace_of

register_converter(SegmentConverter, "orm_views_segment")

_VIEW = "view/<orm_views_segment:database>/<orm_views_segment:schema>/<orm_views_segment:name>/"

app_name = "orm_views_admin"


def url_patterns(site: AdminSite) -> list[URLPattern]:
    """Return the patterns of the pages inside an admin site, without a namespace.

    Args:
        site: the admin site whose users and look the pages have.

    Example:
        >>> from django.contrib.admin import AdminSite
        >>> from orm_views_admin.urls import url_patterns
        >>> [pattern.name for pattern in url_patterns(AdminSite("staff"))][:3]
        ['list', 'sync', 'compare']
    """
    return [
        path("", ListPage.for_site(site), name="list"),
        path("sync/", SyncPage.for_site(site), name="sync"),
        path("sync/compare/", ComparePage.for_site(site), name="compare"),
        path("graph/", GraphPage.for_site(site), name="graph"),
        path("refresh/", RefreshPage.for_site(site), name="refresh"),
        path("runs/", HistoryPage.for_site(site), name="runs"),
        path("runs/export/<str:form>/", HistoryExport.for_site(site), name="runs_export"),
        path("runs/<uuid:run_request>/", RunPage.for_site(site), name="run"),
        path("runs/<uuid:run_request>/state/", RunState.for_site(site), name="run_state"),
        path("runs/<uuid:run_request>/file/", RunFile.for_site(site), name="run_file"),
        path("runs/<int:pk>/cancel/", CancelView.for_site(site), name="cancel"),
        path("accesses/", AccessesPage.for_site(site), name="accesses"),
        path("accesses/export/<str:form>/", AccessesExport.for_site(site), name="accesses_export"),
        path(_VIEW, DetailPage.for_site(site), name="detail"),
        path(f"{_VIEW}preview/", PreviewPage.for_site(site), name="preview"),
        path(f"{_VIEW}preview/cell/", CellPage.for_site(site), name="cell"),
        path(f"{_VIEW}export/", ExportView.for_site(site), name="export"),
        path(f"{_VIEW}changes/", ChangesPage.for_site(site), name="changes"),
        path(f"{_VIEW}changes/<int:pk>/", ChangePage.for_site(site), name="change"),
        path(f"{_VIEW}count/", CountView.for_site(site), name="count"),
    ]


def site_urls(site: AdminSite) -> Any:
    """Return the URLs of the pages for an ``AdminSite`` of your own, as the second argument of ``path``.

    To get an entry in the site's index, register ``RegisteredView`` as well:
    ``site.register(RegisteredView, RegisteredViewAdmin)``.

    Args:
        site: the admin site whose users and look the pages have.

    Example:
        >>> from django.contrib.admin import AdminSite
        >>> from django.urls import path
        >>> from orm_views_admin.urls import site_urls
        >>> staff = AdminSite("staff")
        >>> urlpatterns = [path("staff/orm-views/", site_urls(staff)), path("staff/", staff.urls)]
    """
    return include((url_patterns(site), app_name), namespace=namespace_of(site))


urlpatterns = url_patterns(admin.site)


__all__ = ["site_urls", "url_patterns"]
