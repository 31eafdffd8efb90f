"""The rules of who may see what, one by one, and what they cost. The matrix has all of them at once."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.http import Http404
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from orm_views_admin.addresses import ViewAddress
from orm_views_admin.models import Run, ViewChange
from orm_views_admin.permissions import Permission as Action
from orm_views_admin.permissions import may, visible
from orm_views_admin.runs.writing import error_fields
from orm_views_core.exceptions import RefreshError
from orm_views_core.names import ViewName
from orm_views_core.quoting import Quoting
from orm_views_core.status import State, get_statuses
from orm_views_core.sync import plan_views, sync_views
from tests.admin.browse import LIST, declare, declare_materialised, forget, key, text_of, url
from tests.admin.histories import make_run, path_of
from tests.core.readables import lend
from tests.demo.lending.models import Loan
from tests.demo.lending.postgres_views import ActiveLoans

pytestmark = pytest.mark.django_db

TEAM = ["team"]
UNSEEN = "It may name a view that you may not see, so it is not shown."


def address(name):
    return ViewAddress("default", ViewName("views", name))


@pytest.fixture
def ours(registered):
    """A view that only the team may see, between two that everybody may see, and a table."""
    declare("Lowest", "SELECT id FROM lending_loan")
    declare("Between", "SELECT id AS between_id FROM views.lowest", staff={"view": TEAM})
    declare("Highest", "SELECT between_id AS id FROM views.between", __doc__="It reads between.")
    sync_views()


def test_what_reads_a_view_that_one_may_not_see_says_so_without_a_name(staff, ours):
    page = staff("view").get(url("detail", "highest")).content.decode()
    text = text_of(page)
    assert "between" not in page.lower()
    assert UNSEEN in text
    assert "a view that you may not see" in text.replace(UNSEEN, "")
    below = text_of(staff("view", "sync").get(url("detail", "lowest")).content.decode())
    assert "by way of a view that you may not see" in below
    assert "views.highest" in below


def test_a_line_of_the_graph_leads_through_what_is_left_out_and_a_sentence_says_so(staff, ours):
    client = staff("view")
    page = client.get(f"{LIST}graph/").content.decode()
    assert "between" not in page.lower()
    assert "a line may lead through one of them" in text_of(page)
    row = text_of(page).partition("What the picture shows")[2]
    assert "views.highest" in row
    assert row.count("views.lowest") >= 2
    way = client.get(f"{LIST}graph/", {"view": key("lowest"), "column": "id"}).content.decode()
    assert "between" not in way.lower()
    assert "views.highest" in text_of(way)


def test_a_view_is_not_found_by_what_is_not_shown_of_it(staff, ours):
    client = staff("view")
    for words in ("between", "views.between", "between_id", "views.between.between_id"):
        page = client.get(LIST, {"q": words}).content.decode()
        assert "/views/highest/" not in page
    page = client.get(LIST, {"q": "views.lowest"}).content.decode()
    assert "reads views.lowest, by way of a view that you may not see" in text_of(page)
    assert "1 view hangs on views.lowest" in text_of(page)


def test_members_of_the_group_see_everything(staff, ours):
    client = staff("view")
    user = get_user_model().objects.get(username="staff-view")
    user.groups.add(Group.objects.create(name="team"))
    page = client.get(url("detail", "highest")).content.decode()
    assert UNSEEN not in text_of(page)
    assert "It reads between." in text_of(page)
    assert client.get(url("detail", "between")).status_code == 200


@pytest.mark.parametrize("page", ["detail", "changes", "change", "count", "preview", "cell", "export"])
def test_a_view_that_one_may_not_see_is_as_absent_as_one_that_is_not_there(staff, ours, page):
    staff("view", "preview", "export")
    user = get_user_model().objects.get(username="staff-view-preview-export")
    for name in ("between", "never"):
        ViewChange.objects.filter(name=name).delete()
    said = []
    for name in ("between", "never"):
        parts = {"pk": 7} if page == "change" else {}
        path = url(page, name) if not parts else f"{url('changes', name)}7/"
        request = RequestFactory().get(path, {"column": "id", "row": "1"})
        request.user = user
        view = resolve(path)
        with pytest.raises(Http404) as error:
            view.func(request, *view.args, **view.kwargs)
        said.append(str(error.value).replace(name, "…"))
    assert said[0] == said[1]


@pytest.mark.parametrize("page", ["sync", "refresh", "runs", "graph"])
def test_a_selection_tells_nothing_of_a_view_that_one_may_not_see(staff, ours, page):
    client = staff("view", "refresh", "sync")
    answers = []
    for name in ("between", "nothere"):
        response = client.get(f"{LIST}{page}/", {"view": key(name)})
        text = text_of(response.content.decode()).replace(name, "…")
        answers.append((response.status_code, text))
    assert answers[0] == answers[1]


def test_a_plan_with_steps_of_others_is_shown_in_part_and_cannot_be_confirmed(staff, registered):
    declare("Plain", "SELECT 1 AS one")
    declare("Salaries", "SELECT 2 AS wage", staff={"view": TEAM})
    client = staff("view", "sync")
    page = client.get(f"{LIST}sync/").content.decode()
    assert "views.plain" in text_of(page)
    assert "salaries" not in page.lower()
    assert "wage" not in page
    assert "It has 1 step of a view that you may not see." in text_of(page)
    assert 'name="confirm"' not in page
    (plan,) = plan_views(["default"])
    response = client.post(f"{LIST}sync/", {"default-fingerprint": plan.fingerprint, "confirm": "yes"})
    assert response.status_code == 403
    assert "salaries" not in response.content.decode().lower()
    assert not Run.objects.exists()


def test_a_plan_of_what_one_may_see_and_not_sync_names_it(staff, registered):
    declare("Salaries", "SELECT 2 AS wage", staff={"sync": TEAM})
    page = staff("view", "sync").get(f"{LIST}sync/").content.decode()
    assert "You may not sync views.salaries." in text_of(page)
    assert 'name="confirm"' not in page


def test_an_error_that_suggests_a_name_suggests_none_that_one_may_not_see(staff, registered):
    declare("Salaries", "SELECT 1 AS wage", staff={"view": TEAM})
    declare("Reader", "SELECT wage FROM views.salarie")
    sync = staff("view", "sync").get(f"{LIST}sync/").content.decode()
    assert "salaries" not in sync.lower()


def test_words_that_may_quote_rows_of_any_view_need_the_right_to_see_rows_of_all(staff, registered):
    declare("Plain", "SELECT 1 AS one")
    whole = "The sync failed: Key (email)=(ann@example.org) is duplicated."
    fields = error_fields(RefreshError(Quoting(whole, "The sync failed.", None)))
    run = make_run("", state=Run.State.FAILED, **fields)
    client = staff("view", "preview")
    assert whole in text_of(client.get(path_of(run)).content.decode())
    declare("Hidden", "SELECT 1 AS one", hidden=True)
    page = text_of(client.get(path_of(run)).content.decode())
    assert "ann@example.org" not in page
    assert "The sync failed." in page
    assert whole in text_of(staff("view", "preview", "preview_hidden").get(path_of(run)).content.decode())


def test_the_rows_in_an_error_need_the_right_to_see_those_of_its_view(staff, registered):
    declare_materialised("Stored", "SELECT 1 AS one", staff={"preview": TEAM})
    fields = error_fields(RefreshError(Quoting("It failed: (ann@example.org).", "It failed.", None)))
    run = make_run("stored", state=Run.State.FAILED, **fields)
    client = staff("view", "preview")
    for path in (path_of(run), path_of(run, "state/"), f"{LIST}runs/export/json/", url("detail", "stored")):
        response = client.get(path)
        body = b"".join(response.streaming_content) if response.streaming else response.content
        assert b"It failed." in body
        assert b"ann@example.org" not in body, path


@pytest.mark.parametrize("wrong", [{"view": "team"}, {"vew": TEAM}, "team", {"view": [1]}, None, [], ""])
def test_a_staff_that_is_wrong_lets_superusers_see_the_view_and_nobody_else(staff, registered, wrong):
    declare("Plain", "SELECT 1 AS one", staff=wrong)
    assert staff("view").get(url("detail", "plain")).status_code == 404
    assert visible(get_user_model().objects.create_superuser("root"), [address("plain")])


def test_without_a_group_nobody_but_superusers_may(staff, registered):
    declare("Plain", "SELECT 1 AS one", staff={"view": []})
    user = get_user_model().objects.create_user("eve", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_registeredview"))
    assert may(user, Action.VIEW)
    assert not may(user, Action.VIEW, address("plain"))


def test_a_staff_is_inherited_and_replaced_as_other_attributes_are(registered):
    base = type("Base", (), {"staff": {"view": TEAM}})
    declare("Inherits", "SELECT 1 AS one", base)
    declare("Replaces", "SELECT 1 AS one", base, staff={})
    user = get_user_model().objects.create_user("eve", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_registeredview"))
    names = [address("inherits"), address("replaces")]
    assert visible(user, names) == names[1:]


def test_a_change_of_staff_changes_no_view(registered):
    declare("Plain", "SELECT 1 AS one")
    sync_views()
    (before,) = get_statuses(["default"])
    forget(registered)
    declare("Plain", "SELECT 1 AS one", staff={"view": TEAM})
    (after,) = get_statuses(["default"])
    assert after.views[0].state is State.SYNCED
    assert after.views[0].definition.staff == (("view", ("team",)),)
    assert after.views[0].definition == before.views[0].definition
    assert after.views[0].definition.fingerprint == before.views[0].definition.fingerprint
    (plan,) = plan_views(["default"])
    assert plan.is_empty


def declare_with_staff(count):
    for n in range(count):
        declare(f"View{n:04}", f"SELECT {n} AS n", staff={"view": TEAM if n % 2 else ["others"]})


def test_the_groups_of_a_user_are_read_once_however_many_views_there_are(staff, registered):
    client = staff("view")
    get_user_model().objects.get(username="staff-view").groups.add(Group.objects.create(name="team"))

    def queries():
        client.get(LIST)  # sessions and content types are cached from here on
        with CaptureQueriesContext(connection) as captured:
            page = client.get(LIST).content.decode()
        return text_of(page), [query["sql"] for query in captured]

    declare_with_staff(10)
    text, few = queries()
    assert "None of the 5 views" in text or "5 views need attention" in text
    assert sum("auth_group" in sql and "auth_permission" not in sql for sql in few) == 1
    declare_with_staff(300)
    text, many = queries()
    assert "150 views" in text
    assert len(many) == len(few)


def test_to_ask_for_1000_views_takes_one_query(registered):
    declare_with_staff(1000)
    user = get_user_model().objects.create_user("eve", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_registeredview"))
    user.groups.add(Group.objects.create(name="team"))
    assert may(user, Action.VIEW)  # the permissions are cached from here on
    with CaptureQueriesContext(connection) as captured:
        assert len(visible(user, [address(f"view{n:04}") for n in range(1000)])) == 500
    assert len(captured) == 1


def test_a_view_without_staff_costs_no_query(registered):
    declare("Plain", "SELECT 1 AS one")
    user = get_user_model().objects.create_superuser("root")
    with CaptureQueriesContext(connection) as captured:
        assert may(user, Action.PREVIEW, address("plain"))
    assert len(captured) == 0


def problems(capsys, *arguments):
    call_command("check", *arguments, fail_level="CRITICAL")
    return "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("wrong", "number", "said"),
    [
        ("team", "orm_views_core.E014", "its staff is 'team'."),
        ({"view": "team"}, "orm_views_core.E014", "its staff has 'view': 'team'."),
        ({1: TEAM}, "orm_views_core.E014", "its staff has the action 1."),
        ({"vew": TEAM}, "orm_views_admin.E003", "its staff has the action 'vew'."),
    ],
)
def test_a_check_tells_what_is_wrong_with_a_staff(registered, capsys, wrong, number, said):
    declare("Plain", "SELECT 1 AS one", staff=wrong)
    printed = problems(capsys)
    assert number in printed
    assert "lending.Plain" in printed
    assert said in printed
    assert "HINT" in printed


def test_a_check_of_the_database_tells_of_groups_that_are_not_there(registered, capsys):
    declare("Plain", "SELECT 1 AS one", staff={"view": TEAM, "preview": TEAM})
    assert "orm_views_admin.W002" not in problems(capsys)
    printed = problems(capsys, "--database", "default")
    assert printed.count("orm_views_admin.W002") == 1
    assert "its staff has the group 'team', and there is none in database 'default'." in printed
    Group.objects.create(name="team")
    assert "orm_views_admin.W002" not in problems(capsys, "--database", "default")


def test_the_json_of_the_history_has_no_run_of_a_view_that_one_may_not_see(staff, ours):
    make_run("between")
    make_run("lowest")
    found = json.loads(staff("view").get(f"{LIST}runs/export/json/").getvalue())
    assert [run["view"] for run in found if run["view"]] == ["lowest"]


BOOK, ROW = "/admin/lending/activeloans/", "73119.25"


@pytest.fixture
def readable(registered, execute):
    """The readable view of the demonstration that is in Django's admin, and a row of it."""
    registered.register(ActiveLoans)
    lend()
    execute(f"UPDATE lending_loan SET principal = {ROW} WHERE principal = 100")
    sync_views()


