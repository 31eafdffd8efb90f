"""Privileges on views: which are granted, which are revoked, and which are left alone."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection

from orm_views_core.status import State, get_statuses
from orm_views_core.sync import sync_views
from orm_views_core.views import HiddenViewMixin, PostgresMaterialisedViewMixin, PostgresViewFromSQL

pytestmark = pytest.mark.django_db

ODD_NAMES = ['with "quotes"', "with spaces", "WithCapitals", "ünïcode", "per%cent", "semi;colon", "user"]


def declare(name="V", *bases, **attributes):
    return type(
        name, (*bases, PostgresViewFromSQL), {"sql": "SELECT 1 AS a", "__module__": __name__, **attributes}
    )


def may_read(role, view="views.v"):
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, %s, 'SELECT')", [role, view])
        return cursor.fetchone()[0]


def may_use_schema(role):
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_schema_privilege(%s, 'views', 'USAGE')", [role])
        return cursor.fetchone()[0]


def state():
    return {view.state for view in get_statuses(["default"])[0].views}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_roles_of_any_name_can_be_granted_select(name, make_role):
    make_role(name)
    declare(grant_select_to=[name])
    sync_views()
    assert may_read(name)
    assert may_use_schema(name)
    assert sync_views()[0].steps == ()


def test_the_settings_the_class_and_the_command_line_add_up(make_role, settings):
    for role in ("of settings", "of class", "of command", "of command too"):
        make_role(role)
    settings.ORM_VIEWS = {"GRANT_SELECT_TO": ["of settings"]}
    declare("V", grant_select_to=["of class"])
    declare("W", PostgresMaterialisedViewMixin)
    call_command(
        "sync_views",
        "--grant-select-permissions-to-user=of command",
        "--grant-select-permissions-to-user=of command too",
        verbosity=0,
    )
    readers = {(role, view) for role in ("of settings", "of class", "of command", "of command too")
               for view in ("views.v", "views.w") if may_read(role, view)}  # fmt: skip
    assert readers == {
        ("of settings", "views.v"),
        ("of settings", "views.w"),
        ("of class", "views.v"),
        ("of command", "views.v"),
        ("of command", "views.w"),
        ("of command too", "views.v"),
        ("of command too", "views.w"),
    }


def test_a_role_that_the_class_no_longer_names_loses_its_grant(make_role, execute):
    make_role("kept")
    make_role("by hand")
    declare(grant_select_to=["kept", make_role("dismissed")])
    sync_views()
    execute('GRANT SELECT ON views.v TO "by hand"')
    declare(grant_select_to=["kept"])
    assert state() == {State.CHANGED}
    (result,) = sync_views()
    assert [r.step.action.verb for r in result.steps] == ["revoke"]
    assert (may_read("kept"), may_read("dismissed"), may_read("by hand")) == (True, False, True)
    assert sync_views()[0].steps == ()


def test_a_role_of_the_command_line_keeps_its_grant_when_the_next_deploy_does_not_name_it(make_role):
    role = make_role("reporting")
    declare()
    sync_views(role)
    assert may_read(role)
    assert sync_views()[0].steps == ()
    declare(sql="SELECT 'x' AS a")
    sync_views()
    assert may_read(role)


def test_hiding_a_view_takes_back_what_was_granted_and_showing_it_grants_again(make_role, execute):
    declared, commanded, by_hand = make_role("declared"), make_role("commanded"), make_role("by hand")
    declare(grant_select_to=[declared])
    sync_views(commanded)
    execute('GRANT SELECT ON views.v TO "by hand"')
    declare("V", HiddenViewMixin, grant_select_to=[declared])
    sync_views(commanded)
    assert [may_read(role) for role in (declared, commanded, by_hand)] == [False, False, True]
    declare(grant_select_to=[declared])
    sync_views()
    assert [may_read(role) for role in (declared, commanded, by_hand)] == [True, False, True]


def test_a_hidden_view_that_is_rebuilt_is_not_readable_in_between_or_after(make_role):
    role = make_role("declared")
    declare(grant_select_to=[role])
    sync_views(role)
    declare("V", HiddenViewMixin, sql="SELECT 'x' AS b", grant_select_to=[role])
    sync_views(role)
    assert not may_read(role)


def test_public_means_everybody(make_role):
    role = make_role("anybody")
    declare(grant_select_to=["PUBLIC"])
    sync_views()
    assert may_read(role)
    assert sync_views()[0].steps == ()
    declare()
    sync_views()
    assert not may_read(role)


def test_a_rebuild_keeps_what_was_granted_by_hand_other_privileges_too(make_role, execute):
    role = make_role("editor")
    declare()
    sync_views()
    execute("GRANT SELECT, INSERT ON views.v TO editor WITH GRANT OPTION; GRANT UPDATE ON views.v TO editor")
    declare(sql="SELECT 'x' AS b")
    (result,) = sync_views()
    assert [r.step.action.verb for r in result.steps] == ["rebuild"]
    privileges = execute(
        "SELECT privilege_type, is_grantable FROM pg_class c, aclexplode(c.relacl) a "
        "WHERE c.oid = 'views.v'::regclass AND a.grantee = 'editor'::regrole ORDER BY 1"
    )
    assert privileges == [("INSERT", True), ("SELECT", True), ("UPDATE", False)]
    assert role == "editor"
