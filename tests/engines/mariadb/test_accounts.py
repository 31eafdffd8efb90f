"""Who may read views, whose they are, and what a role may know."""

from __future__ import annotations

import pytest
from django.db import connections

from orm_views_core.engines.mariadb.engine import ENGINE
from orm_views_core.engines.plain.untried import UntriedError
from orm_views_core.engines.rows import count_rows
from orm_views_core.exceptions import (
    DatabaseUnavailableError,
    MissingRoleError,
    PlanBlockedError,
    RowsUnavailableError,
    SyncFailedError,
    ViewSQLError,
)
from orm_views_core.names import ViewName
from orm_views_core.privacy.plain import find_plain_personal_columns
from orm_views_core.views.identity import name_of

from .server import declare, plan, reasons, states, sync, warnings

pytestmark = pytest.mark.usefixtures("server", "registered")


def test_roles_and_users_are_granted_and_revoked_by_name(server, make_account):
    for account in ("analyst", "bi@localhost", "anywhere@%"):
        make_account(account)
    declare("One", "SELECT id FROM item", grant_select_to=["analyst", "bi@localhost", "anywhere"])
    assert sync() == ["create views.one"]
    assert server.readers("views_one") == {"analyst", "bi@localhost", "anywhere@%"}
    assert sync() == []
    assert server.run("SELECT count(*) FROM views_one", "bi") == [(2,)]
    declare("One", "SELECT id FROM item", grant_select_to=["analyst"])
    assert sync() == ["revoke views.one"]
    assert server.readers("views_one") == {"analyst"}
    assert sync() == []


def test_a_role_of_the_command_line_is_granted_new_views_and_keeps_them(server, make_account):
    make_account("teller")
    declare("One", "SELECT id FROM item")
    declare("Two", "SELECT id FROM item", hidden=True)
    assert sync(grant_select_permissions_to_user="teller") == ["create views.one", "create views.two"]
    assert (server.readers("views_one"), server.readers("views_two")) == ({"teller"}, set())
    assert sync(grant_select_permissions_to_user="teller") == []
    assert sync() == []
    assert server.readers("views_one") == {"teller"}


@pytest.mark.parametrize("word", ["public", "PUBLIC"])
def test_everybody_is_granted_by_the_word_public(server, word):
    declare("One", "SELECT id FROM item", grant_select_to=[word])
    sync()
    assert server.readers("views_one") == {"PUBLIC"}
    assert sync() == []


def test_a_replaced_view_keeps_its_grants(server, make_account):
    make_account("analyst")
    make_account("by_hand")
    declare("One", "SELECT id FROM item", grant_select_to=["analyst"])
    sync()
    server.run("GRANT SELECT ON views_one TO by_hand")
    declare("One", "SELECT id, code FROM item", grant_select_to=["analyst"])
    assert sync() == ["replace views.one"]
    assert server.readers("views_one") == {"analyst", "by_hand"}


def test_the_grants_of_a_sync_go_away_with_its_view(server, registered, make_account):
    make_account("analyst")
    view = declare("One", "SELECT id FROM item", grant_select_to=["analyst"])
    sync()
    registered.unregister(view)
    assert sync(allow_drop_all=True) == ["drop views.one"]
    assert server.readers("views_one") == set()


@pytest.mark.parametrize("missing", ["nobody_at_all", "nobody_at_all@localhost"])
def test_a_missing_role_is_an_error_before_anything_is_changed(server, missing):
    declare("One", "SELECT id FROM item")
    declare("Two", "SELECT id FROM item", grant_select_to=[missing])
    with pytest.raises(MissingRoleError, match=missing):
        sync()
    assert server.views() == {}


def test_a_grant_that_is_refused_says_what_was_done(server, as_user):
    as_user("app")
    declare("A", "SELECT id FROM item")
    declare("B", "SELECT id FROM item", grant_select_to=["nobody_at_all"])
    declare("C", "SELECT id FROM item")
    with pytest.raises(SyncFailedError) as failed:
        sync()
    assert "1 of 3 steps was done: create views.a." in str(failed.value)
    assert "views.b may have been changed before the error" in str(failed.value)
    assert "rolled back" not in str(failed.value)
    assert set(server.views()) == {"views_a", "views_b"}
    declare("B", "SELECT id FROM item")
    assert sync() == ["adopt views.b", "create views.c"]