def log_in(*codenames):
    user = get_user_model().objects.create_user("eve", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def test_rows_of_a_readable_view_need_the_permission_to_view_or_change_its_model(readable):
    pages = ("view_registeredview", "preview_registeredview")
    for needed, status in (((), 403), (("view_activeloans",), 200), (("change_activeloans",), 200)):
        client = log_in(*pages, *needed)
        response = client.get(url("preview", "active_loans"))
        assert response.status_code == status
        assert (ROW in response.content.decode()) == (status == 200)
        assert "active_loans" in text_of(client.get(LIST).content.decode())
        get_user_model().objects.get(username="eve").delete()


@pytest.mark.parametrize("staff", [{"view": TEAM}, {"preview": TEAM}])
def test_what_keeps_rows_back_does_so_on_pages_of_django_too(readable, monkeypatch, staff):
    client = log_in("view_activeloans")
    assert ROW in client.get(BOOK).content.decode().replace(",", "")
    monkeypatch.setattr(ActiveLoans, "staff", staff)
    row = Loan.objects.get(principal=ROW).pk
    for path in (BOOK, f"{BOOK}{row}/change/", f"{BOOK}{row}/history/"):
        assert client.get(path).status_code == 403, path
    assert "activeloans" not in client.get("/admin/").content.decode()
    get_user_model().objects.get(username="eve").groups.add(Group.objects.create(name="team"))
    assert ROW in client.get(BOOK).content.decode().replace(",", "")


def test_a_hidden_readable_view_shows_its_rows_on_pages_of_django_to_those_who_may_see_hidden_ones(
    readable, monkeypatch
):
    monkeypatch.setattr(ActiveLoans, "hidden", True)
    client = log_in("view_activeloans")
    assert client.get(BOOK).status_code == 403
    user = get_user_model().objects.get(username="eve")
    user.user_permissions.add(Permission.objects.get(codename="preview_hidden_registeredview"))
    assert client.get(BOOK).status_code == 200
