"""``ORM_VIEWS_ADMIN["PERMISSION"]``: what it is asked, that it only forbids, and what if it is wrong."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.permissions import Permission, RightsError, ViewInfo, may, visible
from orm_views_core.names import ViewName
from orm_views_core.sync import sync_views
from tests.admin.browse import LIST, declare, forget, text_of, url

pytestmark = pytest.mark.django_db

#: What the function below was asked, and what it does.
asked = []
answer = [True]


def function(user, action, view):
    asked.append((user.get_username(), action, view))
    if isinstance(answer[0], Exception):
        raise answer[0]
    return answer[0]


@pytest.fixture(autouse=True)
def plain(registered, settings):
    asked.clear()
    answer[0] = True
    view = declare("Plain", "SELECT 'the only row'::text AS one")
    sync_views()
    settings.ORM_VIEWS_ADMIN = {"EXECUTOR": "inline", "PERMISSION": f"{__name__}.function"}
    return view


def address(name="plain"):
    return ViewAddress("default", ViewName("views", name))


@pytest.fixture
def root():
    return get_user_model().objects.create_superuser("root")


def test_it_is_asked_for_the_action_and_for_what_that_needs(root, plain):
    assert may(root, Permission.EXPORT, address())
    view = ViewInfo("default", "views", "plain", "lending.Plain", plain)
    assert asked == [("root", action, view) for action in ("view", "preview", "export")]
    assert (view.app, str(view)) == ("lending", "views.plain")


def test_an_answer_is_kept_for_a_request_and_asked_for_anew_in_the_next(admin_client):
    admin_client.get(url("preview", "plain"))
    first = len(asked)
    assert 0 < first < 20
    admin_client.get(url("preview", "plain"))
    assert len(asked) == 2 * first


def test_it_can_allow_nothing(staff):
    assert staff("view").get(url("preview", "plain")).status_code == 403
    assert staff("preview").get(url("detail", "plain")).status_code == 403


def test_it_forbids_superusers_too(admin_client):
    answer[0] = False
    assert admin_client.get(url("detail", "plain")).status_code == 404
    assert b"plain" not in admin_client.get(LIST).content.replace(b"text/plain", b"")


def test_it_is_asked_of_views_that_no_class_declares(root, registered):
    forget(registered, "Plain")
    assert visible(root, [address()]) == [address()]
    ((_user, action, view),) = asked
    assert (action, view.label, view.app, view.view_class) == ("view", "", "", None)


@pytest.mark.parametrize("wrong", [None, 1, "no", ValueError("secret words"), KeyError("x")])
def test_whatever_it_does_instead_of_an_answer_nothing_is_shown(admin_client, caplog, wrong):
    answer[0] = wrong
    for path in (LIST, url("detail", "plain"), url("preview", "plain"), f"{LIST}graph/", f"{LIST}runs/"):
        caplog.clear()
        response = admin_client.get(path)
        assert response.status_code == 500, path
        assert "it cannot be decided who may see what" in response.content.decode()
        for hidden in ("views.plain", "the only row", "secret words"):
            assert hidden not in response.content.decode()
        assert "ORM_VIEWS_ADMIN['PERMISSION'] was asked for the action 'view' on views.plain" in caplog.text


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("shop.nowhere.may", "which cannot be imported"),
        (f"{__name__}.nothing", "which cannot be imported"),
        (f"{__name__}.asked", "cannot be called"),
    ],
)
def test_a_path_that_is_wrong_shows_nothing_and_is_a_check(admin_client, settings, root, capsys, path, why):
    settings.ORM_VIEWS_ADMIN = {"PERMISSION": path}
    assert admin_client.get(LIST).status_code == 500
    with pytest.raises(RightsError, match=why):
        may(root, Permission.VIEW, address())
    call_command("check", fail_level="CRITICAL")
    printed = "".join(capsys.readouterr())
    assert "orm_views_admin.E002" in printed
    assert why in printed


def test_a_setting_that_is_no_path_is_a_check_too(root, settings, capsys):
    settings.ORM_VIEWS_ADMIN = {"PERMISSION": 7}
    with pytest.raises(ImproperlyConfigured):
        may(root, Permission.VIEW, address())
    call_command("check", fail_level="CRITICAL")
    assert "orm_views_admin.E001" in "".join(capsys.readouterr())


def test_the_pages_say_nothing_more_to_those_who_lack_the_permissions(staff):
    answer[0] = ValueError("secret words")
    assert staff().get(LIST).status_code == 403
    assert "views" not in text_of(staff("preview").get(LIST).content.decode())