def test_a_grant_creates_no_user_whatever_the_mode(server, as_user):
    as_user("app", grants=True)
    server.run("GRANT CREATE USER ON *.* TO app@localhost")
    declare("One", "SELECT id FROM item", grant_select_to=["nobody_at_all"])
    with connections["default"].cursor() as cursor:
        cursor.execute("SET SESSION sql_mode = 'STRICT_TRANS_TABLES'")
    with pytest.raises(SyncFailedError):
        sync()
    assert server.run("SELECT user FROM mysql.user WHERE user = 'nobody_at_all'") == []


def test_a_role_with_few_privileges_can_sync(server, as_user):
    as_user("app", "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, CREATE VIEW, SHOW VIEW", grants=False)
    declare("One", "SELECT id FROM item")
    assert sync() == ["create views.one"]
    assert sync() == []
    server.run(f"REVOKE CREATE VIEW ON `{server.name}`.* FROM app@localhost")
    connections["default"].close()
    declare("One", "SELECT id, code FROM item")
    with pytest.raises(ViewSQLError, match="CREATE VIEW command denied") as refused:
        sync()
    assert "orm_views_try" not in str(refused.value)


def test_a_database_that_cannot_be_written_is_read_and_no_more(server, as_user):
    declare("One", "SELECT id FROM item")
    sync()
    as_user("app")
    declare("One", "SELECT id, code FROM item")
    server.run("SET GLOBAL read_only = 1")
    try:
        assert states() == {"views.one": "drifted"}
        with pytest.raises(UntriedError, match=r"cannot be written.*Sync the views of its primary"):
            sync()
    finally:
        server.run("SET GLOBAL read_only = 0")


def test_a_role_that_may_not_read_the_states_is_told_so(server, as_user):
    declare("One", "SELECT id FROM item")
    sync()
    as_user("app", "CREATE, DROP, CREATE VIEW, SHOW VIEW", grants=False)
    with pytest.raises(
        DatabaseUnavailableError, match=r"'default' \(.*\) cannot be read: MariaDB says: SELECT"
    ):
        sync()


def test_a_role_that_may_not_see_the_texts_of_views_sees_no_drift(server, as_user):
    as_user("app", "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, CREATE VIEW", grants=False)
    declare("One", "SELECT id FROM item")
    assert sync() == ["create views.one"]
    assert sync() == []
    assert states() == {"views.one": "synced"}
    declare("One", "SELECT id, code FROM item")
    assert sync() == ["replace views.one"]


def test_a_role_that_may_not_read_grants_believes_what_was_recorded(server, as_user, make_account):
    make_account("analyst")
    as_user("app")
    declare("One", "SELECT id FROM item", grant_select_to=["analyst"])
    assert sync() == ["create views.one"]
    assert server.readers("views_one") == {"analyst"}
    assert server.definer("views_one") == "app@localhost"
    assert sync() == []
    declare("One", "SELECT id FROM item")
    assert sync() == ["revoke views.one"]
    assert server.readers("views_one") == set()


def test_a_grant_that_is_gone_already_does_not_stop_a_sync(server, registered, as_user, make_account):
    make_account("analyst")
    as_user("app")
    view = declare("One", "SELECT id FROM item", grant_select_to=["analyst"])
    sync()
    server.run("REVOKE SELECT ON views_one FROM analyst")
    registered.unregister(view)
    assert sync(allow_drop_all=True) == ["drop views.one"]
    assert server.views() == {}


@pytest.fixture
def foreign(server, make_account):
    """A view of somebody else in the place of ours."""
    make_account("mallory@localhost")
    server.run(f"GRANT ALL ON `{server.name}`.* TO mallory@localhost")

    def create(sql):
        server.run(f"CREATE OR REPLACE VIEW views_one AS {sql}", "mallory")

    return create


def test_a_view_of_another_definer_is_neither_believed_nor_changed(server, foreign):
    declare("One", "SELECT id FROM item")
    sync()
    foreign("SELECT price AS id FROM item")
    before = server.views()
    assert states() == {"views.one": "drifted"}
    assert "Its definer is 'mallory@localhost'" in reasons()["views.one"]
    with pytest.raises(PlanBlockedError, match=r"mallory@localhost.*TRUSTED_OWNERS"):
        sync()
    assert server.views() == before
    server.run("DROP VIEW views_one")
    assert sync() == ["create views.one"]


def test_a_view_of_another_definer_that_is_as_its_class_says_is_a_warning(server, foreign):
    declare("One", "SELECT id FROM item")
    foreign("SELECT id FROM item")
    assert sync() == plan() == []
    assert "mallory@localhost" in warnings()[0]
    assert states() == {"views.one": "drifted"}


