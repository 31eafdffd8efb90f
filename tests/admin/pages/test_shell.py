"""The pages inside the admin: the entry in index and sidebar, breadcrumbs, several sites, no inline code."""

from __future__ import annotations

import re

import pytest
from django.contrib.admin import AdminSite
from django.core.management import get_commands
from django.db import connections
from django.test import override_settings
from django.urls import path, reverse

from orm_views_admin.admin import RegisteredViewAdmin
from orm_views_admin.models import RegisteredView
from orm_views_admin.urls import site_urls
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare_materialised, url
from tests.demo.urls import urlpatterns as demo_patterns

pytestmark = pytest.mark.django_db

other_site = AdminSite(name="back_office")
other_site.register(RegisteredView, RegisteredViewAdmin)
urlpatterns = [
    path("office/orm-views/", site_urls(other_site)),
    path("office/", other_site.urls),
    *demo_patterns,
]

PAGES = [
    LIST,
    url("detail", "ages"),
    url("preview", "ages"),
    f"{LIST}graph/",
    f"{LIST}sync/",
    f"{LIST}refresh/",
]


@pytest.fixture(autouse=True)
def views():
    declare_materialised("Ages", "SELECT 1 AS age", pk_field="age")
    sync_views()
    declare_materialised("Years", "SELECT 1 AS year")


def test_the_index_of_the_admin_leads_to_the_list(admin_client):
    index = admin_client.get("/admin/").content.decode()
    entry = reverse("admin:orm_views_admin_registeredview_changelist")
    assert f'href="{entry}"' in index
    response = admin_client.get(entry)
    assert (response.status_code, response.headers["Location"]) == (302, LIST)


def test_staff_without_the_permission_see_no_entry(staff):
    entry = reverse("admin:orm_views_admin_registeredview_changelist")
    assert entry not in staff().get("/admin/").content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_the_sidebar_marks_the_entry_as_current(browse, page):
    html = browse.get(page)
    assert re.search(rf'href="{LIST}"[^>]*aria-current="page"', html)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_the_admins_shell_and_one_heading(browse, page):
    html = browse.get(page)
    assert len(re.findall(r"<h1\b", html)) == 1
    assert 'aria-label="Breadcrumbs"' in html
    assert f'<a href="{LIST}">Views</a>' in html or page == LIST


@pytest.mark.parametrize("page", PAGES)
def test_no_page_has_inline_code_or_styles(browse, page):
    html = browse.get(page)
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", html)
    assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=|javascript:", html)


@pytest.mark.parametrize("page", PAGES)
def test_ids_are_unique(browse, page):
    ids = re.findall(r'\sid="([^"]*)"', browse.get(page))
    assert sorted(set(ids)) == sorted(ids)


@override_settings(ROOT_URLCONF=__name__)
def test_another_admin_site_has_pages_of_its_own(admin_client):
    entry = admin_client.get("/office/orm_views_admin/registeredview/")
    assert entry.headers["Location"] == "/office/orm-views/"
    for page in PAGES:
        here = page.replace("/admin/", "/office/")
        html = admin_client.get(here).content.decode()
        assert "/office/orm-views/" in html
        assert "/admin/" not in html.replace("/static/admin/", ""), here


@pytest.mark.django_db(databases=["default"])
def test_requests_are_never_one_transaction(admin_client):
    from django.urls import resolve

    for page in PAGES:
        assert resolve(page).func._non_atomic_requests == set(connections)


def test_no_model_is_missing_from_migrations():
    from django.core.management import call_command

    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_everything_is_translatable_into_a_right_to_left_language(admin_client):
    html = admin_client.get(LIST, headers={"accept-language": "ar"}).content.decode()
    assert 'dir="rtl"' in html


def test_its_command_is_found_after_the_apps_were_others(settings):
    """In a checkout, where Django would not look for it."""
    with override_settings(INSTALLED_APPS=[*settings.INSTALLED_APPS, "django.contrib.sitemaps"]):
        assert get_commands()["run_pending"] == "orm_views_admin"
    with override_settings(INSTALLED_APPS=["django.contrib.contenttypes"]):
        assert "run_pending" not in get_commands()
    assert get_commands()["run_pending"] == "orm_views_admin"
