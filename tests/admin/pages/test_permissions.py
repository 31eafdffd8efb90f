"""Who may see and do what: every page and every direct POST."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from orm_views_admin.models import Run, ViewChange
from orm_views_core.names import ViewName
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, declare_materialised, hidden_fields, key, text_of, url
from tests.admin.histories import make_run

pytestmark = pytest.mark.django_db

REQUEST = uuid.UUID(int=7)
PAGES = {
    "list": (LIST, {"view"}),
    "graph": (f"{LIST}graph/", {"view"}),
    "detail": (url("detail", "ages"), {"view"}),
    "changes": (url("changes", "ages"), {"view"}),
    "change": (f"{url('changes', 'ages')}7/", {"view"}),
    "count": (url("count", "ages"), {"view"}),
    "preview": (url("preview", "ages"), {"view", "preview"}),
    "sync": (f"{LIST}sync/", {"view", "sync"}),
    "refresh": (f"{LIST}refresh/", {"view", "refresh"}),
    "history": (f"{LIST}runs/", {"view"}),
    "history as a file": (f"{LIST}runs/export/csv/", {"view"}),
    "run": (f"{LIST}runs/{REQUEST}/", {"view"}),
    "run's state": (f"{LIST}runs/{REQUEST}/state/", {"view"}),
}
ACTIONS = ("sync", "refresh")
VERBS = ("view", "preview", "preview_hidden", "view_personal", "export", "refresh", "cancel", "sync")
HOLDERS = [(), *((verb,) for verb in VERBS), *(("view", verb) for verb in VERBS if verb != "view")]


@pytest.fixture(autouse=True)
def views():
    declare_materialised("Ages", "SELECT 1 AS age", pk_field="age")
    sync_views()
    declare("Missing", "SELECT 1 AS one")
    ViewChange.objects.create(id=7, database="default", schema="views", name="ages", actions=["+ create"])
    return make_run("ages", request=REQUEST, state=Run.State.QUEUED, ago=1)


def state(name):
    (database,) = get_statuses(["default"])
    return next(view.state for view in database.views if view.name == ViewName("views", name))


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("held", HOLDERS, ids="+".join)
def test_a_page_opens_for_those_who_hold_its_permissions_and_for_nobody_else(staff, page, held):
    path, needed = PAGES[page]
    response = staff(*held).get(path)
    assert response.request["PATH_INFO"] == path
    assert response.status_code == (200 if needed <= set(held) else 403)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("held", HOLDERS, ids="+".join)
def test_a_direct_post_does_something_for_those_who_hold_its_permissions_only(
    staff, admin_client, execute, django_capture_on_commit_callbacks, views, action, held
):
    views.delete()
    path, needed = PAGES[action]
    fields = hidden_fields(admin_client.get(path).content.decode())
    before = execute("SELECT obj_description('views.ages'::regclass)")
    with django_capture_on_commit_callbacks(execute=True):
        response = staff(*held).post(path, {**fields, "confirm": "yes"})
    allowed = needed <= set(held)
    assert response.status_code == (302 if allowed else 403)
    assert (state("missing") is State.SYNCED) == (allowed and action == "sync")
    changed = execute("SELECT obj_description('views.ages'::regclass)") != before
    assert changed == (allowed and action == "refresh")
    assert Run.objects.exclude(origin=Run.Origin.CODE).count() == allowed


@pytest.mark.parametrize("held", HOLDERS, ids="+".join)
def test_runs_are_cancelled_by_those_who_hold_the_permission_only(staff, views, held):
    client = staff(*held)
    allowed = {"view", "cancel"} <= set(held)
    if "view" in held:
        assert (b"/cancel/" in client.get(PAGES["run"][0]).content) == allowed
    response = client.post(f"{LIST}runs/{views.pk}/cancel/")
    assert response.status_code == (302 if allowed else 403)
    views.refresh_from_db()
    assert views.is_active != allowed
    assert client.get(f"{LIST}runs/{views.pk}/cancel/").status_code in {403, 405}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", ["nobody", "customer", "inactive"])
def test_whoever_is_not_active_staff_is_sent_to_the_login_form(page, who):
    client = Client()
    if who != "nobody":
        users = get_user_model().objects
        user = users.create_superuser(who) if who == "inactive" else users.create_user(who)
        if who == "inactive":
            user.is_active = False
            user.save()
        client.force_login(user)
    path, _ = PAGES[page]
    for response in (client.get(path), client.post(path, {"confirm": "yes"})):
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/admin/login/")
    assert state("missing") is State.MISSING


@pytest.mark.parametrize("action", ACTIONS)
def test_a_post_without_csrf_token_is_refused(admin_user, views, action):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    path, _ = PAGES[action]
    assert client.post(path, {"confirm": "yes"}).status_code == 403
    assert client.post(f"{LIST}runs/{views.pk}/cancel/").status_code == 403
    assert state("missing") is State.MISSING


@pytest.mark.parametrize(
    "page", ["list", "graph", "detail", "count", "preview", "history", "run", "run's state"]
)
def test_what_only_shows_something_takes_no_post(admin_client, page):
    assert admin_client.post(PAGES[page][0]).status_code == 405


@pytest.mark.parametrize("action", ACTIONS)
def test_a_get_never_acts(admin_client, action):
    path, _ = PAGES[action]
    fields = hidden_fields(admin_client.get(path).content.decode())
    assert admin_client.get(path, {**fields, "confirm": "yes"}).status_code == 200
    assert state("missing") is State.MISSING


def test_buttons_are_there_for_those_who_may_press_them(staff):
    looking = staff("view")
    html = looking.get(LIST).content.decode() + looking.get(url("detail", "ages")).content.decode()
    for path in ("/sync/", "/refresh/", "/preview/"):
        assert path not in html.replace('action="/admin/orm-views/sync/"', "")
    acting = staff("view", "preview", "refresh", "sync")
    html = acting.get(url("detail", "ages")).content.decode()
    for path in ("/sync/?view=", "/refresh/?view=", "/preview/"):
        assert path in html


def test_the_rows_of_what_is_not_a_view_of_ours_are_never_shown(admin_client, execute):
    execute("CREATE VIEW views.theirs AS SELECT 'their secret' AS secret")
    for path in (
        url("preview", "auth_user", schema="public"),
        url("count", "auth_user", schema="public"),
        url("detail", "auth_user", schema="public"),
        url("preview", "pg_authid", schema="pg_catalog"),
        url("preview", "ages", database="warehouse"),
        url("preview", "ages", database="no such alias"),
    ):
        response = admin_client.get(path)
        assert response.status_code == 404, path
    for page in ("preview", "count"):
        response = admin_client.get(url(page, "theirs"))
        assert "No class declares views.theirs, so its rows are neither counted nor shown." in text_of(
            response.content.decode()
        )
        assert b"their secret" not in response.content


def test_keys_of_a_selection_that_name_no_view_are_not_found(admin_client):
    for wrong in ("nonsense", "a/b/c/d", key("ages", database="warehouse")):
        assert admin_client.get(f"{LIST}sync/", {"view": wrong}).status_code == 404
        assert admin_client.post(f"{LIST}refresh/", {"view": wrong, "confirm": "yes"}).status_code == 404