def test_the_rows_of_another_definers_view_are_not_read(server, registered, foreign):
    declare("One", "SELECT id FROM item")
    top = declare("Top", "SELECT id FROM views.one")
    sync()
    assert count_rows("default", name_of(top)).rows == 2
    foreign("SELECT password AS id FROM auth_user")
    for name in ("one", "top"):
        with pytest.raises(RowsUnavailableError, match=r"definer of views_one is 'mallory@localhost'"):
            count_rows("default", ViewName("views", name))
    other = declare("Other", "SELECT id FROM item")
    server.run("CREATE VIEW views_other AS SELECT id FROM item")
    assert count_rows("default", name_of(other)).rows == 2


def test_the_rows_of_a_view_that_calls_another_definers_function_are_not_read(server, make_account):
    make_account("mallory@localhost")
    server.run(f"GRANT ALL ON `{server.name}`.* TO mallory@localhost")
    server.run("CREATE FUNCTION note() RETURNS int RETURN 1")
    try:
        one = declare("One", "WITH note AS (SELECT id FROM item) SELECT NOTE() AS id FROM note")
        top = declare("Top", "SELECT count(id) AS id FROM views.one")
        other = declare("Other", "SELECT id FROM item")
        sync()
        assert count_rows("default", name_of(one)).rows == 2
        server.run("DROP FUNCTION note", "mallory")
        stolen = "(SELECT count(*) FROM mysql.user)"
        server.run(f"CREATE FUNCTION note() RETURNS int SQL SECURITY INVOKER RETURN {stolen}", "mallory")
        for view in (one, top):
            with pytest.raises(
                RowsUnavailableError, match=r"views_one calls .*\.note, .*'mallory@localhost'"
            ):
                count_rows("default", name_of(view))
        assert count_rows("default", name_of(other)).rows == 2
    finally:
        server.run("DROP FUNCTION IF EXISTS note")


def test_rows_are_not_read_if_a_role_cannot_see_whether_they_are_of_another_definer(
    server, as_user, foreign, settings
):
    settings.ORM_VIEWS = {"TRUSTED_OWNERS": ["root"]}
    declare("One", "SELECT id FROM item")
    top = declare("Top", "SELECT id FROM views.one")
    sync()
    as_user("app", "SELECT", grants=False)
    assert count_rows("default", name_of(top)).rows == 2
    foreign("SELECT id FROM item")
    with pytest.raises(RowsUnavailableError, match=r"may not see what views_top reads.*SHOW VIEW"):
        count_rows("default", name_of(top))


def test_what_a_role_may_not_see_may_be_personal(server, as_user, settings):
    settings.ORM_VIEWS = {"PERSONAL": ["shop.Customer.email"], "TRUSTED_OWNERS": ["root"]}
    mails = declare("Mails", "SELECT id, email FROM shop_customer", not_personal=["id"])
    rows = declare("Rows", "SELECT id FROM item")
    sync()

    def personal(view):
        return find_plain_personal_columns(connections["default"], ENGINE, name_of(view))

    as_user("app", "ALL")
    assert (personal(mails), personal(rows)) == (["email"], ())
    as_user("reader", "SELECT, CREATE VIEW", grants=False)
    assert (personal(mails), personal(rows)) == (["email"], ["id"])


def test_the_state_of_another_definers_view_makes_it_no_orphan(server, registered, foreign):
    view = declare("One", "SELECT id FROM item")
    declare("Two", "SELECT id FROM item")
    sync()
    foreign("SELECT id FROM item")
    registered.unregister(view)
    assert sync() == plan() == []
    assert "views_one" in server.views()


@pytest.mark.parametrize("trusted", ["mallory", "mallory@localhost"])
def test_a_definer_that_the_settings_trust_is_believed(server, foreign, settings, trusted):
    settings.ORM_VIEWS = {"TRUSTED_OWNERS": [trusted]}
    declare("One", "SELECT id FROM item")
    foreign("SELECT id FROM item")
    assert sync() == ["adopt views.one"]
    assert states() == {"views.one": "synced"}
    assert server.definer("views_one") == "mallory@localhost"


def test_what_another_definers_view_runs_is_not_run_to_see_whether_it_is_broken(server, foreign):
    server.run("CREATE FUNCTION note() RETURNS int RETURN (SELECT max(id) FROM item)")
    try:
        declare("One", "SELECT id FROM item")
        foreign("SELECT note() AS id")
        server.run("DROP FUNCTION note")
        assert states() == {"views.one": "drifted"}
    finally:
        server.run("DROP FUNCTION IF EXISTS note")
